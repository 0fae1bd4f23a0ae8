//! The other store that several instances share: PostgreSQL.
//!
//! Takes: values as bytes. Gives: the same bytes, to every instance. Knows: one database, its clock, its functions. Must not
//! know: what the values are.

mod bells;
mod bus;
mod events;
mod link;
mod migrations;
mod state;
mod tasks;

use std::{fmt, sync::Arc, time::Duration};

use tokio_postgres::{
    config::{Config, Host, SslMode, TargetSessionAttrs},
    types::Type,
};

use self::{
    bells::Bells,
    link::{Link, Statement},
};
use super::{BusLimits, EventLimits, StoreError, TaskLimits};

/// How many connections a process opens at most, if the URL does not say.
const CONNECTIONS: usize = 16;

/// Keeps sessions, events of streams and tasks, and the messages between instances, in PostgreSQL, which any number of
/// instances share.
///
/// Needs PostgreSQL 14 or newer. Tables and functions are in a schema of their own, `mcp` by default; each process brings it
/// up to date before it uses it, one process at a time. Each read and each write is one statement, so that it happens as a
/// whole and takes one round trip. What expired is swept by the servers.
///
/// What a PostgreSQL that answers has acknowledged is as safe as PostgreSQL was told to be: with `fsync` and
/// `synchronous_commit` on, which they are by default, it survives a crash of the machine. The disk is the limit of the
/// store: when it is full, what is new is refused.
///
/// # Source
/// Our choice, because most who keep data that matters run a PostgreSQL.
#[derive(Clone)]
pub struct PostgresStore {
    link: Arc<Link>,
    bells: Arc<Bells>,
    event_limits: EventLimits,
    task_limits: TaskLimits,
    bus_limits: BusLimits,
}

impl PostgresStore {
    /// The PostgreSQL at this URL: `postgres://[user[:password]@]host[:port][/database][?schema=mcp&connections=16]`, and
    /// with the other parameters that PostgreSQL's URLs have. It is connected to when it is first used; then the schema is
    /// made or brought up to date.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`], to the operator, if this is no such URL.
    pub fn open(url: &str) -> Result<Self, StoreError> {
        let Settings { url, schema, connections } = Settings::of(url)?;
        // The error of the client is not shown: it might show the password.
        let mut config: Config = url.parse().map_err(|_| {
            refused(
                "this is no URL of PostgreSQL: it must be `postgres://host[:port][/database]`, before the host \
                 `user:password@` if it wants them, percent-encoded",
            )
        })?;
        if config.get_ssl_mode() == SslMode::Require {
            return Err(over_tls());
        }
        config.ssl_mode(SslMode::Disable).target_session_attrs(TargetSessionAttrs::ReadWrite);
        if config.get_hosts().is_empty() && config.get_hostaddrs().is_empty() {
            config.host("localhost");
        }
        Ok(Self {
            link: Arc::new(Link::new(config, schema, connections)?),
            bells: Arc::new(Bells::new()),
            event_limits: EventLimits::default(),
            task_limits: TaskLimits::default(),
            bus_limits: BusLimits::default(),
        })
    }

    /// Keeps this much of each stream, for so long. [`EventLimits::bytes`] is not looked at: the disk is the limit of all
    /// streams.
    #[must_use]
    pub fn with_event_limits(mut self, limits: EventLimits) -> Self {
        self.event_limits = limits;
        self
    }

    /// Takes records of tasks of this size. Of the limits [`TaskLimits::record_bytes`] alone is looked at: the disk is the
    /// limit of all tasks.
    #[must_use]
    pub fn with_task_limits(mut self, limits: TaskLimits) -> Self {
        self.task_limits = limits;
        self
    }

    /// Keeps this much of each topic of messages between instances.
    #[must_use]
    pub fn with_bus_limits(mut self, limits: BusLimits) -> Self {
        self.bus_limits = limits;
        self
    }
}

/// What a URL says.
struct Settings {
    /// Without the parameters that are ours.
    url: String,
    schema: String,
    connections: usize,
}

