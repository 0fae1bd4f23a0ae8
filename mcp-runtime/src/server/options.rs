//! Flags and environment.
//!
//! Takes: arguments and variables. Gives: the operator's wishes. Knows: names and shapes. Must not know: what becomes of
//! them.

use std::{fmt, time::Duration};

/// What the operator wants; `None` and empty lists leave it to the program.
#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(feature = "cli", derive(clap::Parser))]
#[cfg_attr(
    feature = "cli",
    command(
        about = "An MCP server",
        after_help = "Each flag has a variable (MCP_PORT for --port); a flag wins over it."
    )
)]
pub(super) struct Options {
    /// How clients reach the server: on its stdin and stdout, or over HTTP [default: stdio] [env: MCP_TRANSPORT]
    #[cfg_attr(feature = "cli", arg(long, value_name = "stdio|streamable-http", value_parser = transport))]
    pub(super) transport: Option<Transport>,
    /// Address to listen on [env: MCP_HOST]
    #[cfg_attr(feature = "cli", arg(long))]
    pub(super) host: Option<String>,
    /// Port to listen on; 0 takes a free one [env: MCP_PORT]
    #[cfg_attr(feature = "cli", arg(long))]
    pub(super) port: Option<u16>,
    /// Path of the endpoint [env: MCP_PATH]
    #[cfg_attr(feature = "cli", arg(long))]
    pub(super) path: Option<String>,
    /// Where sessions, streams and tasks are kept [env: MCP_STORE]
    #[cfg_attr(feature = "cli", arg(long, value_name = "memory:|file:PATH|redis://HOST|postgres://HOST", value_parser = store))]
    pub(super) store: Option<Store>,
    /// Seconds that a session may be idle [env: MCP_SESSION_TTL]
    #[cfg_attr(feature = "cli", arg(long, value_name = "SECONDS", value_parser = seconds))]
    pub(super) session_ttl: Option<Duration>,
    /// Answer requests to this host too; may be repeated [env: MCP_ALLOW_HOST, comma-separated]
    #[cfg_attr(feature = "cli", arg(long, value_name = "HOST[:PORT]"))]
    pub(super) allow_host: Vec<String>,
    /// Let pages of this web origin call the server and read its answers (CORS); may be repeated [env: MCP_ALLOW_ORIGIN, comma-separated]
    #[cfg_attr(feature = "cli", arg(long, value_name = "ORIGIN"))]
    pub(super) allow_origin: Vec<String>,
    /// Listen on other addresses than loopback without authorization [env: MCP_ALLOW_UNAUTHENTICATED_PUBLIC]
    #[cfg_attr(feature = "cli", arg(long))]
    pub(super) allow_unauthenticated_public: bool,
    /// Tell of this instance's health at http://HOST:PORT/health [env: MCP_HEALTH]
    #[cfg_attr(feature = "cli", arg(long, value_name = "HOST:PORT"))]
    pub(super) health: Option<String>,
    /// Log as JSON [env: MCP_JSON_LOGS]
    #[cfg_attr(feature = "cli", arg(long))]
    pub(super) json_logs: bool,
}

/// How clients reach the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Transport {
    Stdio,
    Http,
}

/// Where session state is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Store {
    Memory,
    File(String),
    /// The URL of one that several instances share.
    Redis(String),
    /// The URL of the other one.
    Postgres(String),
}

/// A variable that can't be read; for the operator.
#[derive(Debug)]
pub(super) struct OptionError {
    variable: &'static str,
    value: String,
    what: String,
}

impl fmt::Display for OptionError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "the variable {} is `{}`: {}", self.variable, self.value, self.what)
    }
}

impl std::error::Error for OptionError {}

impl Options {
    /// What flags and environment say, the flags first. Wrong flags, `--help` and `--version` end the process, as they do
    /// everywhere.
    pub(super) fn read(version: &'static str) -> Result<Self, OptionError> {
        let environment = Self::from_variables(|name| std::env::var(name).ok())?;
        #[cfg(feature = "cli")]
        let environment = Self::from_flags(version).unwrap_or_else(|error| error.exit()).or(environment);
        #[cfg(not(feature = "cli"))]
        let _ = version;
        Ok(environment)
    }

