//! The connections to PostgreSQL.
//!
//! Takes: statements and their parameters. Gives: rows, within two seconds. Knows: a pool, limits of time, what may be asked
//! again. Must not know: what the statements do.

use std::{
    fmt,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use deadpool_postgres::{Manager, ManagerConfig, Object, Pool, PoolError, RecyclingMethod};
use tokio::{
    runtime::Handle,
    sync::OnceCell,
    time::{Instant, timeout},
};
use tokio_postgres::{
    Config, NoTls, Row,
    error::SqlState,
    types::{ToSql, Type},
};

use super::{migrations, place_of, refused};
use crate::store::StoreError;

/// A PostgreSQL that has not answered by then counts as down: a little less than stores are waited for, so that the reason
/// reaches the log.
const PATIENCE: Duration = Duration::from_millis(1900);
/// How long connecting may take.
const CONNECTING: Duration = Duration::from_millis(1500);
/// Words that nobody takes for so long mean that the connection is dead.
const UNHEARD: Duration = Duration::from_secs(5);
/// How often a statement is tried that was certainly not done, or may be done again.
const ATTEMPTS: usize = 3;

/// A parameter of a statement and its type, which saves asking for it.
pub(super) type Parameter<'a> = (&'a (dyn ToSql + Sync), Type);

/// What a broken connection means for a statement.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Statement {
    /// It may be sent again: it changes nothing, or does so once whatever happens.
    Repeatable,
    /// Whether it was done is unknown.
    Once,
}

/// One PostgreSQL.
pub(super) struct Link {
    config: Config,
    schema: String,
    place: String,
    pool: Pool,
    connections: usize,
    ready: OnceCell<()>,
    /// When something was answered last.
    heard: Mutex<Option<Instant>>,
}

/// Why there is no answer.
#[derive(Debug)]
pub(super) enum Trouble {
    /// The client's or the server's reason.
    Postgres(tokio_postgres::Error),
    /// This server or schema can't be used at all.
    Unfit(String),
}

impl From<tokio_postgres::Error> for Trouble {
    fn from(error: tokio_postgres::Error) -> Self {
        Self::Postgres(error)
    }
}

/// What went wrong with which PostgreSQL; the source says why.
#[derive(Debug)]
struct Failed {
    what: String,
    source: tokio_postgres::Error,
}

impl fmt::Display for Failed {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.what)
    }
}

impl std::error::Error for Failed {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.source)
    }
}

impl Link {
    pub(super) fn new(mut config: Config, schema: String, connections: usize) -> Result<Self, StoreError> {
        let place = place_of(&config);
        // What the functions build on, whatever the server's defaults are; and a statement that nobody waits for any more
        // does not go on. All that is asked has an index, also while the tables are small, and a plan is kept while they
        // grow; nothing takes so long that compiling it would pay.
        let ours = format!(
            "-c search_path={schema} -c default_transaction_isolation=read\\ committed -c statement_timeout={} \
             -c enable_seqscan=off -c jit=off",
            PATIENCE.as_millis() + 100
        );
        let options = config.get_options().map_or(ours.clone(), |theirs| format!("{theirs} {ours}"));
        config.options(options).connect_timeout(CONNECTING).tcp_user_timeout(UNHEARD).keepalives_idle(UNHEARD);
        if config.get_application_name().is_none() {
            config.application_name("mcp-runtime");
        }
        let manager =
            Manager::from_config(config.clone(), NoTls, ManagerConfig { recycling_method: RecyclingMethod::Fast });
        let pool = Pool::builder(manager).max_size(connections).build().map_err(|error| refused(error.to_string()))?;
        Ok(Self { config, schema, place, pool, connections, ready: OnceCell::new(), heard: Mutex::default() })
    }

    /// Where this PostgreSQL is, without its password.
    pub(super) fn place(&self) -> &str {
        &self.place
    }

    /// How it is connected to.
    pub(super) fn config(&self) -> &Config {
        &self.config
    }

    /// The channel on which instances ring.
    pub(super) fn channel(&self) -> String {
        self.schema.clone()
    }

