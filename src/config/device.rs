//! `--device PATH[,baud=…][,dialect=…][,label=…][,components=MAP][,restore=true][,reset=…][,registry=URL][,user=UUID]`: a port
//! that the user names.

use std::path::PathBuf;
use std::str::FromStr;

use firmware_proto::Dialect;
use uuid::Uuid;

use super::value::{self, Baud, ValueError};
use super::{RegistryChoice, ResetPolicy};

/// A port that the user names. Naming it is consent to open it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeviceSpec {
    /// The path as typed: symbolic links are not followed, since it is what the board's id is made of.
    pub path: PathBuf,
    /// The only rate to try.
    pub baud: Option<Baud>,
    /// The only dialect to try.
    pub dialect: Option<Dialect>,
    /// The label, until somebody gives another.
    pub label: Option<String>,
    /// A component map as `microflo generate` writes it, or the directory with it and its graph.
    pub components: Option<PathBuf>,
    /// Whether it gets its graph back after a start.
    pub restore: Option<bool>,
    /// What opening its port does to it.
    pub reset: Option<ResetPolicy>,
    /// Its registries, in place of those that are for all boards; may be given several times.
    pub registry: Option<Vec<RegistryChoice>>,
    /// In whose list it appears at registries.
    pub user: Option<Uuid>,
}

/// The options that may follow the path.
const KEYS: &str = "baud, dialect, label, components, restore, reset, registry, user";

/// Why a device cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DeviceSpecError {
    /// No path.
    #[error(
        "the path is missing; write PATH[,baud=…][,dialect=…][,label=…][,components=MAP][,restore=true], as /dev/ttyS0,baud=9600"
    )]
    NoPath,
    /// An option without `=`.
    #[error("`{0}` is not KEY=VALUE; the keys are {KEYS}")]
    NotKeyValue(String),
    /// An option that does not exist.
    #[error("there is no option `{0}`; the options are {KEYS}")]
    UnknownKey(String),
    /// An option with nothing after the `=`.
    #[error("`{0}=` has no value")]
    NoValue(String),
    /// Neither yes nor no.
    #[error("`restore={0}`: it is true or false")]
    NotBoolean(String),
    /// Not a user's id.
    #[error("`user={0}`: a user is named by a UUID")]
    NotUser(String),
    /// An option given twice.
    #[error("`{0}` is given twice")]
    Twice(String),
    /// An option's value cannot be used.
    #[error(transparent)]
    Value(#[from] ValueError),
}

impl FromStr for DeviceSpec {
    type Err = DeviceSpecError;

    fn from_str(text: &str) -> Result<Self, DeviceSpecError> {
        let mut parts = text.split(',');
        let path = parts.next().filter(|path| !path.is_empty()).ok_or(DeviceSpecError::NoPath)?;
        let mut spec = DeviceSpec {
            path: path.into(),
            baud: None,
            dialect: None,
            label: None,
            components: None,
            restore: None,
            reset: None,
            registry: None,
            user: None,
        };
        for part in parts {
            spec.set(part)?;
        }
        Ok(spec)
    }
}

impl DeviceSpec {
    fn set(&mut self, part: &str) -> Result<(), DeviceSpecError> {
        let (key, value) = part.split_once('=').ok_or_else(|| DeviceSpecError::NotKeyValue(part.to_owned()))?;
        match key {
            "baud" => once(&mut self.baud, key, value, |text| Ok(text.parse()?)),
            "dialect" => once(&mut self.dialect, key, value, |text| Ok(value::dialect(text)?)),
            "label" => once(&mut self.label, key, value, |text| Ok(text.to_owned())),
            "components" => once(&mut self.components, key, value, |text| Ok(text.into())),
            "restore" => once(&mut self.restore, key, value, |text| {
                text.parse().map_err(|_| DeviceSpecError::NotBoolean(text.to_owned()))
            }),
            "reset" => once(&mut self.reset, key, value, |text| Ok(text.parse()?)),
            "registry" => {
                let mut one = None;
                once(&mut one, key, value, |text| Ok(text.parse()?))?;
                self.registry.get_or_insert_default().extend(one);
                Ok(())
            }
            "user" => once(&mut self.user, key, value, |text| {
                text.parse().map_err(|_| DeviceSpecError::NotUser(text.to_owned()))
            }),
            _ => Err(DeviceSpecError::UnknownKey(key.to_owned())),
        }
    }
}

fn once<T>(
    slot: &mut Option<T>,
    key: &str,
    value: &str,
    read: impl FnOnce(&str) -> Result<T, DeviceSpecError>,
) -> Result<(), DeviceSpecError> {
    if slot.is_some() {
        return Err(DeviceSpecError::Twice(key.to_owned()));
    }
    if value.is_empty() {
        return Err(DeviceSpecError::NoValue(key.to_owned()));
    }
    *slot = Some(read(value)?);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_alone_is_enough() {
        let spec: DeviceSpec = "/dev/pts/3".parse().unwrap();
        assert_eq!(spec.path, PathBuf::from("/dev/pts/3"));
        assert_eq!((spec.baud, spec.dialect, spec.label, spec.components), (None, None, None, None));
    }

    #[test]
    fn every_option_is_read() {
        let spec: DeviceSpec =
            "/dev/ttyS0,baud=9600,dialect=microflo1,label=Door lock,components=maps/door.json,restore=true"
                .parse()
                .unwrap();
        assert_eq!(spec.baud.map(Baud::get), Some(9600));
        assert_eq!(spec.dialect, Some(Dialect::Microflo1));
        assert_eq!(spec.label.as_deref(), Some("Door lock"));
        assert_eq!(spec.components, Some("maps/door.json".into()));
        assert_eq!(spec.restore, Some(true));
    }

    #[test]
    fn a_by_path_link_with_colons_and_dots_is_a_path() {
        let path = "/dev/serial/by-path/pci-0000:00:14.0-usb-0:1.2:1.0-port0";
        assert_eq!(path.parse::<DeviceSpec>().unwrap().path, PathBuf::from(path));
    }

    #[test]
    fn mistakes_are_named() {
        let cases = [
            ("", DeviceSpecError::NoPath),
            (",baud=9600", DeviceSpecError::NoPath),
            ("/dev/x,9600", DeviceSpecError::NotKeyValue("9600".into())),
            ("/dev/x,bauds=9600", DeviceSpecError::UnknownKey("bauds".into())),
            ("/dev/x,label=", DeviceSpecError::NoValue("label".into())),
            ("/dev/x,baud=1,baud=2", DeviceSpecError::Twice("baud".into())),
            ("/dev/x,baud=quick", DeviceSpecError::Value(ValueError::Baud("quick".into()))),
            ("/dev/x,baud=1200", DeviceSpecError::Value(ValueError::BootloaderBaud(1200))),
            ("/dev/x,restore=yes", DeviceSpecError::NotBoolean("yes".into())),
            ("/dev/x,dialect=9", DeviceSpecError::Value(ValueError::Dialect("9".into()))),
        ];
        for (text, error) in cases {
            assert_eq!(text.parse::<DeviceSpec>(), Err(error), "{text}");
        }
    }
}
