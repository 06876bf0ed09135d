//! What a self-describing board's firmware says of itself, verified and in the bridge's own terms.
//!
//! [`firmware_proto::descriptor`] has the format and the exchange. Here a descriptor becomes a [`Build`].

use std::sync::Arc;

use firmware_proto::Dialect;
use firmware_proto::descriptor::{self, Component as Described, Fingerprint, HASH_BYTES, ReadError};
use sha2::{Digest, Sha256};

use crate::pure::identity::label::label_on_board;
use crate::pure::model::build::{Build, Exported, GraphNames, NamedNode};
use crate::pure::model::library::{Component, Library, LibraryError, Port};
use crate::pure::model::limits::Limits;

/// Where a build is from that a descriptor has told, for people.
pub const ORIGIN: &str = "the board itself";

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
    /// It does not have the hash that stands in it.
    #[error("the board's descriptor is damaged: it has another hash than it says; flash the board again")]
    Hash,
    /// It is not what it was asked for.
    #[error("the board's descriptor is not the one that the board has said it has; flash the board again")]
    Other,
    /// Its components make no sense.
    #[error("{0}; make the board's header again with `firmware descriptor`, and flash it")]
    Components(#[from] LibraryError),
}

impl Descriptor {
    /// Reads a descriptor that says that it has this fingerprint.
    pub fn read(bytes: &[u8], fingerprint: Fingerprint, dialect: Dialect) -> Result<Descriptor, DescriptorError> {
        let read = Descriptor::of(bytes, dialect)?;
        if read.fingerprint == fingerprint { Ok(read) } else { Err(DescriptorError::Other) }
    }

    /// Reads the descriptor of firmware that speaks that dialect.
    pub fn of(bytes: &[u8], dialect: Dialect) -> Result<Descriptor, DescriptorError> {
        let read = descriptor::reader::check(bytes, dialect)?;
        let fixed = read.fixed();
        if Sha256::digest(descriptor::Descriptor::hashed(bytes))[..HASH_BYTES] != fixed.hash {
            return Err(DescriptorError::Hash);
        }
        let length = u16::try_from(bytes.len()).map_err(|_| DescriptorError::Other)?;
        let fingerprint =
            Fingerprint { version: fixed.version, length, crc: descriptor::crc32(bytes), hash: fixed.hash };
        let library = Library::of(read.components().map(|component| component_of(&read, &component)))?;
        let exported = |exports: descriptor::content::List<'_, descriptor::Export<'_>>| {
            exports.map(|it| Exported { public: it.name.to_owned(), node: it.node, port: it.port }).collect()
        };
        let names = GraphNames {
            nodes: read
                .nodes()
                .map(|(_, it)| NamedNode { name: it.name.to_owned(), component: it.component })
                .collect(),
            in_ports: exported(read.in_ports()),
            out_ports: exported(read.out_ports()),
        };
        Ok(Descriptor {
            fingerprint,
            bytes: bytes.into(),
            dialect,
            build: Build { library, graph: None, names: Some(Arc::new(names)), origin: ORIGIN.to_owned() },
            label: label_on_board(fixed.label),
            limits: Limits::of_build(fixed.node_limit, fixed.message_limit),
        })
    }
}

fn component_of(read: &descriptor::Descriptor<'_>, component: &Described<'_>) -> Component {
    let ports = |words| read.ports(words).map(|(id, name)| Port::of(name, id)).collect();
    Component {
        name: component.name.to_owned(),
        id: component.id,
        description: String::new(),
        icon: None,
        in_ports: ports(component.in_ports),
        out_ports: ports(component.out_ports),
    }
}
