//! The servers: built, started on a core of their own, asked for their time and memory, and ended.
//!
//! *Takes* a package and one of its servers. *Gives* a process that listens. *Knows* cargo, taskset and `/proc`.
//! *Must not know* what is sent to it.

use std::{
    fs, io,
    net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream},
    path::PathBuf,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

/// A package with servers, and one of them.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Kind {
    /// `server-axum`, `server-ours`, `server-rmcp`, or one with state outside of it: `server-axum-state`, `server-ours-state`.
    pub(crate) package: &'static str,
    /// What `BENCH_SERVER` says.
    pub(crate) server: &'static str,
}

/// The key of servers that share a store.
const SESSION_KEYS: &str = "k1:YSBmaXhlZCBrZXkgb2YgdGhlIHRlc3RzLCAzMiBieXRlcyE=";

/// A running server; it ends when this is dropped.
pub(crate) struct Server {
    pub(crate) kind: Kind,
    pub(crate) address: SocketAddr,
    process: Child,
}

/// The folder of this workspace.
pub(crate) fn workspace() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// The cargo that runs this program.
pub(crate) fn cargo() -> Command {
    Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
}

/// Builds a server, each alone, so that none gets features that only another wants.
///
/// # Errors
/// When it can't be built.
pub(crate) fn build(package: &str) -> io::Result<()> {
    eprintln!("building {package}");
    let status =
        cargo().args(["build", "--release", "--quiet", "--package", package]).current_dir(workspace()).status()?;
    if status.success() { Ok(()) } else { Err(io::Error::other(format!("{package} can't be built"))) }
}

/// Two processor cores: for the load and for the server; `None` where there is only one, or no `taskset`.
///
/// Two threads of one core would share it, so the second is of another core where the machine has one.
pub(crate) fn cores() -> Option<(usize, usize)> {
    let list = Command::new("taskset").args(["-cp", &std::process::id().to_string()]).output().ok()?;
    let list = String::from_utf8(list.stdout).ok()?;
    let mut allowed = Vec::new();
    for range in list.rsplit(' ').next()?.trim().split(',') {
        let (first, last) = range.split_once('-').unwrap_or((range, range));
        allowed.extend(first.parse::<usize>().ok()?..=last.parse().ok()?);
    }
    let core = |cpu: usize| fs::read_to_string(format!("/sys/devices/system/cpu/cpu{cpu}/topology/core_id")).ok();
    let first = *allowed.first()?;
    let other = allowed.iter().copied().skip(1).find(|cpu| core(*cpu) != core(first)).or(allowed.get(1).copied())?;
    Some((first, other))
}

/// Keeps this process, which has one thread as yet, on this core.
pub(crate) fn pin_this_process(core: usize) -> io::Result<()> {
    let mut command = Command::new("taskset");
    command.args(["-cp", &core.to_string(), &std::process::id().to_string()]).stdout(Stdio::null()).status()?;
    Ok(())
}

/// The processor time that the threads of this process have used.
pub(crate) fn busy(process: u32) -> io::Result<Duration> {
    let mut nanoseconds = 0;
    for task in fs::read_dir(format!("/proc/{process}/task"))? {
        let statistics = fs::read_to_string(task?.path().join("schedstat"))?;
        nanoseconds += statistics.split(' ').next().and_then(|time| time.parse::<u64>().ok()).unwrap_or(0);
    }
    Ok(Duration::from_nanos(nanoseconds))
}

impl Server {
    /// Starts a server that has been built, below these words (`taskset -c 1`, `valgrind …`).
    ///
    /// # Errors
    /// When it does not listen within 20 seconds.
    pub(crate) fn start(kind: Kind, below: &[String]) -> io::Result<Self> {
        Self::over(kind, below, None)
    }

    /// The same over the store of this URL.
    ///
    /// # Errors
    /// When it does not listen within 20 seconds.
    pub(crate) fn over(kind: Kind, below: &[String], store: Option<&str>) -> io::Result<Self> {
        // Asked for and given back: the servers name no port of their own, and nothing else takes ports here.
        let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port();
        let binary = std::env::current_exe()?.with_file_name(kind.package);
        let mut words = below.iter().map(Into::into).chain([binary.into_os_string()]);
        let mut command = Command::new(words.next().unwrap_or_default());
        command.args(words).args(["--port", &port.to_string()]).env("BENCH_SERVER", kind.server);
        if kind.package.starts_with("server-ours") {
            command.args(["--transport", "streamable-http"]);
        }
        command.env_remove("MCP_SESSION_KEYS");
        if let Some(store) = store {
            // Whoever shares a store signs with a key that all have.
            command.args(["--store", store]).env("MCP_SESSION_KEYS", SESSION_KEYS);
        }
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let mut server = Self { kind, address: (Ipv4Addr::LOCALHOST, port).into(), process: command.spawn()? };
        let start = Instant::now();
        while TcpStream::connect(server.address).is_err() {
            if start.elapsed() > Duration::from_secs(20) || server.process.try_wait()?.is_some() {
                return Err(io::Error::other(format!("{kind:?} does not listen")));
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok(server)
    }

    /// The processor time that its threads have used.
    pub(crate) fn busy(&self) -> io::Result<Duration> {
        busy(self.process.id())
    }

    /// Its resident memory, in KiB.
    pub(crate) fn resident(&self) -> io::Result<u64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.process.id()))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        line.and_then(|line| line.trim().trim_end_matches(" kB").parse().ok())
            .ok_or_else(|| io::Error::other("no VmRSS"))
    }

    /// Asks it to end, as an operator would, and waits.
    pub(crate) fn stop(mut self) -> io::Result<()> {
        Command::new("kill").arg(self.process.id().to_string()).status()?;
        self.process.wait().map(drop)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Both fail where it has ended, which is what is wanted.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
