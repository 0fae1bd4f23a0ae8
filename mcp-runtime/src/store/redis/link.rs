//! The connection to Redis.
//!
//! Takes: scripts, keys and arguments. Gives: what the scripts answer, within two seconds. Knows: reconnecting, limits of
//! time, what Redis must be. Must not know: what the scripts do.

use std::{fmt, time::Duration};

use redis::{
    Client, Cmd, ConnectionAddr, ConnectionInfo, ErrorKind, FromRedisValue, ProtocolVersion, RedisError,
    ServerErrorKind,
    aio::{ConnectionLike, ConnectionManager, ConnectionManagerConfig},
};
use tokio::{
    sync::OnceCell,
    time::{sleep, timeout},
};

use super::refused;
use crate::store::StoreError;

/// A Redis that has not answered by then counts as down: a little less than stores are waited for, so that the reason
/// reaches the log.
const PATIENCE: Duration = Duration::from_millis(1900);
/// How long connecting may take.
const CONNECTING: Duration = Duration::from_millis(1500);
/// How often a command that was certainly not sent is tried again, and how long apart.
const ATTEMPTS: usize = 3;
const PAUSE: Duration = Duration::from_millis(20);
/// Words that nobody takes for so long mean that the connection is dead.
#[cfg(target_os = "linux")]
const UNHEARD: Duration = Duration::from_secs(5);
/// What nearly every command fits into: the name of a script, two keys, an operation, a small value.
const ARGUMENTS: usize = 16;
const ARGUMENT_BYTES: usize = 512;
/// How many commands wait to be written.
const QUEUE: usize = 256;

/// A script of Redis and its name there.
pub(super) struct Script {
    code: &'static str,
    hash: String,
}

impl Script {
    pub(super) fn new(code: &'static str) -> Self {
        Self { code, hash: redis::Script::new(code).get_hash().to_owned() }
    }
}

/// One Redis.
pub(super) struct Link {
    client: Client,
    prefix: String,
    place: String,
    commands: OnceCell<ConnectionManager>,
}

/// What went wrong with which Redis; the source says why.
#[derive(Debug)]
struct Failed {
    what: String,
    source: RedisError,
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
    pub(super) fn new(info: ConnectionInfo, prefix: String) -> Result<Self, StoreError> {
        let database = info.redis_settings().db();
        let place = match info.addr() {
            ConnectionAddr::Tcp(host, port) => format!("{host}:{port}/{database}"),
            other => format!("{other}/{database}"),
        };
        let settings = info.tcp_settings().clone().set_nodelay(true);
        #[cfg(target_os = "linux")]
        let settings = settings.set_user_timeout(UNHEARD);
        let client = Client::open(info.set_tcp_settings(settings))
            .map_err(|_| refused(format!("Redis at {place} can't be used with this URL")))?;
        Ok(Self { client, prefix, place, commands: OnceCell::new() })
    }

    /// Where this Redis is, without its password.
    pub(super) fn place(&self) -> &str {
        &self.place
    }

    /// Its database there.
    pub(super) fn database(&self) -> i64 {
        self.client.get_connection_info().redis_settings().db()
    }

    /// What every key begins with.
    pub(super) fn prefix(&self) -> &str {
        &self.prefix
    }

    /// Runs a script on these keys, with the arguments that `arguments` adds.
    pub(super) async fn call<T: FromRedisValue>(
        &self,
        script: &Script,
        keys: &[String],
        arguments: impl Fn(&mut Cmd),
    ) -> Result<T, StoreError> {
        let command = |verb: &str, script: &str| {
            let mut command = Cmd::with_capacity(ARGUMENTS, ARGUMENT_BYTES);
            command.arg(verb).arg(script).arg(keys.len()).arg(keys);
            arguments(&mut command);
            command
        };
        let by_name = command("EVALSHA", &script.hash);
        self.within(async {
            match self.send(&by_name).await {
                // A Redis that was restarted has forgotten its scripts.
                Err(error) if error.kind() == ErrorKind::Server(ServerErrorKind::NoScript) => {
                    self.send(&command("EVAL", script.code)).await
                }
                answered => answered,
            }
        })
        .await
    }

    /// Sends one command that changes nothing.
    pub(super) async fn command<T: FromRedisValue>(&self, command: &Cmd) -> Result<T, StoreError> {
        self.within(self.send(command)).await
    }

