//! `[[board]]`: settings for some boards only.

use std::fmt;
use std::path::PathBuf;

use firmware_proto::Dialect;
use serde::de::{self, Deserializer, Visitor};
use serde::{Deserialize, de::Error as _};
use uuid::Uuid;

use super::value::{self, Baud, ValueError};
use crate::pure::port::Port;

/// Settings for the boards that match.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BoardRule {
    /// Which boards.
    #[serde(rename = "match")]
    pub matches: BoardMatch,
    /// The label, until somebody gives another.
    pub label: Option<String>,
    /// The only rate to try.
    pub baud: Option<Baud>,
    /// The only dialect to try.
    #[serde(default, deserialize_with = "dialect")]
    pub dialect: Option<Dialect>,
    /// A component map, or the directory with it and its graph; a relative path starts at the file that names it.
    pub components: Option<PathBuf>,
    /// The name of a firmware build that was added.
    pub firmware: Option<String>,
    /// Whether the board gets its graph back after a start.
    pub restore: Option<bool>,
    /// Whether to leave the board alone.
    #[serde(default)]
    pub ignore: bool,
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