    /// Runs one statement.
    pub(super) async fn rows(
        &self,
        kind: Statement,
        statement: &str,
        parameters: &[Parameter<'_>],
    ) -> Result<Vec<Row>, StoreError> {
        let asked = async {
            self.ready.get_or_try_init(|| self.prepare()).await?;
            let mut attempt = 1;
            loop {
                let mut lent = self.lend().await?;
                match lent.ask(statement, parameters).await {
                    Err(error) if attempt < ATTEMPTS && may_be_tried_again(&error, kind) => attempt += 1,
                    answered => return Ok(answered?),
                }
            }
        };
        match timeout(PATIENCE, asked).await {
            Ok(answer) => {
                if answer.is_ok() {
                    *self.heard() = Some(Instant::now());
                }
                answer.map_err(|trouble| self.failed(trouble))
            }
            Err(_) => {
                // Where nothing is heard on any connection, those that are not in use may be dead as well, and to find that
                // out one by one would take as long each. A server that is busy keeps them.
                if self.heard().is_none_or(|heard| heard.elapsed() >= PATIENCE) {
                    self.pool.retain(|_, _| false);
                }
                Err(refused(format!("PostgreSQL at {} did not answer in time", self.place)))
            }
        }
    }

    fn heard(&self) -> std::sync::MutexGuard<'_, Option<Instant>> {
        self.heard.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Runs a statement that gives one row.
    pub(super) async fn row(
        &self,
        kind: Statement,
        statement: &str,
        parameters: &[Parameter<'_>],
    ) -> Result<Row, StoreError> {
        self.rows(kind, statement, parameters).await?.pop().ok_or_else(super::misunderstood)
    }

    /// Whether this PostgreSQL can be used, and its schema.
    async fn prepare(&self) -> Result<(), Trouble> {
        let mut lent = self.lend().await?;
        let Some(connection) = &mut lent.connection else { return Ok(()) };
        lent.is_asked = true;
        let done = migrations::run(connection, &self.schema).await;
        lent.is_asked = false;
        done
    }

    async fn lend(&self) -> Result<Lent, Trouble> {
        match self.pool.get().await {
            Ok(connection) => Ok(Lent { connection: Some(connection), is_asked: false }),
            Err(PoolError::Backend(error)) => Err(Trouble::Postgres(error)),
            Err(other) => Err(Trouble::Unfit(other.to_string())),
        }
    }

    fn failed(&self, trouble: Trouble) -> StoreError {
        let place = &self.place;
        let source = match trouble {
            Trouble::Postgres(error) => error,
            Trouble::Unfit(why) => return refused(format!("PostgreSQL at {place} can't be used: {why}")),
        };
        let what = match source.code() {
            Some(&SqlState::DISK_FULL) => return StoreError::Full,
            Some(&SqlState::READ_ONLY_SQL_TRANSACTION) => read_only(place),
            Some(&(SqlState::INVALID_PASSWORD | SqlState::INVALID_AUTHORIZATION_SPECIFICATION)) => {
                format!("PostgreSQL at {place} does not let in this user with this password")
            }
            Some(&SqlState::INVALID_CATALOG_NAME) => format!("PostgreSQL at {place} has no such database"),
            Some(&SqlState::CANNOT_CONNECT_NOW) => format!("PostgreSQL at {place} is starting or stopping"),
            Some(&SqlState::TOO_MANY_CONNECTIONS) => format!(
                "PostgreSQL at {place} has no connection left: raise its max_connections, or set `?connections=` in the URL \
                 to fewer than {}",
                self.connections
            ),
            Some(&SqlState::INSUFFICIENT_PRIVILEGE) => format!(
                "PostgreSQL at {place} does not allow this user what the store needs: all in the schema `{schema}`, and to \
                 make it if it is not there (`GRANT CREATE ON DATABASE`)",
                schema = self.schema
            ),
            Some(_) => format!("PostgreSQL at {place} refused"),
            None => match io_kind(&source) {
                // What the client says of one that takes no writes.
                Some(std::io::ErrorKind::PermissionDenied) => read_only(place),
                Some(_) => format!("PostgreSQL at {place} can't be reached"),
                None if source.is_closed() => format!("PostgreSQL at {place} can't be reached"),
                None => format!("PostgreSQL at {place} can't be used with this URL"),
            },
        };
        StoreError::Unavailable(Box::new(Failed { what, source }))
    }
}

fn read_only(place: &str) -> String {
    format!("PostgreSQL at {place} is a read-only standby: the URL must be that of the primary")
}

fn io_kind(error: &tokio_postgres::Error) -> Option<std::io::ErrorKind> {
    let cause = std::error::Error::source(error)?;
    cause.downcast_ref::<std::io::Error>().map(std::io::Error::kind)
}

fn may_be_tried_again(error: &tokio_postgres::Error, kind: Statement) -> bool {
    match error.code() {
        // It lost to another one and was rolled back.
        Some(&(SqlState::T_R_SERIALIZATION_FAILURE | SqlState::T_R_DEADLOCK_DETECTED)) => true,
        // The server ended the connection.
        Some(&(SqlState::ADMIN_SHUTDOWN | SqlState::CRASH_SHUTDOWN)) => kind == Statement::Repeatable,
        Some(_) => false,
        None => kind == Statement::Repeatable && (error.is_closed() || io_kind(error).is_some()),
    }
}

/// A connection out of the pool. It goes back when what was asked is answered, also if nobody waits for the answer any more;
/// if no answer comes, it is closed. So nobody is given a connection on which an answer is still to come.
struct Lent {
    connection: Option<Object>,
    /// Whether an answer is awaited.
    is_asked: bool,
}

impl Lent {
    async fn ask(&mut self, statement: &str, parameters: &[Parameter<'_>]) -> Result<Vec<Row>, tokio_postgres::Error> {
        self.is_asked = true;
        let rows = match &self.connection {
            Some(connection) => prepared(connection, statement, parameters).await,
            None => Ok(Vec::new()),
        };
        self.is_asked = false;
        rows
    }
}

/// Runs a statement that this connection plans once: the first time it takes a round trip more.
async fn prepared(
    connection: &Object,
    statement: &str,
    parameters: &[Parameter<'_>],
) -> Result<Vec<Row>, tokio_postgres::Error> {
    let (mut values, mut types) = (Vec::with_capacity(parameters.len()), Vec::with_capacity(parameters.len()));
    for (value, type_of) in parameters {
        values.push(*value);
        types.push(type_of.clone());
    }
    let statement = connection.prepare_typed_cached(statement, &types).await?;
    connection.query(&statement, &values).await
}

impl Drop for Lent {
    fn drop(&mut self) {
        let Some(connection) = self.connection.take().filter(|_| self.is_asked) else { return };
        match Handle::try_current() {
            Ok(runtime) => {
                // What is asked next is answered next. The server itself ends what takes too long.
                runtime.spawn(async move {
                    if !matches!(timeout(PATIENCE, connection.simple_query("")).await, Ok(Ok(_))) {
                        drop(Object::take(connection));
                    }
                });
            }
            Err(_) => drop(Object::take(connection)),
        }
    }
}
