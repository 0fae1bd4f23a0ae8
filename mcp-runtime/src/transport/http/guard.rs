//! The guard at the door: which hosts and which origins may ask.
//!
//! Takes: `Host` and `Origin`. Gives: whether they may pass. Knows: where the server listens and what the operator allows.
//! Must not know: requests.
//!
//! A web page anywhere can make a browser send requests to a server on the same machine, under a name of its own that
//! resolves to 127.0.0.1. Such a request names the page's host in `Host` and its origin in `Origin`; both are refused.

use std::{
    fmt,
    net::{IpAddr, Ipv6Addr},
};

/// An allowed host or origin that can't be read; for the operator.
#[derive(Debug)]
pub(crate) struct GuardError(String);

impl fmt::Display for GuardError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl std::error::Error for GuardError {}

/// Who may ask.
#[derive(Clone, Debug)]
pub(super) struct Guard {
    bound: IpAddr,
    hosts: Vec<(Box<str>, Option<u16>)>,
    origins: Vec<Origin>,
    any_origin: bool,
}

/// What a page of an origin may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    /// Nothing.
    Stranger,
    /// Ask, because it is of the same machine as the server, but no browser is told that it may read the answer.
    Neighbour,
    /// Ask and read, because the operator allows its origin.
    Listed,
    /// Ask and read, because the operator allows every origin. Credentials in the browser's sense (cookies) go with none.
    Everybody,
}

/// A web origin, in lower case and with its port.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Origin {
    scheme: Box<str>,
    host: Box<str>,
    port: u16,
}

impl Guard {
    /// A server bound to this address, with the hosts (`name` or `name:port`) and origins (`https://name`, or `*`) that
    /// the operator allows.
    pub(super) fn new(bound: IpAddr, hosts: &[String], origins: &[String]) -> Result<Self, GuardError> {
        let any_origin = origins.iter().any(|origin| origin == "*");
        let hosts = hosts
            .iter()
            .map(|host| match split_port(host.trim()) {
                Some((name, port)) => Ok((name.to_ascii_lowercase().into(), port)),
                None => Err(GuardError(format!(
                    "`{host}` is no host: an allowed host is a name or a name with a port, such as `mcp.example` or \
                     `mcp.example:8443`"
                ))),
            })
            .collect::<Result<_, _>>()?;
        let origins = origins
            .iter()
            .filter(|origin| *origin != "*")
            .map(|origin| {
                Origin::read(origin.trim()).ok_or_else(|| {
                    GuardError(format!(
                        "`{origin}` is no origin: an allowed origin is a scheme and a host, without a path, such as \
                         `https://app.example`"
                    ))
                })
            })
            .collect::<Result<_, _>>()?;
        Ok(Self { bound, hosts, origins, any_origin })
    }

    /// Whether a request to this host may pass.
    ///
    /// The names of the machine itself always may: only what runs on it is reached by them. So may the address that the
    /// server is bound to, and if that is every address (`0.0.0.0`), every address, because a page's own name is needed to
    /// mislead a browser. Everything else is for the operator to allow.
    pub(super) fn admits_host(&self, host: &str) -> bool {
        let Some((name, port)) = split_port(host) else { return false };
        if is_loopback_name(name) {
            return true;
        }
        if let Some(address) = address(name)
            && (address == self.bound || self.bound.is_unspecified())
        {
            return true;
        }
        self.hosts.iter().any(|(allowed, allowed_port)| {
            allowed.eq_ignore_ascii_case(name) && (allowed_port.is_none() || *allowed_port == port)
        })
    }

    /// What a page of this origin may do: pages that the operator allows may ask and read; pages of this machine may ask
    /// when the server listens for this machine alone.
    ///
    /// The opaque origin `null` is nobody's, even where every origin is allowed: any page gets it by putting itself into a
    /// sandboxed frame, so to allow it would say nothing about who asks.
    pub(super) fn standing(&self, origin: &str) -> Standing {
        let Some(origin) = Origin::read(origin) else { return Standing::Stranger };
        if self.origins.contains(&origin) {
            return Standing::Listed;
        }
        if self.any_origin {
            return Standing::Everybody;
        }
        let near = self.bound.is_loopback()
            && matches!(&*origin.scheme, "http" | "https")
            && (is_loopback_name(&origin.host) || address(&origin.host) == Some(self.bound));
        if near { Standing::Neighbour } else { Standing::Stranger }
    }
}

impl Origin {
    fn read(text: &str) -> Option<Self> {
        let (scheme, rest) = text.split_once("://")?;
        let known = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.');
        if scheme.is_empty() || !scheme.bytes().all(known) {
            return None;
        }
        let scheme = scheme.to_ascii_lowercase();
        let (host, port) = split_port(rest)?;
        let port = port.or(match &*scheme {
            "http" => Some(80),
            "https" => Some(443),
            _ => Some(0),
        })?;
        Some(Self { scheme: scheme.into(), host: host.to_ascii_lowercase().into(), port })
    }
}

/// The names by which a machine reaches itself.
fn is_loopback_name(name: &str) -> bool {
    name.eq_ignore_ascii_case("localhost") || name == "127.0.0.1" || name == "[::1]"
}

