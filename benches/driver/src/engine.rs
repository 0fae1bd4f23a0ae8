//! The engines: a Redis and a PostgreSQL of this program's own, on free ports and with folders that go with them.
//!
//! *Takes* which one. *Gives* a process that answers, its time, and what its clients sent it. *Knows* `redis-server`,
//! `redis-cli`, `postgres`, `psql` and `/proc`. *Must not know* what is stored.

use std::{
    fs, io,
    net::{Ipv4Addr, TcpListener},
    os::unix::{
        fs::{MetadataExt, chown},
        process::CommandExt,
    },
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use crate::server;

/// What may be asked of `psql` and `initdb`.
const USER: &str = "benchmark";

/// Which engine.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Brand {
    Redis,
    Postgres,
}

/// A running engine; it ends when this is dropped, and its data go.
pub(crate) struct Engine {
    pub(crate) brand: Brand,
    port: u16,
    folder: PathBuf,
    process: Child,
}

impl Engine {
    /// Starts one below these words (`taskset -c 0`). With `disk` it acknowledges what is on the disk alone.
    ///
    /// # Errors
    /// When its programs are missing or it does not answer within 20 seconds.
    pub(crate) fn start(brand: Brand, below: &[String], disk: bool) -> io::Result<Self> {
        let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port();
        let folder = std::env::temp_dir().join(format!("mcp-benchmark-{}-{port}", std::process::id()));
        fs::create_dir(&folder)?;
        let mut command = match brand {
            Brand::Redis => redis(&folder, port, below, disk),
            Brand::Postgres => postgres(&folder, port, below, disk)?,
        };
        let process = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
        let process = process.map_err(|error| io::Error::other(format!("{brand:?} does not start: {error}")))?;
        let mut engine = Self { brand, port, folder, process };
        let start = Instant::now();
        while engine.ask(if brand == Brand::Redis { "PING" } else { "SELECT 1" }).is_err() {
            if start.elapsed() > Duration::from_secs(20) || engine.process.try_wait()?.is_some() {
                return Err(io::Error::other(format!("{brand:?} does not answer")));
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        if brand == Brand::Postgres {
            engine.ask("CREATE EXTENSION pg_stat_statements")?;
        }
        Ok(engine)
    }

    /// What `--store` takes.
    pub(crate) fn url(&self) -> String {
        match self.brand {
            Brand::Redis => format!("redis://127.0.0.1:{}", self.port),
            Brand::Postgres => format!("postgres://{USER}@127.0.0.1:{}/postgres", self.port),
        }
    }

    /// What it says to one command of Redis, or to statements.
    ///
    /// # Errors
    /// When it does not answer, or with an error.
    pub(crate) fn ask(&self, what: &str) -> io::Result<String> {
        let port = self.port.to_string();
        let output = match self.brand {
            Brand::Redis => Command::new("redis-cli").args(["-e", "-p", &port]).args(what.split(' ')).output()?,
            Brand::Postgres => Command::new(programs()?.join("psql"))
                .args(["-h", "127.0.0.1", "-p", &port, "-U", USER, "-d", "postgres", "-w", "-X", "-q", "-A", "-t"])
                .args(["-v", "ON_ERROR_STOP=1", "-c", what])
                .output()?,
        };
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim().to_owned();
        if output.status.success() {
            return Ok(text(&output.stdout));
        }
        Err(io::Error::other(format!("{:?}: {}{}", self.brand, text(&output.stdout), text(&output.stderr))))
    }

    /// The same as a number.
    ///
    /// # Errors
    /// When it is none.
    pub(crate) fn number(&self, what: &str) -> io::Result<f64> {
        let answer = self.ask(what)?;
        answer.parse().map_err(|_| io::Error::other(format!("{what}: {answer}")))
    }

    /// A figure of `INFO` in this section.
    ///
    /// # Errors
    /// When it does not answer.
    pub(crate) fn info(&self, section: &str, name: &str) -> io::Result<u64> {
        let facts = self.ask(&format!("INFO {section}"))?;
        let fact = facts.lines().find_map(|line| line.trim().strip_prefix(name)?.strip_prefix(':'));
        let digits: String =
            fact.unwrap_or("0").trim_start_matches("calls=").chars().take_while(char::is_ascii_digit).collect();
        digits.parse().map_err(io::Error::other)
    }

    /// How many commands or statements clients sent it that are named so, those inside of scripts and functions left out.
    /// `name` is that of a command of Redis, or a part of the text of statements.
    ///
    /// # Errors
    /// When it does not answer.
    pub(crate) fn commands(&self, name: &str) -> io::Result<u64> {
        match self.brand {
            Brand::Redis => self.info("commandstats", &format!("cmdstat_{name}")),
            Brand::Postgres => {
                let calls = format!(
                    "SELECT coalesce(sum(calls), 0)::bigint FROM pg_stat_statements WHERE query LIKE '%{name}%'"
                );
                Ok(self.number(&calls)? as u64)
            }
        }
    }

    /// The processor time that it and the processes that it started have used.
    pub(crate) fn busy(&self) -> io::Result<Duration> {
        let mut time = server::busy(self.process.id())?;
        for process in children(self.process.id())? {
            // One that ended meanwhile is left out.
            time += server::busy(process).unwrap_or_default();
        }
        Ok(time)
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        // PostgreSQL ends its processes at SIGINT without waiting for its clients; Redis ends, too.
        let _ = Command::new("kill").args(["-INT", &self.process.id().to_string()]).status();
        let start = Instant::now();
        while matches!(self.process.try_wait(), Ok(None)) && start.elapsed() < Duration::from_secs(10) {
            std::thread::sleep(Duration::from_millis(20));
        }
        // All fail where it has ended, which is what is wanted.
        let _ = self.process.kill();
        let _ = self.process.wait();
        let _ = fs::remove_dir_all(&self.folder);
    }
}

fn redis(folder: &Path, port: u16, below: &[String], disk: bool) -> Command {
    let mut command = words(below, Path::new("redis-server"));
    command.args(["--bind", "127.0.0.1", "--port", &port.to_string(), "--save", "", "--dir"]).arg(folder);
    if disk {
        command.args(["--appendonly", "yes", "--appendfsync", "always"]);
    }
    command
}

fn postgres(folder: &Path, port: u16, below: &[String], disk: bool) -> io::Result<Command> {
    let (programs, data) = (programs()?, folder.join("data"));
    let somebody = somebody_else()?;
    if let Some((user, group)) = somebody {
        chown(folder, Some(user), Some(group))?;
    }
    let as_somebody = |mut command: Command| {
        if let Some((user, group)) = somebody {
            command.uid(user).gid(group);
        }
        command.current_dir("/");
        command
    };
    let mut make = as_somebody(Command::new(programs.join("initdb")));
    make.args(["--username", USER, "--auth", "trust", "--encoding", "UTF8", "--no-locale", "--no-sync"]);
    let made = make.arg(&data).output()?;
    if !made.status.success() {
        return Err(io::Error::other(String::from_utf8_lossy(&made.stderr).into_owned()));
    }
    let mut command = as_somebody(words(below, &programs.join("postgres")));
    command.arg("-D").arg(data).args(["-p", &port.to_string()]);
    let fsync = format!("fsync={}", if disk { "on" } else { "off" });
    let counts = "shared_preload_libraries=pg_stat_statements";
    for setting in ["listen_addresses=127.0.0.1", "unix_socket_directories=", counts, &fsync] {
        command.args(["-c", setting]);
    }
    Ok(command)
}

/// A program below these words.
fn words(below: &[String], program: &Path) -> Command {
    let Some((first, rest)) = below.split_first() else { return Command::new(program) };
    let mut command = Command::new(first);
    command.args(rest).arg(program);
    command
}

/// The folder in which the programs of the newest PostgreSQL are: Debian's, which are not in `PATH`, or where `postgres`
/// leads to.
fn programs() -> io::Result<PathBuf> {
    let versions = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let known = versions.filter_map(|entry| Some((entry.file_name().to_str()?.parse::<u32>().ok()?, entry.path())));
    let debians = known.max().map(|(_, folder)| folder.join("bin"));
    let path = std::env::var_os("PATH").unwrap_or_default();
    let in_path = std::env::split_paths(&path).find_map(|folder| fs::canonicalize(folder.join("postgres")).ok());
    let found = debians.or_else(|| in_path.and_then(|program| program.parent().map(Path::to_owned)));
    found.ok_or_else(|| io::Error::other("there is no postgres: `ci/setup` installs it"))
}

/// PostgreSQL refuses to run as root: then it runs as the user that its package makes.
fn somebody_else() -> io::Result<Option<(u32, u32)>> {
    if fs::metadata("/proc/self")?.uid() != 0 {
        return Ok(None);
    }
    let users = fs::read_to_string("/etc/passwd")?;
    let find = |name: &str| {
        let facts = users.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(":x:"))?;
        let mut numbers = facts.split(':').map(str::parse);
        Some((numbers.next()?.ok()?, numbers.next()?.ok()?))
    };
    find("postgres").or_else(|| find("nobody")).map(Some).ok_or_else(|| io::Error::other("there is nobody but root"))
}

/// The processes that this one started and that run.
fn children(process: u32) -> io::Result<Vec<u32>> {
    let numbers = fs::read_dir("/proc")?.flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    let parent = |other: &u32| {
        // `id (name) state parent …`; the name may hold anything.
        let facts = fs::read_to_string(format!("/proc/{other}/stat")).ok()?;
        facts.rsplit_once(')')?.1.split_whitespace().nth(1)?.parse::<u32>().ok()
    };
    Ok(numbers.filter(|other| parent(other) == Some(process)).collect())
}
