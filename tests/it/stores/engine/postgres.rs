//! A PostgreSQL of the tests.

use std::{
    fs,
    os::unix::{
        fs::{MetadataExt, chown},
        process::CommandExt,
    },
    path::{Path, PathBuf},
    process::Command,
    thread,
    time::{Duration, Instant},
};

use mcp_runtime::store::{BusLimits, EventLimits, PostgresStore};

use super::{Durability, Engine, Process, free_port};
use crate::programs::{did_not_run, first_that_runs};

const USER: &str = "tester";
const PASSWORD: &str = "canary-password";

/// Settings with which it writes down each statement that a client sends.
const TALKATIVE: [&str; 4] =
    ["logging_collector=on", "log_filename=statements", "log_statement=all", "log_line_prefix="];

/// A `postgres` with a folder of its own.
pub(in crate::stores) struct PostgresServer {
    programs: PathBuf,
    folder: tempfile::TempDir,
    port: u16,
    settings: Vec<String>,
    process: Process,
}

impl PostgresServer {
    /// The same with settings of `postgresql.conf`, each as `name=value`.
    pub(in crate::stores) fn with(durability: Durability, settings: &[&str]) -> Option<Self> {
        let Some(programs) = programs() else {
            did_not_run("A test with PostgreSQL", "there is no postgres");
            return None;
        };
        let folder = folder();
        let unused = unused(&programs);
        let copied = Command::new("cp").arg("-a").arg(unused).arg(data(&folder)).status().expect("`cp` runs");
        assert!(copied.success());
        Some(Self::over(programs, folder, durability, settings))
    }

    /// A server over the data in this folder.
    fn over(programs: PathBuf, folder: tempfile::TempDir, durability: Durability, settings: &[&str]) -> Self {
        let mut all: Vec<_> = ["listen_addresses=127.0.0.1", "unix_socket_directories=", "shared_buffers=16MB"]
            .into_iter()
            .chain(settings.iter().copied())
            .map(str::to_owned)
            .collect();
        all.push(format!("fsync={}", if durability == Durability::Disk { "on" } else { "off" }));
        let (mut folder, mut all) = (folder, all);
        loop {
            let port = free_port();
            let process = Self::spawn(&programs, &folder, port, &all);
            let mut server = Self { programs: programs.clone(), folder, port, settings: all, process };
            if server.answers() {
                return server;
            }
            // Another test was given the same port and was faster.
            (folder, all) = (server.folder, server.settings);
        }
    }

    fn spawn(programs: &Path, folder: &tempfile::TempDir, port: u16, settings: &[String]) -> Process {
        let mut command = as_somebody(&programs.join("postgres"));
        command.arg("-D").arg(data(folder)).args(["-p", &port.to_string()]);
        for setting in settings {
            command.args(["-c", setting]);
        }
        Process::start(&mut command)
    }

    /// Waits until it answers, having read what is on its disk; `false` if it ended instead.
    fn answers(&mut self) -> bool {
        let deadline = Instant::now() + Duration::from_secs(20);
        let name = data(&self.folder).to_string_lossy().into_owned();
        while self.process.runs() {
            // The folder tells it from another one on this port.
            if self.ask("SHOW data_directory").is_ok_and(|answer| answer == name) {
                return true;
            }
            assert!(Instant::now() < deadline, "postgres never answered");
            thread::sleep(Duration::from_millis(10));
        }
        false
    }

    /// What `psql` says to these statements, as the superuser; the error that it prints if one fails.
    pub(in crate::stores) fn ask(&self, statements: &str) -> Result<String, String> {
        self.ask_with("", statements)
    }

    fn ask_with(&self, options: &str, statements: &str) -> Result<String, String> {
        let mut command = Command::new(self.programs.join("psql"));
        command.args(["-h", "127.0.0.1", "-p", &self.port.to_string(), "-U", USER, "-d", "postgres", "-w", "-X"]);
        command.args(["-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-c", statements]).env("PGPASSWORD", PASSWORD);
        let output = command.env("PGOPTIONS", options).output().expect("psql starts");
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim().to_owned();
        if output.status.success() { Ok(text(&output.stdout)) } else { Err(text(&output.stderr)) }
    }

    /// One that writes down what it is asked.
    pub(in crate::stores) fn talkative() -> Option<Self> {
        Self::with(Durability::None, &TALKATIVE)
    }

