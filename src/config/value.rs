//! Single values: how they are written, and what is wrong with one that cannot be used.

use std::fmt;
use std::marker::PhantomData;
use std::str::FromStr;

use firmware_proto::Dialect;
use serde::Deserialize;
use serde::de::{self, Deserializer, Visitor};

/// A value that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ValueError {
    /// Not an address to listen on.
    #[error("`{0}` is no address to listen on; write ADDRESS:PORT, as 127.0.0.1:3569, [::1]:3569 or localhost:3569")]
    Listen(String),
    /// Not a dialect.
    #[error("`{0}` is no dialect; there are `uC/Flo01` (8-byte frames) and `microflo1` (10-byte frames)")]
    Dialect(String),
    /// Not a number of bits per second.
    #[error("`{0}` is no baud rate; write bits per second, as 9600 or 115200")]
    Baud(String),
    /// A rate that starts the bootloader of many boards.
    #[error("a port must never be opened at {0} baud: many boards take that as the order to start their bootloader")]
    BootloaderBaud(u32),
    /// Not a URL.
    #[error("`{text}` is no URL: {reason}; write it as https://host/path")]
    Url {
        /// What was given.
        text: String,
        /// The parser's words.
        reason: String,
    },
    /// Neither http nor https.
    #[error("`{0}` must begin with http:// or https://")]
    Scheme(String),
    /// A user name or password in a URL, which would end up in logs and lists.
    #[error("a URL must not hold a user name or password")]
    Credentials,
    /// A registry that would send secrets over the network in the clear.
    #[error(
        "`{0}` would send the boards' secrets unencrypted over the network; use https:// (http:// is for loopback)"
    )]
    PlainRegistry(String),
    /// Not a USB vendor or product id.
    #[error("`{0}` is no USB id; write four hexadecimal digits in quotes, as \"2341\"")]
    UsbId(String),
    /// Not a reset policy.
    #[error("`{0}` is no reset policy; there are `auto`, `on-open` and `none`")]
    Reset(String),
    /// A label or description that does not fit on a line.
    #[error("it has 1 to {0} characters on one line")]
    Line(usize),
    /// A secret that is easily guessed or cannot be part of a URL.
    #[error("a secret has at least {0} letters, digits, `-` or `_`, so that nobody guesses it")]
    Secret(usize),
    /// A board rule that matches nothing.
    #[error("a board's match needs at least one of serial, vid, pid, path, id")]
    EmptyMatch,
}

/// Reads a value that is written as text. The parser is called within the value, so that an error has the value's place.
pub(super) fn from_text<'de, D, T>(source: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: FromStr<Err = ValueError>,
{
    struct Text<T>(PhantomData<T>);
    impl<T: FromStr<Err = ValueError>> Visitor<'_> for Text<T> {
        type Value = T;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a string")
        }

        fn visit_str<E: de::Error>(self, text: &str) -> Result<T, E> {
            text.parse().map_err(E::custom)
        }
    }
    source.deserialize_str(Text(PhantomData))
}

/// Bits per second of a serial port.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Baud(u32);

/// Rates that boards take as the order to start their bootloader.
const BOOTLOADER_BAUDS: [u32; 2] = [134, 1200];

impl Baud {
    /// Bits per second.
    pub const fn get(self) -> u32 {
        self.0
    }
}

impl TryFrom<u32> for Baud {
    type Error = ValueError;

    fn try_from(rate: u32) -> Result<Self, ValueError> {
        match rate {
            0 => Err(ValueError::Baud(rate.to_string())),
            rate if BOOTLOADER_BAUDS.contains(&rate) => Err(ValueError::BootloaderBaud(rate)),
            rate => Ok(Baud(rate)),
        }
    }
}

impl FromStr for Baud {
    type Err = ValueError;

    fn from_str(text: &str) -> Result<Self, ValueError> {
        text.parse::<u32>().map_err(|_| ValueError::Baud(text.to_owned()))?.try_into()
    }
}

impl<'de> Deserialize<'de> for Baud {
    fn deserialize<D: Deserializer<'de>>(source: D) -> Result<Self, D::Error> {
        struct Rate;
        impl Visitor<'_> for Rate {
            type Value = Baud;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a baud rate, as 9600 or 115200")
            }

            fn visit_i64<E: de::Error>(self, rate: i64) -> Result<Baud, E> {
                let rate = u32::try_from(rate).map_err(|_| E::custom(ValueError::Baud(rate.to_string())))?;
                rate.try_into().map_err(E::custom)
            }
        }
        source.deserialize_any(Rate)
    }
}

/// Reads a dialect by its name.
pub fn dialect(text: &str) -> Result<Dialect, ValueError> {
    Dialect::from_name(text).ok_or_else(|| ValueError::Dialect(text.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bootloader_rates_are_refused() {
        assert_eq!("9600".parse::<Baud>().map(Baud::get), Ok(9600));
        assert_eq!("1200".parse::<Baud>(), Err(ValueError::BootloaderBaud(1200)));
        assert_eq!("fast".parse::<Baud>(), Err(ValueError::Baud("fast".into())));
        assert_eq!("0".parse::<Baud>(), Err(ValueError::Baud("0".into())));
    }
}