impl Settings {
    fn of(url: &str) -> Result<Self, StoreError> {
        let (front, query) = url.split_once('?').unwrap_or((url, ""));
        let (mut schema, mut connections) = ("mcp", CONNECTIONS);
        let mut theirs = Vec::new();
        for parameter in query.split('&').filter(|parameter| !parameter.is_empty()) {
            match parameter.split_once('=') {
                Some(("schema", name)) => schema = name,
                Some(("connections", number)) => {
                    connections =
                        number.parse().ok().filter(|number| (1..=1000).contains(number)).ok_or_else(|| {
                            refused(format!("`{parameter}` is no number of connections: it is from 1 to 1000"))
                        })?;
                }
                Some(("sslmode", mode)) if !["disable", "allow", "prefer"].contains(&mode) => return Err(over_tls()),
                Some(("sslmode", _)) => {}
                _ => theirs.push(parameter),
            }
        }
        let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
        if !schema.starts_with(|first: char| first.is_ascii_lowercase())
            || schema.len() > 63
            || !schema.bytes().all(plain)
            || schema.starts_with("pg_")
        {
            return Err(refused(format!(
                "`{schema}` is no schema for a store: it has 1 to 63 small letters, digits and `_`, a letter first and not \
                 `pg_`, such as `mcp`"
            )));
        }
        let url = if theirs.is_empty() { front.to_owned() } else { format!("{front}?{}", theirs.join("&")) };
        Ok(Self { url, schema: schema.to_owned(), connections })
    }
}

fn over_tls() -> StoreError {
    refused(
        "PostgreSQL over TLS is not spoken by this program: use `sslmode=disable` inside a private network or through a \
         tunnel",
    )
}

/// Where a PostgreSQL is, without its password.
fn place_of(config: &Config) -> String {
    let ports = config.get_ports();
    let port = |at: usize| ports.get(at).or(ports.first()).copied().unwrap_or(5432);
    let named = config.get_hosts().iter().map(|host| match host {
        Host::Tcp(name) => name.clone(),
        #[cfg(unix)]
        Host::Unix(path) => path.display().to_string(),
    });
    let numbered = config.get_hostaddrs().iter().map(ToString::to_string);
    // A host that has both is named.
    let hosts: Vec<_> = if config.get_hosts().is_empty() { numbered.collect() } else { named.collect() };
    let all: Vec<_> = hosts.iter().enumerate().map(|(at, host)| format!("{host}:{}", port(at))).collect();
    let database = config.get_dbname().or(config.get_user()).unwrap_or_default();
    format!("{}/{database}", all.join(","))
}

impl fmt::Debug for PostgresStore {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("PostgresStore").field("at", &self.link.place()).finish_non_exhaustive()
    }
}

/// An error of ours: what is wrong, in words.
fn refused(why: impl Into<String>) -> StoreError {
    StoreError::Unavailable(why.into().into())
}

/// Milliseconds, as the functions take them; a duration beyond any clock is thirty years.
fn milliseconds(duration: Duration) -> i64 {
    const FAR: i64 = 30 * 365 * 24 * 60 * 60 * 1000;
    i64::try_from(duration.as_millis()).map_or(FAR, |milliseconds| milliseconds.min(FAR))
}

/// A count that the database has as a signed number.
fn unsigned(number: i64) -> Result<u64, StoreError> {
    u64::try_from(number).map_err(|_| misunderstood())
}

/// Such a number for the database; one that it can't have is none that it has.
fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(-1)
}

/// A limit for the database.
fn at_most(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX)
}

/// Runs a statement that drops at most so many rows and gives their number, until it finds fewer; gives all that it dropped.
async fn until_few(link: &Link, statement: &str, batch: i64) -> Result<usize, StoreError> {
    let mut all = 0;
    loop {
        let dropped = link.row(Statement::Repeatable, statement, &[(&batch, Type::INT8)]).await?;
        let dropped: i64 = dropped.try_get(0).map_err(|_| misunderstood())?;
        all += usize::try_from(dropped).unwrap_or_default();
        if dropped < batch {
            return Ok(all);
        }
    }
}

/// Only a schema whose tables somebody else writes comes here.
#[cold]
fn misunderstood() -> StoreError {
    refused("what PostgreSQL has in the tables of this store is not what was written there")
}
