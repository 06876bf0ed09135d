//! What a self-describing board's firmware says of itself, verified and in the bridge's own terms.

use std::sync::Arc;

use firmware_proto::Dialect;
use firmware_proto::descriptor::reader::check;
use firmware_proto::descriptor::{Fingerprint, ReadError, crc32};

use crate::pure::descriptor::{ExpandError, Expanded, expand};
use crate::pure::identity::label::label_on_board;
use crate::pure::model::build::Build;
use crate::pure::model::limits::Limits;

/// A descriptor that was found right.
#[derive(Clone, Debug, PartialEq)]
pub struct Descriptor {
    /// What it is known by.
    pub fingerprint: Fingerprint,
    /// Its bytes.
    pub bytes: Arc<[u8]>,
    /// What the firmware speaks.
    pub dialect: Dialect,
    /// What the firmware is made of.
    pub build: Build,
    /// What a board with it is called that stores no label.
    pub label: Option<String>,
    /// What a board with it can take.
    pub limits: Limits,
}

/// Why a descriptor cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum DescriptorError {
    /// Its bytes are not right.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// What it says makes no sense.
    #[error(transparent)]
    Expand(#[from] ExpandError),
    /// It is not what was asked for.
    #[error("the board's descriptor is not the one that the board says it has; flash the board again")]
    Other,
}

impl Descriptor {
    /// Reads a descriptor that says that it has this fingerprint.
    pub fn read(bytes: &[u8], fingerprint: Fingerprint, dialect: Dialect) -> Result<Descriptor, DescriptorError> {
        let read = Descriptor::of(bytes, dialect)?;
        if read.fingerprint == fingerprint { Ok(read) } else { Err(DescriptorError::Other) }
    }

    /// Reads the descriptor of firmware that speaks that dialect.
    pub fn of(bytes: &[u8], dialect: Dialect) -> Result<Descriptor, DescriptorError> {
        let version = check(bytes, dialect)?.fixed().version;
        let Expanded { build, node_limit, message_limit, label, hash, .. } = expand(bytes)?;
        let length = u16::try_from(bytes.len()).map_err(|_| DescriptorError::Other)?;
        Ok(Descriptor {
            fingerprint: Fingerprint { version, length, crc: crc32(bytes), hash },
            bytes: bytes.into(),
            dialect,
            build,
            label: label_on_board(&label),
            limits: Limits::of_build(node_limit, message_limit),
        })
    }
}
