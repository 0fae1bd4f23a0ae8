//! Running other people's programs.
//!
//! - *Takes*: commands.
//! - *Gives*: what they write and how they end.
//! - *Knows*: what a missing installation means.
//! - *Must not know*: what the programs are for.

use std::{
    env,
    io::{Read, Write},
    path::{Path, PathBuf},
    process::{Child, ChildStdin, Command, ExitStatus, Stdio},
    sync::{Arc, Mutex},
    thread,
    time::{Duration, Instant},
};

/// The root of the repository.
pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Tells that a test did not run because something is not installed; where everything must run (`CI=true`) that is a failure.
pub(crate) fn did_not_run(what: &str, missing: &str) {
    left_out(what, &format!("{missing}. `ci/setup` installs it"));
}

/// Tells why a test did not run; where everything must run (`CI=true`) that is a failure.
pub(crate) fn left_out(what: &str, why: &str) {
    assert!(env::var("CI").as_deref() != Ok("true"), "{what} did not run: {why}");
    tell(&format!("{what} did not run: {why}."));
}

/// Writes past the capture of the test harness: what was left out must be seen.
pub(crate) fn tell(what: &str) {
    let _ = writeln!(std::io::stderr(), "{what}");
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
