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

use super::{Durability, Engine, Process, free_port};
use crate::programs::{did_not_run, first_that_runs};

const USER: &str = "tester";
const PASSWORD: &str = "canary-password";

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
        let folder = tempfile::tempdir().expect("a folder");
        let password = folder.path().join("password");
        fs::write(&password, PASSWORD).expect("the folder can be written to");
        if let Some((user, group)) = somebody_else() {
            for path in [folder.path(), &password] {
                chown(path, Some(user), Some(group)).expect("root can give a folder away");
            }
        }
        // The password is sent as it is: what SCRAM does with it takes a client long that is not optimised.
        let mut make = as_somebody(&programs.join("initdb"));
        make.args(["--username", USER, "--auth", "password", "--encoding", "UTF8", "--no-locale", "--no-sync"]);
        make.args(["--wal-segsize", "1"]).arg("--pwfile").arg(&password).arg(data(&folder));
        let made = make.output().expect("initdb starts");
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));

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
                return Some(server);
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
        let mut command = Command::new(self.programs.join("psql"));
        command.args(["-h", "127.0.0.1", "-p", &self.port.to_string(), "-U", USER, "-d", "postgres", "-w", "-X"]);
        command.args(["-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-c", statements]).env("PGPASSWORD", PASSWORD);
        let output = command.output().expect("psql starts");
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim().to_owned();
        if output.status.success() { Ok(text(&output.stdout)) } else { Err(text(&output.stderr)) }
    }

    /// Makes a role that may use the store, in a schema of its own, and ring no bells. Gives its URL.
    pub(in crate::stores) fn quiet_url(&self) -> String {
        let statements = "CREATE ROLE quiet LOGIN PASSWORD 'quiet'; CREATE SCHEMA mcp AUTHORIZATION quiet; \
                          REVOKE EXECUTE ON FUNCTION pg_notify(text, text) FROM PUBLIC";
        self.ask(statements).expect("it runs");
        format!("postgres://quiet:quiet@127.0.0.1:{}/postgres", self.port)
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
    fn start(durability: Durability) -> Option<Self> {
        Self::with(durability, &[])
    }

    fn url(&self) -> String {
        format!("postgres://{USER}:{PASSWORD}@127.0.0.1:{}/postgres", self.port)
    }

    fn process(&mut self) -> &mut Process {
        &mut self.process
    }

    fn restart(&mut self) {
        self.process.kill();
        self.process = Self::spawn(&self.programs, &self.folder, self.port, &self.settings);
        assert!(self.answers(), "postgres did not start again on port {}", self.port);
    }
}

fn data(folder: &tempfile::TempDir) -> PathBuf {
    folder.path().join("data")
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
