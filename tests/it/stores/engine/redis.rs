//! A Redis of the tests.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{Ipv4Addr, TcpStream},
    path::PathBuf,
    process::Command,
    thread,
    time::{Duration, Instant},
};

use mcp_runtime::store::{BusLimits, EventLimits, RedisStore};

use super::{Durability, Engine, Process, free_port};
use crate::programs::{did_not_run, first_that_runs};

/// A `redis-server` with a folder of its own.
pub(in crate::stores) struct RedisServer {
    folder: tempfile::TempDir,
    port: u16,
    settings: Vec<String>,
    process: Process,
}

impl RedisServer {
    /// The same with settings of `redis.conf`, one argument for each word.
    pub(in crate::stores) fn with(durability: Durability, settings: &[&str]) -> Option<Self> {
        let program = PathBuf::from("redis-server");
        if first_that_runs(std::slice::from_ref(&program)).is_none() {
            did_not_run("A test with Redis", "there is no redis-server");
            return None;
        }
        let mut folder = tempfile::tempdir().expect("a folder");
        let mut all = vec!["--save".to_owned(), String::new()];
        if durability == Durability::Disk {
            all.extend(["--appendonly", "yes", "--appendfsync", "always"].map(str::to_owned));
        }
        all.extend(settings.iter().map(|&setting| setting.to_owned()));
        loop {
            let port = free_port();
            let process = Self::spawn(&folder, port, &all);
            let mut server = Self { folder, port, settings: all, process };
            if server.answers() {
                return Some(server);
            }
            // Another test was given the same port and was faster.
            (folder, all) = (server.folder, server.settings);
        }
    }

    fn spawn(folder: &tempfile::TempDir, port: u16, settings: &[String]) -> Process {
        let mut command = Command::new("redis-server");
        command.args(["--bind", "127.0.0.1", "--port", &port.to_string(), "--dir"]).arg(folder.path()).args(settings);
        Process::start(&mut command)
    }

    /// Waits until it answers, having read what is on its disk; `false` if it ended instead.
    fn answers(&mut self) -> bool {
        let deadline = Instant::now() + Duration::from_secs(10);
        let name = self.folder.path().to_string_lossy().into_owned();
        while self.process.runs() {
            // The folder tells it from another one on this port.
            let it_is = self.ask("CONFIG GET dir").is_ok_and(|answer| answer.contains(&name));
            // While it reads what is on its disk it answers this and little else.
            if it_is && self.ask("PING").is_ok_and(|answer| answer.contains("PONG")) {
                return true;
            }
            assert!(Instant::now() < deadline, "redis-server never answered");
            thread::sleep(Duration::from_millis(10));
        }
        false
    }

    /// The commands that clients send while this runs, those of scripts left out, and those by which instances listen to each
    /// other, which they do each second.
    pub(in crate::stores) fn commands_during(&self, run: impl FnOnce()) -> Vec<String> {
        let mut monitor = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)).expect("redis-server listens");
        monitor.set_read_timeout(Some(Duration::from_secs(5))).expect("a timeout can be set");
        monitor.write_all(b"MONITOR\r\n").expect("redis-server reads");
        let mut lines = BufReader::new(monitor).lines().map(|line| line.expect("redis-server says what it does"));
        assert_eq!(lines.next().as_deref(), Some("+OK"));
        run();
        self.run(&["ECHO", "the end"]);
        let seen = lines.take_while(|line| !line.contains("the end"));
        seen.filter(|line| ![" lua] ", "\"COMMAND\"", "{bus:"].iter().any(|other| line.contains(other))).collect()
    }

    /// What `redis-cli` says to these arguments.
    pub(in crate::stores) fn run(&self, arguments: &[&str]) -> String {
        let port = self.port.to_string();
        let output = Command::new("redis-cli").args(["-p", &port]).args(arguments).output().expect("redis-cli runs");
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    }

    /// One command as words, answered by its first bytes.
    pub(in crate::stores) fn ask(&self, command: &str) -> std::io::Result<String> {
        let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port))?;
        stream.set_read_timeout(Some(Duration::from_secs(5)))?;
        stream.write_all(format!("{command}\r\n").as_bytes())?;
        let mut answer = vec![0; 1 << 16];
        let length = stream.read(&mut answer)?;
        Ok(String::from_utf8_lossy(&answer[..length]).into_owned())
    }
}

impl Engine for RedisServer {
    const NAME: &'static str = "Redis";
    type Store = RedisStore;

    fn start(durability: Durability) -> Option<Self> {
        Self::with(durability, &[])
    }

    fn port(&self) -> u16 {
        self.port
    }

    fn url_at(&self, port: u16) -> String {
        format!("redis://127.0.0.1:{port}")
    }

    fn silent_url(&self) -> String {
        let made = self.run(&["ACL", "SETUSER", "silent", "on", ">pw", "~*", "+@all", "resetchannels"]);
        assert_eq!(made, "OK");
        format!("redis://silent:pw@127.0.0.1:{}?prefix=silent", self.port)
    }

    fn narrow_url_at(&self, port: u16) -> String {
        // There is one for all.
        self.url_at(port)
    }

    fn open(url: &str) -> RedisStore {
        RedisStore::open(url).expect("a store")
    }

    fn limit(store: RedisStore, events: EventLimits, bus: BusLimits) -> RedisStore {
        store.with_event_limits(events).with_bus_limits(bus)
    }

    fn process(&mut self) -> &mut Process {
        &mut self.process
    }

    fn restart(&mut self) {
        self.process.kill();
        self.process = Self::spawn(&self.folder, self.port, &self.settings);
        assert!(self.answers(), "redis-server did not start again on port {}", self.port);
    }

    fn be_full(&self, full: bool) {
        self.run(&["CONFIG", "SET", "maxmemory", if full { "1" } else { "0" }]);
    }

    fn be_read_only(&self, read_only: bool) {
        // The replica of one that does not answer.
        self.run(&if read_only { ["REPLICAOF", "127.0.0.1", "1"] } else { ["REPLICAOF", "NO", "ONE"] });
    }

    fn standby(&self) -> Self {
        let other = Self::with(Durability::None, &[]).expect("there was one already");
        other.run(&["REPLICAOF", "127.0.0.1", &self.port.to_string()]);
        self.wait_for(&other);
        other
    }

    fn wait_for(&self, standby: &Self) {
        let deadline = Instant::now() + Duration::from_secs(20);
        let offset = |server: &Self, name: &str| {
            let facts = server.run(&["INFO", "replication"]);
            facts.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':')?.trim().parse::<u64>().ok())
        };
        loop {
            let told = offset(self, "master_repl_offset");
            let up = standby.run(&["INFO", "replication"]).contains("master_link_status:up");
            if up && offset(standby, "slave_repl_offset") >= told {
                return;
            }
            assert!(Instant::now() < deadline, "the replica never had everything");
            thread::sleep(Duration::from_millis(10));
        }
    }

    fn promote(&self) {
        assert_eq!(self.run(&["REPLICAOF", "NO", "ONE"]), "OK");
    }
}
