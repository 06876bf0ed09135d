//! Where to listen.

use std::fmt;
use std::net::SocketAddr;
use std::str::FromStr;

use serde::{Deserialize, Deserializer};

use super::value::{self, ValueError};

/// The port that is listened on unless told otherwise.
pub const DEFAULT_PORT: u16 = 3569;

/// An address to listen on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ListenAddress {
    /// Both loopback addresses: 127.0.0.1, and ::1 where the host has it. Port 0 lets the system choose one for both.
    Localhost(u16),
    /// Exactly this one.
    Exact(SocketAddr),
}

impl ListenAddress {
    /// Loopback only, the default port.
    pub const DEFAULT: ListenAddress = ListenAddress::Localhost(DEFAULT_PORT);

    /// Whether other hosts can reach it.
    pub fn is_public(self) -> bool {
        match self {
            ListenAddress::Localhost(_) => false,
            ListenAddress::Exact(address) => !address.ip().to_canonical().is_loopback(),
        }
    }
}

impl FromStr for ListenAddress {
    type Err = ValueError;

    fn from_str(text: &str) -> Result<Self, ValueError> {
        let wrong = || ValueError::Listen(text.to_owned());
        match text.strip_prefix("localhost:") {
            Some(port) => port.parse().map(ListenAddress::Localhost).map_err(|_| wrong()),
            None => text.parse().map(ListenAddress::Exact).map_err(|_| wrong()),
        }
    }
}

impl<'de> Deserialize<'de> for ListenAddress {
    fn deserialize<D: Deserializer<'de>>(source: D) -> Result<Self, D::Error> {
        value::from_text(source)
    }
}

impl fmt::Display for ListenAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ListenAddress::Localhost(port) => write!(f, "localhost:{port}"),
            ListenAddress::Exact(address) => write!(f, "{address}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read_and_shown_alike() {
        for text in ["127.0.0.1:3569", "[::1]:0", "0.0.0.0:80", "localhost:3569"] {
            assert_eq!(text.parse::<ListenAddress>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn an_address_without_a_port_or_with_a_name_is_refused() {
        for text in ["127.0.0.1", "3569", ":3569", "lab:3569", "localhost", "localhost:99999", ""] {
            assert_eq!(text.parse::<ListenAddress>(), Err(ValueError::Listen(text.to_owned())));
        }
    }

    #[test]
    fn only_addresses_beyond_loopback_are_public() {
        assert!(!ListenAddress::DEFAULT.is_public());
        assert!(!"[::1]:1".parse::<ListenAddress>().unwrap().is_public());
        assert!("0.0.0.0:1".parse::<ListenAddress>().unwrap().is_public());
        assert!("192.0.2.1:1".parse::<ListenAddress>().unwrap().is_public());
    }
}
