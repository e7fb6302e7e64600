//! Names that an operator allows: of pages' origins, of this service itself, and of hosts that are
//! told answers.

use std::net::IpAddr;
use std::str::FromStr;

use axum::http::HeaderValue;
use serde::{Deserialize, Deserializer};

/// An origin whose pages may call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AllowedOrigin {
    /// Any.
    Any,
    /// This one, such as `https://example.org`.
    Only(HeaderValue),
}

/// A text that is no origin.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "an origin is *, or a scheme, a host and where it is not the scheme's own a port, such as \
     https://example.org or http://localhost:3000; got {0:?}"
)]
pub struct NoOrigin(String);

impl FromStr for AllowedOrigin {
    type Err = NoOrigin;

    fn from_str(text: &str) -> Result<Self, NoOrigin> {
        if text == "*" {
            return Ok(AllowedOrigin::Any);
        }
        let wrong = || NoOrigin(text.to_owned());
        let lower = text.to_ascii_lowercase();
        let (scheme, authority) = lower.split_once("://").ok_or_else(wrong)?;
        let uri: axum::http::uri::Authority = authority.parse().map_err(|_| wrong())?;
        let is_scheme = scheme.starts_with(|c: char| c.is_ascii_lowercase())
            && scheme.chars().all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c));
        // A colon after the host is a port's, and one without a port is a mistake.
        let after_host = &authority[authority.rfind(']').unwrap_or(0)..];
        let has_port = match uri.port() {
            None => !after_host.contains(':'),
            Some(port) => port.as_str().parse::<u16>().is_ok(),
        };
        let is_name = |c: char| c.is_ascii_alphanumeric() || "-._".contains(c);
        let host = uri.host();
        let is_host = !host.is_empty() && (host.starts_with('[') || host.chars().all(is_name));
        let is_plain = is_scheme && has_port && is_host && !authority.contains('@');
        let default = matches!((scheme, uri.port_u16()), ("http", Some(80)) | ("https", Some(443)));
        // Browsers leave a scheme's own port out, so such an origin would never be met.
        let value = HeaderValue::from_str(&lower).ok();
        let value = value.filter(|_| is_plain && !default);
        value.map(AllowedOrigin::Only).ok_or_else(wrong)
    }
}

impl<'de> Deserialize<'de> for AllowedOrigin {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = String::deserialize(from)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// What the header `Host` may name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Hosts {
    /// Anything: others know this service by names that it does not.
    #[default]
    Any,
    /// Names of this machine to itself, and these.
    LoopbackAnd(Vec<String>),
}

impl Hosts {
    /// Whether a `Host` with or without a port may be named.
    pub fn may_be(&self, authority: &str) -> bool {
        let Hosts::LoopbackAnd(names) = self else {
            return true;
        };
        let Ok(authority) = authority.parse::<axum::http::uri::Authority>() else {
            return false;
        };
        let host = authority.host().trim_end_matches('.');
        let address = host.trim_start_matches('[').trim_end_matches(']').parse();
        host.eq_ignore_ascii_case("localhost")
            || address.is_ok_and(|address: IpAddr| address.to_canonical().is_loopback())
            || names.iter().any(|name| name.eq_ignore_ascii_case(host))
    }
}

/// A host that may be told answers, with or without a port; without, any port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AllowedHost {
    host: String,
    port: Option<u16>,
}

impl FromStr for AllowedHost {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong =
            || format!("{text:?} is no host: name one such as backend.example or 10.0.0.7:8080");
        let uri: axum::http::Uri = format!("http://{text}/").parse().map_err(|_| wrong())?;
        let authority = uri.authority().filter(|authority| authority.as_str() == text);
        let authority = authority.ok_or_else(wrong)?;
        if authority.host().is_empty() || authority.as_str().contains('@') {
            return Err(wrong());
        }
        Ok(AllowedHost { host: authority.host().to_ascii_lowercase(), port: authority.port_u16() })
    }
}

impl AllowedHost {
    /// Whether this host and port are allowed; the host in lower case.
    pub fn is(&self, host: &str, port: u16) -> bool {
        self.host == host && self.port.is_none_or(|allowed| allowed == port)
    }
}

impl<'de> Deserialize<'de> for AllowedHost {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = String::deserialize(from)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn origins_are_read_as_browsers_write_them() {
        assert_eq!("*".parse(), Ok(AllowedOrigin::Any));
        for text in [
            "https://example.org",
            "http://localhost:3000",
            "http://[::1]:8080",
            "http://127.0.0.1",
            "chrome-extension://abc",
        ] {
            let only = AllowedOrigin::Only(text.parse().unwrap());
            assert_eq!(text.parse(), Ok(only.clone()), "{text}");
            assert_eq!(text.to_uppercase().parse(), Ok(only), "{text}");
        }
        for text in [
            "",
            "example.org",
            "https://",
            "https://example.org/",
            "https://example.org/page",
            "https://example.org:",
            "https://example.org:port",
            "https://example.org:99999",
            "https://example.org:443",
            "https://user@example.org",
            "https://exa mple.org",
            "https://*",
            "://example.org",
            "null",
            "*, https://example.org",
            "https://example.org?x",
        ] {
            assert!(text.parse::<AllowedOrigin>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_loopback_service_knows_its_names() {
        let hosts = Hosts::LoopbackAnd(vec!["speech.example".into()]);
        for name in [
            "localhost",
            "LocalHost:8080",
            "localhost.",
            "127.0.0.1:8080",
            "127.9.9.9",
            "[::1]:8080",
            "speech.example",
            "Speech.Example:80",
        ] {
            assert!(hosts.may_be(name), "{name}");
        }
        for name in [
            "",
            "evil.example:8080",
            "localhost.evil.example",
            "127.0.0.1.evil.example",
            "10.0.0.1",
            "user@localhost@evil.example",
            "::1",
            "0.0.0.0:8080",
        ] {
            assert!(!hosts.may_be(name), "{name}");
        }
        assert!(Hosts::Any.may_be("evil.example"));
    }
}
