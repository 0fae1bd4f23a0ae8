//! Sessions in PostgreSQL, over a pool of connections on which the statements are prepared.

use deadpool_postgres::{Manager, ManagerConfig, Pool, RecyclingMethod};
use tokio_postgres::{Config, NoTls, types::ToSql};

use crate::{Found, IDLE, Operation, PATIENCE, Store, Trouble};

/// As many as this library's store opens.
const CONNECTIONS: usize = 16;

/// A pool whose connections look into this schema, in which these tables are made.
async fn connect(url: &str, schema: &str, tables: &str) -> Result<Pool, Trouble> {
    let mut config: Config = url.parse()?;
    config.options(format!("-c search_path={schema} -c statement_timeout={}", PATIENCE.as_millis()));
    let manager = Manager::from_config(config, NoTls, ManagerConfig { recycling_method: RecyclingMethod::Fast });
    let pool = Pool::builder(manager).max_size(CONNECTIONS).build()?;
    let make = format!("DROP SCHEMA IF EXISTS {schema} CASCADE; CREATE SCHEMA {schema}; {tables}");
    pool.get().await?.batch_execute(&make).await?;
    Ok(pool)
}

fn idle() -> i64 {
    i64::try_from(IDLE.as_millis()).unwrap_or(i64::MAX)
}

const READ_ONE: &str = include_str!("../../../mcp-runtime/src/store/postgres/sql/read_one.sql");
const WRITE_ONE: &str = include_str!("../../../mcp-runtime/src/store/postgres/sql/write_one.sql");
const PART: &[u8] = b"Served";

/// The statements of this library's store, and its functions, from its own files.
pub(crate) struct Same {
    pool: Pool,
}

impl Same {
    pub(crate) async fn open(url: &str) -> Result<Self, Trouble> {
        let tables = include_str!("../../../mcp-runtime/src/store/postgres/sql/1_sessions.sql");
        Ok(Self { pool: connect(url, "same", tables).await? })
    }
}

impl Store for Same {
    async fn load(&self, session: &str) -> Result<Found, Trouble> {
        let connection = self.pool.get().await?;
        let load = connection.prepare_cached(READ_ONE).await?;
        let row = connection.query_opt(&load, &[&session.as_bytes(), &PART, &idle()]).await?;
        match row {
            Some(row) => Ok((row.try_get(2)?, row.try_get::<_, Option<i64>>(3)?.unwrap_or(0))),
            None => Ok((None, 0)),
        }
    }

    async fn save(&self, session: &str, value: &[u8], revision: i64, operation: Operation) -> Result<bool, Trouble> {
        let connection = self.pool.get().await?;
        let (session, operation) = (session.as_bytes(), &operation[..]);
        if revision > 0 {
            let write = connection.prepare_cached(WRITE_ONE).await?;
            let parameters: [&(dyn ToSql + Sync); 6] = [&session, &operation, &PART, &revision, &value, &idle()];
            if connection.query_opt(&write, &parameters).await?.is_some() {
                return Ok(true);
            }
        }
        let commit = connection.prepare_cached("SELECT session_commit($1, $2, $3, $4, $5, $6, $7)").await?;
        let (keys, values, revisions) = ([PART], [value], [revision]);
        let nobody: Option<&[u8]> = None;
        let parameters: [&(dyn ToSql + Sync); 7] =
            [&session, &operation, &nobody, &idle(), &&keys[..], &&revisions[..], &&values[..]];
        let row = connection.query_one(&commit, &parameters).await?;
        Ok(["saved", "duplicate"].contains(&row.try_get::<_, &str>(0)?))
    }
}

/// A row for each session: value, revision, the names of the last writes, an end that moves once a tenth of the lifetime has
/// passed, so that most writes touch no index.
pub(crate) struct Own {
    pool: Pool,
}

const TABLES: &str = "
    CREATE TABLE sessions (
        session text PRIMARY KEY, value bytea NOT NULL, revision bigint NOT NULL, operations bytea[] NOT NULL,
        expires_at timestamptz NOT NULL
    ) WITH (fillfactor = 70);
    CREATE INDEX ON sessions (expires_at)";

const LOAD: &str = "SELECT value, revision FROM sessions WHERE session = $1 AND expires_at > now()";

/// The first write of a session, or the first after its time has passed.
const BEGIN: &str = "
    INSERT INTO sessions VALUES ($1, $2, 1, ARRAY[$3::bytea], now() + $4::bigint * interval '1 millisecond')
    ON CONFLICT (session) DO UPDATE SET value = excluded.value, revision = 1, operations = excluded.operations,
        expires_at = excluded.expires_at
    WHERE sessions.expires_at <= now()";

const SAVE: &str = "
    UPDATE sessions SET value = $2, revision = revision + 1,
        operations = (operations || $3::bytea)[greatest(cardinality(operations) - 14, 1):],
        expires_at = CASE WHEN expires_at - now() > $4::bigint * interval '0.9 millisecond' THEN expires_at
                          ELSE now() + $4::bigint * interval '1 millisecond' END
    WHERE session = $1 AND revision = $5 AND expires_at > now()";

/// Asked where nothing was written: by another one, or by this one, whose answer was lost?
const IS_SAVED: &str = "SELECT $2 = ANY (operations) FROM sessions WHERE session = $1 AND expires_at > now()";

impl Own {
    pub(crate) async fn open(url: &str) -> Result<Self, Trouble> {
        Ok(Self { pool: connect(url, "own", TABLES).await? })
    }
}

impl Store for Own {
    async fn load(&self, session: &str) -> Result<Found, Trouble> {
        let connection = self.pool.get().await?;
        let load = connection.prepare_cached(LOAD).await?;
        match connection.query_opt(&load, &[&session]).await? {
            Some(row) => Ok((Some(row.try_get(0)?), row.try_get(1)?)),
            None => Ok((None, 0)),
        }
    }

    async fn save(&self, session: &str, value: &[u8], revision: i64, operation: Operation) -> Result<bool, Trouble> {
        let connection = self.pool.get().await?;
        let operation = &operation[..];
        let written = if revision == 0 {
            let begin = connection.prepare_cached(BEGIN).await?;
            connection.execute(&begin, &[&session, &value, &operation, &idle()]).await?
        } else {
            let save = connection.prepare_cached(SAVE).await?;
            connection.execute(&save, &[&session, &value, &operation, &idle(), &revision]).await?
        };
        if written == 1 {
            return Ok(true);
        }
        let is_saved = connection.prepare_cached(IS_SAVED).await?;
        let found = connection.query_opt(&is_saved, &[&session, &operation]).await?;
        Ok(found.is_some_and(|row| row.try_get(0).unwrap_or(false)))
    }
}
