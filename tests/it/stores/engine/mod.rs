//! Engines that tests start, kill, freeze and restart, and the network on the way to them.
//!
//! Each engine is a process of its own on a free port with a folder of its own, and goes with its handle.

mod network;
mod postgres;
mod redis;

use std::{
    fs,
    net::{Ipv4Addr, TcpListener},
    process::{Child, Command, Stdio},
    thread,
    time::Duration,
};

use mcp_runtime::store::{Bus, BusLimits, EventLimits, EventLog, StateStore, TaskStore};

pub(super) use self::{network::Network, postgres::PostgresServer, redis::RedisServer};

/// Makes two tests of each law, a function of an engine: one over Redis and one over PostgreSQL.
macro_rules! over_each_engine {
    (async $($law:ident),+ $(,)?) => {
        mod over_redis {
            $(
                #[tokio::test(flavor = "multi_thread")]
                async fn $law() {
                    super::$law::<crate::stores::engine::RedisServer>().await;
                }
            )+
        }
        mod over_postgresql {
            $(
                #[tokio::test(flavor = "multi_thread")]
                async fn $law() {
                    super::$law::<crate::stores::engine::PostgresServer>().await;
                }
            )+
        }
    };
    ($($law:ident),+ $(,)?) => {
        mod over_redis {
            $(
                #[test]
                fn $law() {
                    super::$law::<crate::stores::engine::RedisServer>();
                }
            )+
        }
        mod over_postgresql {
            $(
                #[test]
                fn $law() {
                    super::$law::<crate::stores::engine::PostgresServer>();
                }
            )+
        }
    };
}

pub(super) use over_each_engine;

/// What every engine can do and suffer.
pub(super) trait Engine: Sized {
    /// What it is called.
    const NAME: &'static str;
    /// The store that keeps everything in it.
    type Store: StateStore + EventLog + TaskStore + Bus + Clone;

    /// A new one without data; `None` where the program is missing.
    fn start(durability: Durability) -> Option<Self>;
    /// The port on which it listens.
    fn port(&self) -> u16;
    /// What `--store` takes where it is reached at this port.
    fn url_at(&self, port: u16) -> String;
    /// The same for somebody who may not ring: the changes of one instance are not told to the others, who have to look. It
    /// is another place of the engine.
    fn silent_url(&self) -> String;
    /// The same with so few connections that those who ask have to share them.
    fn narrow_url_at(&self, port: u16) -> String;
    /// A store in it.
    fn open(url: &str) -> Self::Store;
    /// The same store with these limits.
    fn limit(store: Self::Store, events: EventLimits, bus: BusLimits) -> Self::Store;
    /// Its process.
    fn process(&mut self) -> &mut Process;
    /// Starts it again where it was, with what it has on its disk, and waits until it answers.
    fn restart(&mut self);
    /// Leaves it no room for anything new, or gives it room again.
    fn be_full(&self, full: bool);
    /// Lets it take no writes, or take them again.
    fn be_read_only(&self, read_only: bool);
    /// Another one that follows it and has all that it was told.
    fn standby(&self) -> Self;
    /// Waits until the one that follows it has all that this one was told.
    fn wait_for(&self, standby: &Self);
    /// Lets one that follows another take its place.
    fn promote(&self);

    /// What `--store` takes.
    fn url(&self) -> String {
        self.url_at(self.port())
    }

    /// A store in it.
    fn store(&self) -> Self::Store {
        Self::open(&self.url())
    }

    /// A place in it whose doorbell is as wanted.
    fn place(&self, doorbell: Doorbell) -> String {
        match doorbell {
            Doorbell::Rings => self.url(),
            Doorbell::Silent => self.silent_url(),
        }
    }
}

/// Whether an instance hears of what another one does, or has to look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Doorbell {
    Rings,
    Silent,
}

impl Doorbell {
    /// First with it, then without: slower, and right all the same.
    pub(super) const BOTH: [Self; 2] = [Self::Rings, Self::Silent];

    /// By then, what one instance did must be known at another that waits for it.
    pub(super) fn patience(self) -> Duration {
        match self {
            Self::Rings => Duration::from_millis(700),
            // Each instance looks every second at the bus, every five at a stream or a task.
            Self::Silent => Duration::from_secs(6),
        }
    }
}

/// What an engine does before it acknowledges a write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Durability {
    /// It keeps it in memory.
    None,
    /// It puts it on the disk.
    Disk,
}

/// A process that is killed when it is dropped.
pub(super) struct Process(Option<Child>);

impl Process {
    pub(super) fn start(command: &mut Command) -> Self {
        let child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
        Self(Some(child.unwrap_or_else(|error| panic!("{command:?} does not start: {error}"))))
    }

    /// Ends it and the processes that it started as a crash of the machine would: they are asked nothing.
    pub(super) fn kill(&mut self) {
        if let Some(mut child) = self.0.take() {
            // A process that stands still starts no others.
            send("STOP", &[child.id()]);
            let children = children_of(child.id());
            child.kill().expect("an engine can be killed");
            child.wait().expect("an engine ends");
            send("KILL", &children);
            while children.iter().any(|child| parent_of(*child).is_some()) {
                thread::sleep(Duration::from_millis(1));
            }
        }
    }

    /// Whether it has not ended by itself.
    pub(super) fn runs(&mut self) -> bool {
        self.0.as_mut().is_some_and(|child| child.try_wait().is_ok_and(|ended| ended.is_none()))
    }

    /// Lets it hang, and the processes that it started: their connections stay open, nothing is answered.
    pub(super) fn freeze(&self) {
        send("STOP", &[self.id()]);
        send("STOP", &children_of(self.id()));
    }

    /// Lets it go on.
    pub(super) fn thaw(&self) {
        send("CONT", &children_of(self.id()));
        send("CONT", &[self.id()]);
    }

    fn id(&self) -> u32 {
        self.0.as_ref().expect("the engine runs").id()
    }
}

/// Sends a signal to these processes; one that has ended by itself gets none.
fn send(signal: &str, processes: &[u32]) {
    for process in processes {
        let sent = Command::new("kill").args([&format!("-{signal}"), &process.to_string()]).status();
        let sent = sent.expect("a signal can be sent").success();
        assert!(sent || parent_of(*process).is_none(), "SIG{signal} was not sent");
    }
}

/// The processes that this one started and that run.
fn children_of(process: u32) -> Vec<u32> {
    let all = fs::read_dir("/proc").into_iter().flatten().flatten();
    let numbers = all.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    numbers.filter(|other| parent_of(*other) == Some(process)).collect()
}

/// Who started this process; `None` if it has ended.
fn parent_of(process: u32) -> Option<u32> {
    // `id (name) state parent …`; the name may hold anything.
    let facts = fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    let (_, facts) = facts.rsplit_once(')')?;
    let mut facts = facts.split_whitespace();
    let state = facts.next()?;
    facts.next()?.parse().ok().filter(|_| state != "Z")
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}

/// A port that nothing listens on.
fn free_port() -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("there is a free port");
    listener.local_addr().expect("it has an address").port()
}
