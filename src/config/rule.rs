//! `[[board]]`: settings for some boards only.

use std::fmt;
use std::path::PathBuf;

use firmware_proto::Dialect;
use serde::de::{self, Deserializer, Visitor};
use serde::{Deserialize, de::Error as _};
use uuid::Uuid;

use super::layer::one_or_many;
use super::registry::ResetPolicy;
use super::value::{self, Baud, ValueError};
use super::{Origins, RegistryChoice};
use crate::pure::identity::label::LABEL_CHARS;
use crate::pure::port::Port;
use crate::pure::secret::Secret;

/// The longest description, in characters.
const DESCRIPTION_CHARS: usize = 256;
/// The shortest secret, in characters.
const SECRET_CHARS: usize = 16;

/// Settings for the boards that match.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BoardRule {
    /// Which boards.
    #[serde(rename = "match")]
    pub matches: BoardMatch,
    /// The label, until somebody gives another.
    #[serde(default, deserialize_with = "label")]
    pub label: Option<String>,
    /// What registries say of it.
    #[serde(default, deserialize_with = "description")]
    pub description: Option<String>,
    /// Its registries, in place of those that are for all boards.
    #[serde(default, deserialize_with = "one_or_many")]
    pub registry: Option<Vec<RegistryChoice>>,
    /// In whose list it appears at registries.
    pub user: Option<Uuid>,
    /// The secret that opens its sockets, in place of the one that was made for it.
    #[serde(default, deserialize_with = "secret")]
    pub secret: Option<Secret>,
    /// The only rate to try.
    pub baud: Option<Baud>,
    /// The only dialect to try.
    #[serde(default, deserialize_with = "dialect")]
    pub dialect: Option<Dialect>,
    /// What opening its port does to it.
    #[serde(default, deserialize_with = "reset")]
    pub reset: Option<ResetPolicy>,
    /// A component map, or the directory with it and its graph; a relative path starts at the file that names it.
    pub components: Option<PathBuf>,
    /// The graph that its firmware brings along, beside `components`; a relative path starts at the file that names it.
    pub graph: Option<PathBuf>,
    /// The name of a firmware build that was added.
    pub firmware: Option<String>,
    /// Whether the board gets its graph back after a start.
    pub restore: Option<bool>,
    /// Whether to leave the board alone.
    pub ignore: Option<bool>,
    /// Where all that comes from.
    #[serde(skip)]
    pub origins: Origins,
}

/// Which boards a rule is for: those that fit everything that is given, and something is.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "Criteria")]
pub struct BoardMatch(Criteria);

#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
struct Criteria {
    serial: Option<String>,
    #[serde(default, deserialize_with = "usb_id")]
    vid: Option<u16>,
    #[serde(default, deserialize_with = "usb_id")]
    pid: Option<u16>,
    path: Option<String>,
    id: Option<Uuid>,
}

impl TryFrom<Criteria> for BoardMatch {
    type Error = ValueError;

    fn try_from(criteria: Criteria) -> Result<Self, ValueError> {
        if criteria == Criteria::default() { Err(ValueError::EmptyMatch) } else { Ok(BoardMatch(criteria)) }
    }
}

impl fmt::Display for BoardMatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Criteria { serial, vid, pid, path, id } = &self.0;
        let given = [
            serial.as_ref().map(|serial| format!("serial={serial}")),
            vid.map(|vid| format!("vid={vid:04x}")),
            pid.map(|pid| format!("pid={pid:04x}")),
            path.as_ref().map(|path| format!("path={path}")),
            id.map(|id| format!("id={id}")),
        ];
        f.write_str(&given.into_iter().flatten().collect::<Vec<_>>().join(" "))
    }
}

impl BoardMatch {
    /// Whether the rule is for the board at `port`; `id` where it is known already. A rule by id fits no board before that.
    ///
    /// `path` is the physical path (`ID_PATH`), the device node, or the path that `--device` named.
    pub fn fits(&self, port: &Port, id: Option<Uuid>) -> bool {
        let Criteria { serial, vid, pid, path, id: wanted } = &self.0;
        let usb = match port {
            Port::Usb(usb) => Some(usb),
            Port::Named(_) | Port::Simulated(_) => None,
        };
        let path_fits = |path: &String| {
            port.device().is_some_and(|device| device == std::path::Path::new(path))
                || usb.is_some_and(|usb| usb.path == *path)
        };
        serial.as_ref().is_none_or(|serial| usb.is_some_and(|usb| usb.serial.as_ref() == Some(serial)))
            && vid.is_none_or(|vid| usb.is_some_and(|usb| usb.vid == vid))
            && pid.is_none_or(|pid| usb.is_some_and(|usb| usb.pid == pid))
            && path.as_ref().is_none_or(path_fits)
            && wanted.is_none_or(|wanted| id == Some(wanted))
    }
}