    /// The statements that clients send to a talkative one while this runs, those of functions left out.
    pub(in crate::stores) fn statements_during(&self, run: impl FnOnce()) -> Vec<String> {
        self.ask("SELECT 'the beginning'").expect("it runs");
        run();
        self.ask("SELECT 'the end'").expect("it runs");
        let deadline = Instant::now() + Duration::from_secs(10);
        loop {
            // Another process writes it, a moment later.
            let log = fs::read_to_string(data(&self.folder).join("log/statements")).unwrap_or_default();
            let during = log.rsplit_once("'the beginning'").map_or("", |(_, during)| during);
            if let Some((during, _)) = during.split_once("LOG:  statement: SELECT 'the end'") {
                return during.lines().filter_map(|line| line.strip_prefix("LOG:  ")).map(str::to_owned).collect();
            }
            assert!(Instant::now() < deadline, "postgres wrote nothing down: {log}");
            thread::sleep(Duration::from_millis(5));
        }
    }

    /// Makes it a standby of a primary that is away, once it is started again, or makes it a primary again.
    pub(in crate::stores) fn be_standby(&self, standby: bool) {
        let mark = data(&self.folder).join("standby.signal");
        if standby {
            fs::write(mark, "").expect("the folder can be written to");
        } else {
            fs::remove_file(mark).expect("it was a standby");
        }
    }
}

impl Engine for PostgresServer {
    const NAME: &'static str = "PostgreSQL";
    type Store = PostgresStore;

    fn start(durability: Durability) -> Option<Self> {
        Self::with(durability, &[])
    }

    fn port(&self) -> u16 {
        self.port
    }

    fn url_at(&self, port: u16) -> String {
        format!("postgres://{USER}:{PASSWORD}@127.0.0.1:{port}/postgres")
    }

    fn silent_url(&self) -> String {
        let statements = "CREATE ROLE silent LOGIN PASSWORD 'pw'; CREATE SCHEMA silent AUTHORIZATION silent; \
                          REVOKE EXECUTE ON FUNCTION pg_notify(text, text) FROM PUBLIC";
        self.ask(statements).expect("it runs");
        format!("postgres://silent:pw@127.0.0.1:{}/postgres?schema=silent", self.port)
    }

    fn narrow_url_at(&self, port: u16) -> String {
        format!("{}?connections=3", self.url_at(port))
    }

    fn open(url: &str) -> PostgresStore {
        PostgresStore::open(url).expect("a store")
    }

    fn limit(store: PostgresStore, events: EventLimits, bus: BusLimits) -> PostgresStore {
        store.with_event_limits(events).with_bus_limits(bus)
    }

    fn process(&mut self) -> &mut Process {
        &mut self.process
    }

    fn restart(&mut self) {
        self.process.kill();
        self.process = Self::spawn(&self.programs, &self.folder, self.port, &self.settings);
        assert!(self.answers(), "postgres did not start again on port {}", self.port);
    }

    fn be_full(&self, full: bool) {
        // The error of a full disk, raised where one would raise it: a disk that is full takes root to make.
        let statements = if full {
            "CREATE FUNCTION mcp.full_disk() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN \
             RAISE EXCEPTION 'could not extend file: No space left on device' USING ERRCODE = 'disk_full'; END $$; \
             CREATE TRIGGER full_disk BEFORE INSERT OR UPDATE ON mcp.parts EXECUTE FUNCTION mcp.full_disk(); \
             CREATE TRIGGER full_disk BEFORE INSERT ON mcp.tasks EXECUTE FUNCTION mcp.full_disk()"
        } else {
            "DROP FUNCTION mcp.full_disk CASCADE"
        };
        self.ask(statements).expect("it runs");
    }

    fn be_read_only(&self, read_only: bool) {
        let set =
            if read_only { "SET default_transaction_read_only = on" } else { "RESET default_transaction_read_only" };
        // The second one is a transaction too, and must be let through.
        let options = "-c default_transaction_read_only=off";
        self.ask_with(options, &format!("ALTER SYSTEM {set}")).expect("it runs");
        self.ask_with(options, "SELECT pg_reload_conf()").expect("it runs");
        let wanted = if read_only { "on" } else { "off" };
        while self.ask("SHOW default_transaction_read_only").as_deref() != Ok(wanted) {
            thread::sleep(Duration::from_millis(5));
        }
    }

    fn standby(&self) -> Self {
        let folder = folder();
        let mut copy = as_somebody(&self.programs.join("pg_basebackup"));
        copy.args(["-h", "127.0.0.1", "-p", &self.port.to_string(), "-U", USER, "-w", "-R", "-c", "fast", "--no-sync"]);
        let copied = copy.arg("-D").arg(data(&folder)).env("PGPASSWORD", PASSWORD).output().expect("it runs");
        assert!(copied.status.success(), "{}", String::from_utf8_lossy(&copied.stderr));
        let other = Self::over(self.programs.clone(), folder, Durability::None, &[]);
        self.wait_for(&other);
        other
    }

