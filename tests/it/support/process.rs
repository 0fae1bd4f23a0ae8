//! Examples as processes.

use std::{
    io::{BufRead, BufReader, Read, Write},
    path::PathBuf,
    process::{Child, ChildStdin, Command, Stdio},
    sync::mpsc,
    time::Duration,
};

/// Nothing that a test waits for takes longer.
const PATIENCE: Duration = Duration::from_secs(20);

/// The binary of an example, which Cargo builds before it runs the tests.
pub fn example(name: &str) -> PathBuf {
    let mut path = std::env::current_exe().expect("a test knows its own path");
    path.pop();
    if path.ends_with("deps") {
        path.pop();
    }
    let path = path.join("examples").join(format!("{name}{}", std::env::consts::EXE_SUFFIX));
    assert!(path.exists(), "the example {name} is not built: run `cargo build --examples` ({})", path.display());
    path
}

/// A command for an example, without what the environment of the tests says of MCP.
pub fn command(name: &str) -> Command {
    let mut command = Command::new(example(name));
    for (key, _) in std::env::vars() {
        if key.starts_with("MCP_") {
            command.env_remove(key);
        }
    }
    command
}

/// An example that serves HTTP on a free port; killed when dropped.
pub struct HttpServer {
    pub port: u16,
    child: Child,
    /// Everything that it wrote to stderr so far, line by line.
    pub stderr: mpsc::Receiver<String>,
}

impl HttpServer {
    /// Starts an example and waits until it listens.
    pub fn start(name: &str) -> Self {
        Self::with(name, &[], &[])
    }

    /// The same with more arguments and environment.
    pub fn with(name: &str, arguments: &[&str], environment: &[(&str, &str)]) -> Self {
        let mut child = command(name)
            .args(["--transport", "streamable-http", "--port", "0"])
            .args(arguments)
            .envs(environment.iter().copied())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the example starts");
        let stderr = lines(child.stderr.take().expect("stderr is piped"));
        let mut seen = Vec::new();
        loop {
            let Ok(line) = stderr.recv_timeout(PATIENCE) else {
                let _ = child.kill();
                let _ = child.wait();
                panic!("{name} never said that it listens: {seen:#?}");
            };
            let port = line.split_once("listening on http://").and_then(|(_, rest)| {
                let authority = rest.split('/').next()?;
                authority.rsplit_once(':')?.1.parse().ok()
            });
            if let Some(port) = port {
                return Self { port, child, stderr };
            }
            seen.push(line);
        }
    }

    /// The URL of the endpoint.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}/mcp", self.port)
    }

    /// The process id.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Kills it as a crash would.
    pub fn kill(mut self) {
        self.child.kill().expect("the example can be killed");
        self.child.wait().expect("the example ends");
    }

    /// Waits for its end and gives its exit code.
    pub fn wait(&mut self) -> Option<i32> {
        self.child.wait().expect("the example ends").code()
    }
}

impl Drop for HttpServer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// An example that serves stdio; killed when dropped.
pub struct StdioServer {
    child: Child,
    stdin: Option<ChildStdin>,
    stdout: mpsc::Receiver<String>,
    pub stderr: mpsc::Receiver<String>,
}

impl StdioServer {
    /// Starts an example.
    pub fn start(name: &str) -> Self {
        Self::with(name, &[], &[])
    }

    /// The same with more arguments and environment.
    pub fn with(name: &str, arguments: &[&str], environment: &[(&str, &str)]) -> Self {
        let mut child = command(name)
            .args(arguments)
            .envs(environment.iter().copied())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the example starts");
        let stdout = lines(child.stdout.take().expect("stdout is piped"));
        let stderr = lines(child.stderr.take().expect("stderr is piped"));
        Self { stdin: child.stdin.take(), child, stdout, stderr }
    }

    /// Writes one line.
    pub fn send(&mut self, line: &str) {
        let stdin = self.stdin.as_mut().expect("stdin is open");
        stdin.write_all(line.as_bytes()).and_then(|()| stdin.write_all(b"\n")).expect("the example reads");
        stdin.flush().expect("the example reads");
    }

    /// The next line.
    pub fn receive(&self) -> String {
        self.stdout.recv_timeout(PATIENCE).expect("the example answers")
    }

    /// The next line, if one comes within this time.
    pub fn receive_within(&self, patience: Duration) -> Option<String> {
        self.stdout.recv_timeout(patience).ok()
    }

    /// The process id.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Waits for its end and gives its exit code.
    pub fn wait(&mut self) -> Option<i32> {
        self.child.wait().expect("the example ends").code()
    }

    /// Closes stdin, waits for the end, and gives the exit code with the lines that were still to come.
    pub fn finish(mut self) -> (Option<i32>, Vec<String>) {
        self.stdin = None;
        let code = self.child.wait().expect("the example ends").code();
        (code, self.stdout.iter().collect())
    }
}

impl Drop for StdioServer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The lines of a pipe, read on a thread of its own so that the process never waits for the test.
fn lines(pipe: impl Read + Send + 'static) -> mpsc::Receiver<String> {
    let (sender, receiver) = mpsc::channel();
    std::thread::spawn(move || {
        for line in BufReader::new(pipe).lines() {
            let Ok(line) = line else { break };
            if sender.send(line).is_err() {
                break;
            }
        }
    });
    receiver
}
