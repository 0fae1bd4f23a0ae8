//! Sessions in Redis, over one connection that all requests share.

use redis::{
    Client, IntoConnectionInfo, Script, Value,
    aio::{ConnectionManager, ConnectionManagerConfig},
};

use crate::{Found, IDLE, Operation, PATIENCE, Store, Trouble};

async fn connect(url: &str) -> Result<ConnectionManager, Trouble> {
    let info = url.into_connection_info()?;
    // As clients of Redis do nearly everywhere, and this library: a command does not wait for the one before it.
    let settings = info.tcp_settings().clone().set_nodelay(true);
    let config = ConnectionManagerConfig::new().set_response_timeout(Some(PATIENCE));
    Ok(ConnectionManager::new_with_config(Client::open(info.set_tcp_settings(settings))?, config).await?)
}

fn idle() -> u64 {
    u64::try_from(IDLE.as_millis()).unwrap_or(u64::MAX)
}

/// The commands of this library's store, from its own files.
pub(crate) struct Same {
    connection: ConnectionManager,
    load: Script,
    commit: Script,
}

impl Same {
    pub(crate) async fn open(url: &str) -> Result<Self, Trouble> {
        Ok(Self {
            connection: connect(url).await?,
            load: Script::new(include_str!("../../../mcp-runtime/src/store/redis/lua/load.lua")),
            commit: Script::new(include_str!("../../../mcp-runtime/src/store/redis/lua/commit.lua")),
        })
    }
}

impl Store for Same {
    async fn load(&self, session: &str) -> Result<Found, Trouble> {
        let mut run = self.load.key(format!("same:{{{session}}}:state"));
        run.key(format!("same:{{{session}}}:gone")).arg(idle()).arg("Served");
        let found: Vec<Value> = run.invoke_async(&mut self.connection.clone()).await?;
        match <[Value; 4]>::try_from(found) {
            Ok([_, _, Value::BulkString(value), revision]) => Ok((Some(value), redis::from_redis_value(revision)?)),
            _ => Ok((None, 0)),
        }
    }

    async fn save(&self, session: &str, value: &[u8], revision: i64, operation: Operation) -> Result<bool, Trouble> {
        let mut run = self.commit.key(format!("same:{{{session}}}:state"));
        run.key(format!("same:{{{session}}}:gone")).arg(&operation).arg("").arg(idle());
        run.arg("Served").arg(revision).arg(value);
        let ended: String = run.invoke_async(&mut self.connection.clone()).await?;
        Ok(ended == "saved" || ended == "duplicate")
    }
}

/// A hash for each session: value, revision, the names of the last writes.
pub(crate) struct Own {
    connection: ConnectionManager,
    save: Script,
}

/// Writes if the revision is still what was read.
const SAVE: &str = "
    local found = redis.call('HMGET', KEYS[1], 'revision', 'operations')
    local operations = found[2] or ''
    for at = 1, #operations, 16 do
        if string.sub(operations, at, at + 15) == ARGV[3] then return 1 end
    end
    if (found[1] or '0') ~= ARGV[2] then return 0 end
    redis.call('HSET', KEYS[1], 'value', ARGV[1], 'revision', ARGV[2] + 1, 'operations', string.sub(operations .. ARGV[3], -256))
    redis.call('PEXPIRE', KEYS[1], ARGV[4])
    return 1";

impl Own {
    pub(crate) async fn open(url: &str) -> Result<Self, Trouble> {
        Ok(Self { connection: connect(url).await?, save: Script::new(SAVE) })
    }
}

impl Store for Own {
    async fn load(&self, session: &str) -> Result<Found, Trouble> {
        let mut read = redis::cmd("HMGET");
        read.arg(format!("own:{session}")).arg(&["value", "revision"]);
        let (value, revision): (Option<Vec<u8>>, Option<i64>) = read.query_async(&mut self.connection.clone()).await?;
        Ok((value, revision.unwrap_or(0)))
    }

    async fn save(&self, session: &str, value: &[u8], revision: i64, operation: Operation) -> Result<bool, Trouble> {
        let mut run = self.save.key(format!("own:{session}"));
        run.arg(value).arg(revision).arg(&operation).arg(idle());
        Ok(run.invoke_async(&mut self.connection.clone()).await?)
    }
}