    /// A connection of its own, which speaks this protocol; it connects when it is first used.
    pub(super) fn second(
        &self,
        protocol: ProtocolVersion,
        configure: impl FnOnce(ConnectionManagerConfig) -> ConnectionManagerConfig,
    ) -> Result<ConnectionManager, RedisError> {
        let info = self.client.get_connection_info().clone();
        let settings = info.redis_settings().clone().set_protocol(protocol);
        ConnectionManager::new_lazy_with_config(Client::open(info.set_redis_settings(settings))?, configure(config()))
    }

    /// Sends several commands at once; each does what it does by itself.
    pub(super) async fn pipeline<T: FromRedisValue>(&self, pipeline: &redis::Pipeline) -> Result<T, StoreError> {
        self.within(async {
            let mut connection = self.commands().await?;
            pipeline.query_async(&mut connection).await
        })
        .await
    }

    async fn send<T: FromRedisValue>(&self, command: &Cmd) -> Result<T, RedisError> {
        let mut connection = self.commands().await?;
        let mut attempt = 1;
        loop {
            match connection.req_packed_command(command).await.and_then(|value| value.extract_error()) {
                Ok(value) => return Ok(redis::from_redis_value(value)?),
                // Nothing listens there, or did not when it was tried last: the command was not sent.
                Err(error) if error.is_connection_refusal() && attempt < ATTEMPTS => {
                    attempt += 1;
                    sleep(PAUSE).await;
                }
                Err(error) => return Err(error),
            }
        }
    }

    async fn within<T>(&self, work: impl Future<Output = Result<T, RedisError>>) -> Result<T, StoreError> {
        match timeout(PATIENCE, work).await {
            Ok(answer) => answer.map_err(|error| self.failed(error)),
            Err(_) => Err(refused(format!("Redis at {} did not answer in time", self.place))),
        }
    }

    async fn commands(&self) -> Result<ConnectionManager, RedisError> {
        let connect = || async {
            let mut connection = ConnectionManager::new_lazy_with_config(self.client.clone(), config())?;
            self.look_at(&mut connection).await?;
            Ok(connection)
        };
        self.commands.get_or_try_init(connect).await.cloned()
    }

    /// Whether this Redis can be used at all.
    async fn look_at(&self, connection: &mut ConnectionManager) -> Result<(), RedisError> {
        let facts: String = redis::cmd("INFO").query_async(connection).await?;
        let fact = |name: &str| {
            facts.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':')).unwrap_or_default().trim()
        };
        let unfit = |why: String| Err(RedisError::from((ErrorKind::InvalidClientConfig, "it can't be used", why)));
        let version = fact("redis_version");
        if version.split('.').next().and_then(|major| major.parse().ok()).is_none_or(|major: u32| major < 7) {
            return unfit(format!("it is version {version}, and 7.0 or newer is needed"));
        }
        if fact("redis_mode") == "cluster" {
            return unfit("it is a node of a cluster, of which this program would see one part alone".into());
        }
        let policy = fact("maxmemory_policy");
        if policy != "noeviction" {
            if fact("maxmemory") != "0" {
                return unfit(format!(
                    "its maxmemory-policy is {policy}: it would drop sessions when its memory is full, and their clients \
                     would go on with empty ones. Set it to noeviction"
                ));
            }
            tracing::warn!(
                "Redis at {} has the maxmemory-policy {policy}: should it get a limit of memory, it would drop sessions. \
                 Set it to noeviction",
                self.place
            );
        }
        Ok(())
    }

    fn failed(&self, error: RedisError) -> StoreError {
        let place = &self.place;
        let what = match error.kind() {
            _ if error.code() == Some("OOM") => return StoreError::Full,
            ErrorKind::Server(ServerErrorKind::ReadOnly) => {
                format!("Redis at {place} is a read-only replica: the URL must be that of the primary")
            }
            ErrorKind::AuthenticationFailed => format!("Redis at {place} does not know this user or password"),
            ErrorKind::Io => format!("Redis at {place} can't be reached"),
            _ => format!("Redis at {place} refused"),
        };
        StoreError::Unavailable(Box::new(Failed { what, source: error }))
    }
}

fn config() -> ConnectionManagerConfig {
    ConnectionManagerConfig::new()
        .set_connection_timeout(Some(CONNECTING))
        // Whoever asks waits no longer than `PATIENCE`, connecting included.
        .set_response_timeout(None)
        // Each command that finds it closed begins to connect anew, so that nobody waits for a pause that grew.
        .set_number_of_retries(1)
        .set_min_delay(Duration::from_millis(10))
        .set_max_delay(Duration::from_millis(100))
        .set_pipeline_buffer_size(QUEUE)
}
