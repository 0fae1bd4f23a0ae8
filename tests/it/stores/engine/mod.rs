//! Engines that tests start, kill, freeze and restart.
//!
//! Each engine is a process of its own on a free port with a folder of its own, and goes with its handle.

mod redis;

use std::{
    net::{Ipv4Addr, TcpListener},
    process::{Child, Command, Stdio},
};

pub(super) use self::redis::RedisServer;

/// What every engine can suffer.
pub(super) trait Engine: Sized {
    /// A new one without data; `None` where the program is missing.
    fn start(durability: Durability) -> Option<Self>;
    /// What `--store` takes.
    fn url(&self) -> String;
    /// Its process.
    fn process(&mut self) -> &mut Process;
    /// Starts it again where it was, with what it has on its disk, and waits until it answers.
    fn restart(&mut self);
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

    /// Ends it as a crash of the machine would: it is asked nothing.
    pub(super) fn kill(&mut self) {
        if let Some(mut child) = self.0.take() {
            child.kill().expect("an engine can be killed");
            child.wait().expect("an engine ends");
        }
    }

    /// Whether it has not ended by itself.
    pub(super) fn runs(&mut self) -> bool {
        self.0.as_mut().is_some_and(|child| child.try_wait().is_ok_and(|ended| ended.is_none()))
    }

    /// Lets it hang: its connections stay open, nothing is answered.
    pub(super) fn freeze(&self) {
        self.signal("STOP");
    }

    /// Lets it go on.
    pub(super) fn thaw(&self) {
        self.signal("CONT");
    }

    fn signal(&self, name: &str) {
        let child = self.0.as_ref().expect("the engine runs");
        let sent = Command::new("kill").args([&format!("-{name}"), &child.id().to_string()]).status();
        assert!(sent.expect("a signal can be sent").success(), "SIG{name} was not sent");
    }
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