    #[cfg(feature = "cli")]
    fn from_flags(version: &'static str) -> Result<Self, clap::Error> {
        use clap::{CommandFactory, FromArgMatches};
        let matches = Self::command().version(version).try_get_matches()?;
        Self::from_arg_matches(&matches)
    }

    fn from_variables(variable: impl Fn(&'static str) -> Option<String>) -> Result<Self, OptionError> {
        fn parse<T>(
            variable: &impl Fn(&'static str) -> Option<String>,
            name: &'static str,
            parse: impl Fn(&str) -> Result<T, String>,
        ) -> Result<Option<T>, OptionError> {
            let Some(value) = variable(name).filter(|value| !value.is_empty()) else { return Ok(None) };
            parse(&value).map(Some).map_err(|what| OptionError { variable: name, value, what })
        }
        let text = |value: &str| Ok(value.to_owned());
        let list = |value: &str| {
            let items = value.split(',').map(str::trim).filter(|item| !item.is_empty());
            Ok(items.map(str::to_owned).collect::<Vec<_>>())
        };
        let port = |value: &str| value.parse().map_err(|_| "a port is a number from 0 to 65535".to_owned());
        Ok(Self {
            transport: parse(&variable, "MCP_TRANSPORT", transport)?,
            host: parse(&variable, "MCP_HOST", text)?,
            port: parse(&variable, "MCP_PORT", port)?,
            path: parse(&variable, "MCP_PATH", text)?,
            store: parse(&variable, "MCP_STORE", store)?,
            session_ttl: parse(&variable, "MCP_SESSION_TTL", seconds)?,
            allow_host: parse(&variable, "MCP_ALLOW_HOST", list)?.unwrap_or_default(),
            allow_origin: parse(&variable, "MCP_ALLOW_ORIGIN", list)?.unwrap_or_default(),
            allow_unauthenticated_public: parse(&variable, "MCP_ALLOW_UNAUTHENTICATED_PUBLIC", switch)?
                .unwrap_or_default(),
            health: parse(&variable, "MCP_HEALTH", text)?,
            json_logs: parse(&variable, "MCP_JSON_LOGS", switch)?.unwrap_or_default(),
        })
    }

    /// These wishes, and where they say nothing, those.
    #[cfg(feature = "cli")]
    fn or(self, other: Self) -> Self {
        let either = |first: Vec<String>, second| if first.is_empty() { second } else { first };
        Self {
            transport: self.transport.or(other.transport),
            host: self.host.or(other.host),
            port: self.port.or(other.port),
            path: self.path.or(other.path),
            store: self.store.or(other.store),
            session_ttl: self.session_ttl.or(other.session_ttl),
            allow_host: either(self.allow_host, other.allow_host),
            allow_origin: either(self.allow_origin, other.allow_origin),
            allow_unauthenticated_public: self.allow_unauthenticated_public || other.allow_unauthenticated_public,
            health: self.health.or(other.health),
            json_logs: self.json_logs || other.json_logs,
        }
    }
}

fn transport(value: &str) -> Result<Transport, String> {
    match value {
        "stdio" => Ok(Transport::Stdio),
        "streamable-http" | "http" => Ok(Transport::Http),
        _ => Err("a transport is `stdio` or `streamable-http`".into()),
    }
}

fn store(value: &str) -> Result<Store, String> {
    match value.split_once(':') {
        Some(("memory", "")) => Ok(Store::Memory),
        Some(("file", path)) if !path.is_empty() => Ok(Store::File(path.to_owned())),
        Some(("redis" | "rediss" | "valkey" | "valkeys", rest)) if rest.starts_with("//") => {
            Ok(Store::Redis(value.to_owned()))
        }
        Some(("postgres" | "postgresql", rest)) if rest.starts_with("//") => Ok(Store::Postgres(value.to_owned())),
        _ => Err("a store is `memory:`, `file:PATH`, `redis://HOST[:PORT][/DATABASE]` or \
                  `postgres://HOST[:PORT][/DATABASE]`"
            .into()),
    }
}

fn seconds(value: &str) -> Result<Duration, String> {
    match value.parse() {
        Ok(seconds) if seconds > 0 => Ok(Duration::from_secs(seconds)),
        _ => Err("a lifetime is a number of seconds, 1 or more".into()),
    }
}

fn switch(value: &str) -> Result<bool, String> {
    match value {
        "1" | "true" | "yes" | "on" => Ok(true),
        "0" | "false" | "no" | "off" => Ok(false),
        _ => Err("a switch is `true` or `false`".into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn from(variables: &[(&str, &str)]) -> Result<Options, OptionError> {
        Options::from_variables(|name| {
            variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
        })
    }

    #[test]
    fn nothing_said_is_nothing_wanted() {
        assert_eq!(from(&[("MCP_PORT", "")]).unwrap(), Options::default());
    }

    #[test]
    fn variables_are_read() {
        let options = from(&[
            ("MCP_TRANSPORT", "streamable-http"),
            ("MCP_PORT", "0"),
            ("MCP_STORE", "file:notes.redb"),
            ("MCP_SESSION_TTL", "60"),
            ("MCP_ALLOW_HOST", "a.example, b.example:1,"),
            ("MCP_ALLOW_UNAUTHENTICATED_PUBLIC", "true"),
            ("MCP_HEALTH", "127.0.0.1:9000"),
        ])
        .unwrap();
        assert_eq!(options.transport, Some(Transport::Http));
        assert_eq!(options.port, Some(0));
        assert_eq!(options.store, Some(Store::File("notes.redb".into())));
        assert_eq!(options.session_ttl, Some(Duration::from_secs(60)));
        assert_eq!(options.allow_host, ["a.example", "b.example:1"]);
        assert_eq!(options.health.as_deref(), Some("127.0.0.1:9000"));
        assert!(options.allow_unauthenticated_public && !options.json_logs);
    }

    #[test]
    fn a_variable_that_cant_be_read_is_named_with_what_it_should_be() {
        for (name, value, part) in [
            ("MCP_TRANSPORT", "sse", "`stdio` or `streamable-http`"),
            ("MCP_PORT", "65536", "0 to 65535"),
            ("MCP_STORE", "redis:x", "`redis://HOST[:PORT][/DATABASE]` or `postgres://HOST[:PORT][/DATABASE]`"),
            ("MCP_SESSION_TTL", "0", "1 or more"),
            ("MCP_JSON_LOGS", "maybe", "`true` or `false`"),
        ] {
            let error = from(&[(name, value)]).unwrap_err().to_string();
            assert!(error.contains(name) && error.contains(value) && error.contains(part), "{error}");
        }
    }

    #[cfg(feature = "cli")]
    #[test]
    fn a_flag_wins_over_a_variable() {
        use clap::Parser;
        let flags = Options::try_parse_from([
            "server",
            "--port",
            "9",
            "--transport=http",
            "--allow-host",
            "a",
            "--allow-host",
            "b",
        ])
        .unwrap();
        let variables = from(&[("MCP_PORT", "8"), ("MCP_HOST", "::1"), ("MCP_ALLOW_HOST", "c")]).unwrap();
        let options = flags.or(variables);
        assert_eq!(options.port, Some(9));
        assert_eq!(options.host.as_deref(), Some("::1"));
        assert_eq!(options.transport, Some(Transport::Http));
        assert_eq!(options.allow_host, ["a", "b"]);
    }

    #[cfg(feature = "cli")]
    #[test]
    fn flags_are_checked_like_variables() {
        use clap::Parser;
        let error = Options::try_parse_from(["server", "--store", "nowhere"]).unwrap_err().to_string();
        assert!(error.contains("`memory:`, `file:PATH`, `redis://"), "{error}");
    }
}