/// Text of 1 to so many characters on one line.
fn line<'de, D: Deserializer<'de>>(source: D, chars: usize) -> Result<Option<String>, D::Error> {
    let text = String::deserialize(source)?;
    let text = text.trim();
    let fits = (1..=chars).contains(&text.chars().count()) && !text.chars().any(char::is_control);
    if fits { Ok(Some(text.to_owned())) } else { Err(D::Error::custom(ValueError::Line(chars))) }
}

fn label<'de, D: Deserializer<'de>>(source: D) -> Result<Option<String>, D::Error> {
    line(source, LABEL_CHARS)
}

fn description<'de, D: Deserializer<'de>>(source: D) -> Result<Option<String>, D::Error> {
    line(source, DESCRIPTION_CHARS)
}

/// The error does not repeat it.
fn secret<'de, D: Deserializer<'de>>(source: D) -> Result<Option<Secret>, D::Error> {
    let secret = Secret::deserialize(source)?;
    let text = secret.expose();
    let is_plain = text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_');
    if is_plain && text.len() >= SECRET_CHARS {
        Ok(Some(secret))
    } else {
        Err(D::Error::custom(ValueError::Secret(SECRET_CHARS)))
    }
}

fn reset<'de, D: Deserializer<'de>>(source: D) -> Result<Option<ResetPolicy>, D::Error> {
    String::deserialize(source)?.parse().map(Some).map_err(D::Error::custom)
}

fn dialect<'de, D: Deserializer<'de>>(source: D) -> Result<Option<Dialect>, D::Error> {
    value::dialect(&String::deserialize(source)?).map(Some).map_err(D::Error::custom)
}

/// USB ids are written as `"2341"` (what `lsusb` shows) or as the number 0x2341.
fn usb_id<'de, D: Deserializer<'de>>(source: D) -> Result<Option<u16>, D::Error> {
    struct UsbId;
    impl Visitor<'_> for UsbId {
        type Value = u16;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a USB id: four hexadecimal digits in quotes, as \"2341\"")
        }

        fn visit_str<E: de::Error>(self, text: &str) -> Result<u16, E> {
            let digits = text.strip_prefix("0x").unwrap_or(text);
            let plain = digits.len() == 4 && digits.bytes().all(|b| b.is_ascii_hexdigit());
            let number = plain.then(|| u16::from_str_radix(digits, 16).ok()).flatten();
            number.ok_or_else(|| E::custom(ValueError::UsbId(text.to_owned())))
        }

        fn visit_i64<E: de::Error>(self, number: i64) -> Result<u16, E> {
            u16::try_from(number).map_err(|_| E::custom(ValueError::UsbId(number.to_string())))
        }
    }
    source.deserialize_any(UsbId).map(Some)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pure::port::UsbPort;

    fn rule(text: &str) -> BoardMatch {
        #[derive(Deserialize)]
        struct Doc {
            m: BoardMatch,
        }
        toml::from_str::<Doc>(&format!("m = {text}")).unwrap().m
    }

    fn uno() -> Port {
        Port::Usb(UsbPort {
            device: "/dev/ttyACM0".into(),
            vid: 0x2341,
            pid: 0x0043,
            serial: Some("75437303".into()),
            manufacturer: None,
            product: None,
            interface: 0,
            port_number: None,
            path: "pci-0000:00:14.0-usb-0:1".into(),
            plugging: "1/4".into(),
        })
    }

    #[test]
    fn a_rule_fits_when_everything_given_fits() {
        assert!(rule(r#"{ vid = "2341", pid = 0x0043 }"#).fits(&uno(), None));
        assert!(rule(r#"{ serial = "75437303" }"#).fits(&uno(), None));
        assert!(rule(r#"{ path = "/dev/ttyACM0" }"#).fits(&uno(), None));
        assert!(rule(r#"{ path = "pci-0000:00:14.0-usb-0:1" }"#).fits(&uno(), None));
        assert!(!rule(r#"{ vid = "2341", serial = "other" }"#).fits(&uno(), None));
        assert!(!rule(r#"{ vid = "2341" }"#).fits(&Port::Simulated(0), None));
    }

    #[test]
    fn a_rule_by_id_waits_for_the_id() {
        let id = Uuid::from_u128(7);
        let rule = rule(&format!("{{ id = \"{id}\" }}"));
        assert!(!rule.fits(&uno(), None));
        assert!(rule.fits(&uno(), Some(id)));
    }
}
