//! `host:port`, as it is given on the command line and answered by the gate.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Where a server listens for clients.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Address {
    /// A name or an IP address.
    pub host: String,
    /// The TCP port.
    pub port: u16,
}

/// Why a text is no address.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AddressError {
    /// There is no `:` with something before it.
    #[error("`{0}` is not HOST:PORT, such as 127.0.0.1:3014")]
    Shape(String),
    /// What follows the last `:` is no port.
    #[error("`{0}` is not a port: it must be a number from 1 to 65535")]
    Port(String),
}

impl FromStr for Address {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        let (host, port) = text
            .rsplit_once(':')
            .filter(|(host, _)| !host.is_empty())
            .ok_or_else(|| AddressError::Shape(text.to_owned()))?;
        let port = port
            .parse()
            .ok()
            .filter(|port| *port != 0)
            .ok_or_else(|| AddressError::Port(port.to_owned()))?;
        // An IPv6 address is written in brackets here and without them everywhere else.
        let host = host
            .strip_prefix('[')
            .and_then(|host| host.strip_suffix(']'))
            .unwrap_or(host)
            .to_owned();
        Ok(Self { host, port })
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.host.contains(':') {
            write!(f, "[{}]:{}", self.host, self.port)
        } else {
            write!(f, "{}:{}", self.host, self.port)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_both_kinds_of_ip_address_read_back() -> Result<(), AddressError> {
        for text in ["localhost:3014", "10.0.0.7:1", "[::1]:65535"] {
            assert_eq!(text.parse::<Address>()?.to_string(), text);
        }
        assert_eq!("[::1]:9".parse::<Address>()?.host, "::1");
        Ok(())
    }

    #[test]
    fn what_is_no_address_is_told_apart() {
        for text in ["", "localhost", ":3014"] {
            assert_eq!(
                text.parse::<Address>(),
                Err(AddressError::Shape(text.to_owned()))
            );
        }
        for (text, port) in [("a:", ""), ("a:0", "0"), ("a:65536", "65536"), ("a:x", "x")] {
            assert_eq!(
                text.parse::<Address>(),
                Err(AddressError::Port(port.to_owned()))
            );
        }
    }
}
