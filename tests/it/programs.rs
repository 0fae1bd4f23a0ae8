//! Starting our examples and other people's programs.
//!
//! - *Takes*: names of examples, commands.
//! - *Gives*: a running server with its URL, the output of a command.
//! - *Knows*: where cargo puts examples, what a missing installation means.
//! - *Must not know*: what the programs are for.

use std::{
    env,
    io::{BufRead, BufReader, Read, Write},
    path::{Path, PathBuf},
    process::{Child, ChildStdin, Command, ExitStatus, Stdio},
    sync::{Arc, Mutex, mpsc},
    thread,
    time::{Duration, Instant},
};

/// How long a server may take until it listens.
const START: Duration = Duration::from_secs(20);

/// The root of the repository.
pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The built example of this name, which `cargo test` builds before it runs the tests.
pub(crate) fn example(name: &str) -> PathBuf {
    let this = env::current_exe().expect("a test knows its own path");
    // The test is `target/debug/deps/it-…`, the example is `target/debug/examples/…`.
    let profile = this.parent().and_then(Path::parent).expect("tests lie two folders deep");
    let path = profile.join("examples").join(name).with_extension(env::consts::EXE_EXTENSION);
    assert!(path.is_file(), "{} is not built: run `cargo build --examples`", path.display());
    path
}

/// Tells why a test did not run; where everything must run (`CI=true`) that is a failure.
///
/// This writes past the capture of the test harness: a test that was left out must be seen.
pub(crate) fn did_not_run(what: &str, missing: &str) {
    assert!(env::var("CI").as_deref() != Ok("true"), "{what} did not run: {missing}");
    let _ = writeln!(std::io::stderr(), "{what} did not run: {missing}. `ci/setup` installs it.");
}

/// A server that runs until this is dropped.
pub(crate) struct RunningServer {
    child: Child,
    url: String,
    log: Arc<Mutex<String>>,
}

impl RunningServer {
    /// Starts an example on Streamable HTTP and a free port, and waits until it listens.
    pub(crate) fn start(name: &str, arguments: &[&str], environment: &[(&str, &str)]) -> Self {
        let mut child = Command::new(example(name))
            .args(["--transport", "streamable-http", "--port", "0"])
            .args(arguments)
            .envs(environment.iter().copied())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("an example starts");
        let stderr = child.stderr.take().expect("stderr is piped");
        let log = Arc::new(Mutex::new(String::new()));
        let (found, listening) = mpsc::channel();
        let shared = Arc::clone(&log);
        thread::spawn(move || {
            // It goes on reading after the URL: a full pipe would stop the server.
            for line in BufReader::new(stderr).lines().map_while(Result::ok) {
                if let Some(url) = listening_on(&line) {
                    let _ = found.send(url);
                }
                let mut log = shared.lock().expect("no reader panics");
                log.push_str(&line);
                log.push('\n');
            }
        });
        // From here on, dropping ends the process.
        let mut server = Self { child, url: String::new(), log };
        match listening.recv_timeout(START) {
            Ok(url) => server.url = url,
            Err(_) => panic!("{name} does not say where it listens:\n{}", server.log()),
        }
        server
    }

    /// Where it listens, path included.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// What it wrote to stderr so far.
    pub(crate) fn log(&self) -> String {
        self.log.lock().expect("no reader panics").clone()
    }

    /// Ends it at once, as `kill -9` does.
    pub(crate) fn kill(self) {
        drop(self);
    }
}

impl Drop for RunningServer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The URL of a line that says `listening on http://…`.
fn listening_on(line: &str) -> Option<String> {
    let (_, rest) = line.split_once("listening on ")?;
    let url = rest.split_whitespace().next()?;
    url.starts_with("http://").then(|| url.to_owned())
}

/// How a command ended and what it wrote.
pub(crate) struct Finished {
    pub(crate) status: ExitStatus,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

/// A command that runs while the test does something else.
pub(crate) struct RunningCommand {
    child: Child,
    stdout: Output,
    stderr: Output,
    deadline: Instant,
    shown: String,
}

struct Output {
    text: Arc<Mutex<Vec<u8>>>,
    reader: thread::JoinHandle<()>,
}

impl RunningCommand {
    /// Starts it; it may take this long.
    pub(crate) fn start(command: &mut Command, limit: Duration) -> Self {
        let shown = format!("{command:?}");
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("{shown} does not start: {error}"));
        let stdout = gather(child.stdout.take().expect("stdout is piped"));
        let stderr = gather(child.stderr.take().expect("stderr is piped"));
        Self { child, stdout, stderr, deadline: Instant::now() + limit, shown }
    }

    /// Waits until its standard output holds this text.
    pub(crate) fn wait_for(&mut self, text: &str) {
        while !self.stdout.so_far().contains(text) {
            assert!(
                self.child.try_wait().expect("a child can be waited for").is_none(),
                "{} ended before it said {text}:\n{}{}",
                self.shown,
                self.stdout.so_far(),
                self.stderr.so_far()
            );
            self.check_deadline();
            thread::sleep(Duration::from_millis(5));
        }
    }

    /// Writes a line to its standard input.
    pub(crate) fn tell(&mut self, line: &str) {
        let input: &mut ChildStdin = self.child.stdin.as_mut().expect("stdin is piped");
        writeln!(input, "{line}").expect("the command reads");
    }

    /// Waits until it ends.
    pub(crate) fn finish(mut self) -> Finished {
        drop(self.child.stdin.take());
        let status = loop {
            if let Some(status) = self.child.try_wait().expect("a child can be waited for") {
                break status;
            }
            self.check_deadline();
            thread::sleep(Duration::from_millis(5));
        };
        Finished { status, stdout: self.stdout.whole(), stderr: self.stderr.whole() }
    }

    fn check_deadline(&mut self) {
        if Instant::now() > self.deadline {
            let _ = self.child.kill();
            let _ = self.child.wait();
            panic!("{} took too long:\n{}{}", self.shown, self.stdout.so_far(), self.stderr.so_far());
        }
    }
}

impl Output {
    fn so_far(&self) -> String {
        String::from_utf8_lossy(&self.text.lock().expect("no reader panics")).into_owned()
    }

    fn whole(self) -> String {
        let _ = self.reader.join();
        String::from_utf8_lossy(&self.text.lock().expect("no reader panics")).into_owned()
    }
}

fn gather(mut stream: impl Read + Send + 'static) -> Output {
    let text = Arc::new(Mutex::new(Vec::new()));
    let shared = Arc::clone(&text);
    let reader = thread::spawn(move || {
        let mut piece = [0; 4096];
        while let Ok(length @ 1..) = stream.read(&mut piece) {
            shared.lock().expect("no reader panics").extend_from_slice(&piece[..length]);
        }
    });
    Output { text, reader }
}

/// Runs a command to its end, which may take this long.
pub(crate) fn run(command: &mut Command, limit: Duration) -> Finished {
    RunningCommand::start(command, limit).finish()
}

/// The first of these programs that starts and says its version.
pub(crate) fn first_that_runs(programs: &[PathBuf]) -> Option<&PathBuf> {
    programs.iter().find(|program| {
        let asked = Command::new(program).arg("--version").stdin(Stdio::null()).output();
        asked.is_ok_and(|output| output.status.success())
    })
}