fn address(name: &str) -> Option<IpAddr> {
    match name.strip_prefix('[') {
        Some(rest) => rest.strip_suffix(']')?.parse::<Ipv6Addr>().ok().map(IpAddr::V6),
        None => name.parse().ok(),
    }
}

/// Splits `name:port`, where a name may be an IPv6 address in brackets. `None` for anything that is not exactly that.
fn split_port(host: &str) -> Option<(&str, Option<u16>)> {
    let named = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_');
    let end = if host.starts_with('[') {
        host.find(']')? + 1
    } else {
        host.bytes().position(|byte| !named(byte)).unwrap_or(host.len())
    };
    let (name, rest) = host.split_at(end);
    if name.is_empty() || name.starts_with('[') && address(name).is_none() {
        return None;
    }
    match rest.strip_prefix(':') {
        None if rest.is_empty() => Some((name, None)),
        // Digits alone: what reads numbers takes a sign too.
        Some(port) if port.starts_with(|first: char| first.is_ascii_digit()) => Some((name, Some(port.parse().ok()?))),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn guard(bound: &str, hosts: &[&str], origins: &[&str]) -> Guard {
        let own = |list: &[&str]| list.iter().map(ToString::to_string).collect::<Vec<_>>();
        Guard::new(bound.parse().unwrap(), &own(hosts), &own(origins)).unwrap()
    }

    #[test]
    fn a_server_on_loopback_answers_to_loopback_names_alone() {
        let guard = guard("127.0.0.1", &[], &[]);
        for good in
            ["localhost", "LOCALHOST:1", "localhost:8000", "127.0.0.1", "127.0.0.1:65535", "[::1]", "[::1]:8000"]
        {
            assert!(guard.admits_host(good), "{good}");
        }
        for bad in [
            "attacker.com",
            "attacker.com:8000",
            "localhost.",
            "localhost.attacker.com",
            "localhost:",
            "localhost:x",
            "localhost:99999",
            "user@localhost",
            "localhost@attacker.com",
            "127.0.0.1.nip.io",
            "10.0.0.1",
            "[::1",
            "[::1]x",
            "[localhost]",
            "",
            ":8000",
            "localhost/",
            "localhost, attacker.com",
        ] {
            assert!(!guard.admits_host(bad), "{bad}");
        }
    }

    #[test]
    fn an_allowed_host_counts_with_its_port_if_it_has_one() {
        let guard = guard("127.0.0.1", &["mcp.example", "other.example:8443"], &[]);
        assert!(guard.admits_host("MCP.example") && guard.admits_host("mcp.example:1"));
        assert!(guard.admits_host("other.example:8443"));
        assert!(!guard.admits_host("other.example") && !guard.admits_host("other.example:8444"));
    }

    #[test]
    fn a_server_on_an_address_answers_to_it_and_one_on_all_addresses_to_addresses() {
        let one = guard("192.0.2.7", &[], &[]);
        assert!(one.admits_host("192.0.2.7:8000") && !one.admits_host("192.0.2.8") && !one.admits_host("a.example"));
        let all = guard("0.0.0.0", &[], &[]);
        assert!(all.admits_host("192.0.2.7") && all.admits_host("[2001:db8::1]:80") && !all.admits_host("a.example"));
    }

    #[test]
    fn origins_are_compared_by_scheme_host_and_port() {
        let guard = guard("127.0.0.1", &[], &["https://app.example"]);
        for good in ["https://app.example", "HTTPS://APP.example", "https://app.example:443"] {
            assert_eq!(guard.standing(good), Standing::Listed, "{good}");
        }
        for near in ["http://localhost:6274", "http://127.0.0.1", "https://[::1]:1"] {
            assert_eq!(guard.standing(near), Standing::Neighbour, "{near}");
        }
        for bad in [
            "https://evil.example",
            "http://app.example",
            "https://app.example:8443",
            "https://app.example.",
            "https://app.example/",
            "https://app.example.evil.com",
            "http://localhost.evil.com",
            "http://evil.com#localhost",
            "http://localhost:80@evil",
            "http://evil.com\\@localhost",
            "null",
            "",
            "localhost",
            "file://localhost",
            "http://",
        ] {
            assert_eq!(guard.standing(bad), Standing::Stranger, "{bad}");
        }
    }

    #[test]
    fn pages_of_this_machine_may_not_ask_a_server_that_listens_for_others() {
        let guard = guard("0.0.0.0", &[], &[]);
        assert_eq!(guard.standing("http://localhost:3000"), Standing::Stranger);
    }

    #[test]
    fn any_origin_may_be_allowed_but_never_the_opaque_one() {
        let guard = guard("127.0.0.1", &[], &["*", "https://app.example"]);
        assert_eq!(guard.standing("https://any.example"), Standing::Everybody);
        assert_eq!(guard.standing("https://app.example"), Standing::Listed);
        assert_eq!(guard.standing("null"), Standing::Stranger);
    }

    #[test]
    fn what_the_operator_allows_must_be_readable() {
        let bound = "127.0.0.1".parse().unwrap();
        assert!(Guard::new(bound, &["https://mcp.example".into()], &[]).is_err());
        let error = Guard::new(bound, &[], &["app.example".into()]).unwrap_err().to_string();
        assert!(error.contains("`app.example` is no origin") && error.contains("https://app.example"), "{error}");
    }
}