    fn wait_for(&self, standby: &Self) {
        let deadline = Instant::now() + Duration::from_secs(20);
        let told = self.ask("SELECT pg_current_wal_lsn()").expect("it runs");
        let has_it = format!("SELECT pg_last_wal_replay_lsn() >= '{told}'");
        while standby.ask(&has_it).as_deref() != Ok("t") {
            assert!(Instant::now() < deadline, "the standby never had everything");
            thread::sleep(Duration::from_millis(10));
        }
    }

    fn promote(&self) {
        assert_eq!(self.ask("SELECT pg_promote()").as_deref(), Ok("t"));
    }
}

/// A folder that is the server's.
fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    if let Some((user, group)) = somebody_else() {
        chown(folder.path(), Some(user), Some(group)).expect("root can give a folder away");
    }
    folder
}

/// The data of a server that nobody used yet. They are made once and copied, which takes a tenth of the time.
fn unused(programs: &Path) -> PathBuf {
    let version = Command::new(programs.join("postgres")).arg("--version").output().expect("it runs").stdout;
    let version: String =
        version.iter().filter(|byte| byte.is_ascii_alphanumeric()).map(|&byte| byte as char).collect();
    let unused = Path::new(env!("CARGO_TARGET_TMPDIR")).join(version);
    if !unused.exists() {
        let folder = folder();
        let password = folder.path().join("password");
        fs::write(&password, PASSWORD).expect("the folder can be written to");
        if let Some((user, group)) = somebody_else() {
            chown(&password, Some(user), Some(group)).expect("root can give a file away");
        }
        // The password is sent as it is: what SCRAM does with it takes a client long that is not optimised.
        let mut make = as_somebody(&programs.join("initdb"));
        make.args(["--username", USER, "--auth", "password", "--encoding", "UTF8", "--no-locale", "--no-sync"]);
        make.args(["--wal-segsize", "1"]).arg("--pwfile").arg(&password).arg(data(&folder));
        let made = make.output().expect("initdb starts");
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        // Whoever was first has made the same.
        let beside = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a folder");
        let copied = Command::new("cp").arg("-a").arg(data(&folder)).arg(beside.path()).status().expect("`cp` runs");
        assert!(copied.success());
        let moved = fs::rename(data_in(beside.path()), &unused);
        assert!(moved.is_ok() || unused.exists(), "{moved:?}");
    }
    unused
}

fn data_in(folder: &Path) -> PathBuf {
    folder.join("data")
}

fn data(folder: &tempfile::TempDir) -> PathBuf {
    data_in(folder.path())
}

/// The folder in which the programs are: the newest of Debian's, which are not in `PATH`, or where `postgres` leads to.
fn programs() -> Option<PathBuf> {
    let versions = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let mut known: Vec<_> = versions.map(|version| version.path().join("bin/postgres")).collect();
    known.sort_by_key(|program| {
        let version = program.iter().rev().nth(2).and_then(|version| version.to_str()?.parse::<u32>().ok());
        std::cmp::Reverse(version)
    });
    let path = std::env::var_os("PATH").unwrap_or_default();
    let in_path = std::env::split_paths(&path).filter_map(|folder| fs::canonicalize(folder.join("postgres")).ok());
    known.extend(in_path);
    first_that_runs(&known)?.parent().map(Path::to_owned)
}

/// PostgreSQL refuses to run as root: then it runs as the user that its package makes, or as nobody.
fn as_somebody(program: &Path) -> Command {
    let mut command = Command::new(program);
    if let Some((user, group)) = somebody_else() {
        command.uid(user).gid(group);
    }
    command.current_dir("/");
    command
}

fn somebody_else() -> Option<(u32, u32)> {
    if fs::metadata("/proc/self").is_ok_and(|process| process.uid() != 0) {
        return None;
    }
    let users = fs::read_to_string("/etc/passwd").expect("there are users");
    let find = |name: &str| {
        users.lines().find_map(|line| {
            let mut facts = line.split(':');
            let found = facts.next()? == name;
            let mut number = || facts.next()?.parse().ok();
            number();
            found.then_some((number()?, number()?))
        })
    };
    Some(find("postgres").or_else(|| find("nobody")).expect("there is somebody besides root"))
}
