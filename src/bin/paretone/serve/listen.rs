//! Where to listen, as people write it: `127.0.0.1:8080`, `localhost:8080`, `:8080`, `8080`.

use std::net::{IpAddr, Ipv4Addr, SocketAddr, ToSocketAddrs};
use std::str::FromStr;

use serde::Deserialize;

/// An address and a port. A port alone is one of this machine's loopback, a port behind a colon one
/// of all its IPv4 addresses, and of a name's addresses the first of IPv4 is taken, if it has one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "Written")]
pub struct Listen(pub SocketAddr);

/// In a file a port may be a number.
#[derive(Deserialize)]
#[serde(untagged)]
enum Written {
    Port(u16),
    Text(String),
}

impl TryFrom<Written> for Listen {
    type Error = String;

    fn try_from(written: Written) -> Result<Listen, String> {
        match written {
            Written::Port(port) => Ok(Listen::loopback(port)),
            Written::Text(text) => text.parse(),
        }
    }
}

impl Listen {
    fn loopback(port: u16) -> Listen {
        Listen((IpAddr::V4(Ipv4Addr::LOCALHOST), port).into())
    }
}

impl FromStr for Listen {
    type Err = String;

    fn from_str(text: &str) -> Result<Listen, String> {
        let wrong = |why: &str| {
            format!(
                "{why}; say an address and a port, such as 127.0.0.1:8080, localhost:8080, :8080 (all addresses) or \
                 8080 (this machine alone)"
            )
        };
        if let Ok(address) = text.parse() {
            return Ok(Listen(address));
        }
        if let Ok(port) = text.parse() {
            return Ok(Listen::loopback(port));
        }
        let (host, port) = text.rsplit_once(':').ok_or_else(|| wrong("no port"))?;
        let port: u16 = port.parse().map_err(|_| wrong("a port is a number from 0 to 65535"))?;
        if host.is_empty() {
            return Ok(Listen((Ipv4Addr::UNSPECIFIED, port).into()));
        }
        let known = (host, port).to_socket_addrs();
        let known: Vec<SocketAddr> =
            known.map_err(|error| wrong(&format!("{host} has no address ({error})")))?.collect();
        let first = known.iter().find(|address| address.is_ipv4());
        let first = first.or(known.first());
        first
            .map(|address| Listen(*address))
            .ok_or_else(|| wrong(&format!("{host} has no address")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_taken_as_people_write_them() {
        for (text, address) in [
            ("127.0.0.1:8080", "127.0.0.1:8080"),
            ("[::1]:8080", "[::1]:8080"),
            ("localhost:8080", "127.0.0.1:8080"),
            (":8080", "0.0.0.0:8080"),
            ("8080", "127.0.0.1:8080"),
            ("0", "127.0.0.1:0"),
        ] {
            let listen: Listen = text.parse().unwrap();
            assert_eq!(listen.0.to_string(), address, "{text}");
        }
        for text in ["", "host", "127.0.0.1", ":", ":70000", "70000", "::1:8080:x"] {
            let error = text.parse::<Listen>().unwrap_err();
            assert!(error.contains("localhost:8080"), "{text}: {error}");
        }
    }

    #[test]
    fn a_file_may_hold_a_port_alone() {
        #[derive(Deserialize)]
        struct File {
            listen: Listen,
        }
        for text in ["listen = 8080", "listen = \"8080\"", "listen = \"localhost:8080\""] {
            let file: File = toml::from_str(text).unwrap();
            assert_eq!(file.listen, Listen::loopback(8080), "{text}");
        }
        assert!(toml::from_str::<File>("listen = 70000").is_err());
    }
}
