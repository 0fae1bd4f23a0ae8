//! The official clients, TypeScript and Python, of both generations, against `notebook` and `hashcheck`.
//!
//! - *Takes*: the scripts of `tests/clients`, installed by `ci/setup`.
//! - *Gives*: that they list and call its tools and find their notes again, over HTTP and stdio, in each revision that
//!   they speak; the scripts hold the checks, this starts both sides.
//! - *Must not know*: what goes over the wire.

use std::{path::PathBuf, process::Command, time::Duration};

use serde_json::Value;

use crate::{
    programs::{Finished, RunningCommand, did_not_run, first_that_runs, root, run},
    support::{HttpServer, process::example},
};

/// How long one run of one client may take; it takes about a second.
const LIMIT: Duration = Duration::from_secs(60);

const MODERN: &str = "2026-07-28";

/// One of the four clients, as it is installed.
struct Client {
    program: PathBuf,
    script: PathBuf,
}

impl Client {
    fn node(script: &str) -> Option<Self> {
        let folder = root().join("tests/clients/node");
        if !folder.join("node_modules/.package-lock.json").is_file() {
            did_not_run(script, "the TypeScript clients are not installed");
            return None;
        }
        // The pinned one first; where there is no build of it, whichever is there.
        let programs = [root().join("tests/conformance/node_modules/.bin/node"), PathBuf::from("node")];
        let Some(program) = first_that_runs(&programs) else {
            did_not_run(script, "Node is missing");
            return None;
        };
        Some(Self { program: program.clone(), script: folder.join(script) })
    }

    fn python(script: &str, environment: &str) -> Option<Self> {
        let folder = root().join("tests/clients/python");
        let program = folder.join(environment).join("bin/python");
        if first_that_runs(std::slice::from_ref(&program)).is_none() {
            did_not_run(script, "the Python client is not installed");
            return None;
        }
        Some(Self { program, script: folder.join(script) })
    }

    fn command(&self, revision: &str) -> Command {
        let mut command = Command::new(&self.program);
        command.arg(&self.script).args(["--revision", revision]);
        command
    }

    fn over_http(&self, revisions: &[&str]) {
        let server = HttpServer::start("notebook");
        for revision in revisions {
            let finished = run(self.command(revision).args(["--url", &server.url()]), LIMIT);
            let facts = facts(&finished, revision);
            assert_eq!(facts["found_again"], true, "{revision}: {facts}");
            assert_eq!(facts["isolated"], true, "{revision}: {facts}");
        }
    }

    /// The clients hold structured results against the announced schemas, and give up where one does not conform.
    fn takes_nulls(&self, revisions: &[&str]) {
        let server = HttpServer::start("hashcheck");
        for revision in revisions {
            let finished = run(self.command(revision).args(["--url", &server.url(), "--hashes"]), LIMIT);
            let facts = facts(&finished, revision);
            assert_eq!(facts["verified"], true, "{revision}: {facts}");
        }
    }

    fn over_stdio(&self, revisions: &[&str]) {
        for revision in revisions {
            let mut command = self.command(revision);
            command.arg("--stdio").arg(example("notebook")).args(["--transport", "stdio"]);
            let facts = facts(&run(&mut command, LIMIT), revision);
            assert_eq!(facts["isolated"], true, "{revision}: {facts}");
        }
    }

    /// Between its two connections the server is killed and another one started over the same file.
    fn over_a_restart(&self, revisions: &[&str]) {
        let folder = tempfile::tempdir().expect("a temporary folder");
        for revision in revisions {
            let store = format!("file:{}", folder.path().join(revision).display());
            // The servers before and after must share their key.
            let keys = ("MCP_SESSION_KEYS", "first:ZALIcbXBYPui46usa804ctbpIxNRirx4KfIo8HssOqU=");
            let start = || HttpServer::with("notebook", &["--store", &store], &[keys]);
            let before = start();
            let mut client =
                RunningCommand::start(self.command(revision).args(["--url", &before.url(), "--restart"]), LIMIT);
            client.wait_for(r#""closed""#);
            before.kill();
            let after = start();
            client.tell(&after.url());
            let facts = facts(&client.finish(), revision);
            assert_eq!(facts["found_again"], true, "{revision}: {facts}");
        }
    }
}

/// The last line that a client wrote, which must tell of success.
fn facts(finished: &Finished, revision: &str) -> Value {
    let told = format!("{revision}: {}\n{}{}", finished.status, finished.stdout, finished.stderr);
    assert!(finished.status.success(), "{told}");
    let line = finished.stdout.lines().last().unwrap_or_default();
    let facts: Value = serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {told}"));
    assert_eq!(facts["ok"], true, "{told}");
    let expected = if revision == "auto" { MODERN } else { revision };
    assert_eq!(facts["revision"], expected, "{told}");
    facts
}

/// What the first generation of clients speaks.
const FIRST_GENERATION: &[&str] = &["2025-11-25"];
/// What the second generation of the TypeScript client speaks; `auto` asks the server and must find the newest.
const TYPESCRIPT: &[&str] = &["2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25", MODERN, "auto"];
/// What the second generation of the Python client speaks: it proposes no older revision.
const PYTHON: &[&str] = &["2025-11-25", MODERN, "auto"];
/// One revision of each era.
const ERAS: &[&str] = &["2025-11-25", MODERN];

#[test]
fn the_first_typescript_client_finds_its_notes_again_over_http() {
    if let Some(client) = Client::node("v1.mjs") {
        client.over_http(FIRST_GENERATION);
    }
}

#[test]
fn the_first_typescript_client_finds_its_notes_again_over_stdio() {
    if let Some(client) = Client::node("v1.mjs") {
        client.over_stdio(FIRST_GENERATION);
    }
}

#[test]
fn the_second_typescript_client_finds_its_notes_again_over_http_in_each_revision() {
    if let Some(client) = Client::node("v2.mjs") {
        client.over_http(TYPESCRIPT);
    }
}

#[test]
fn the_second_typescript_client_finds_its_notes_again_over_stdio_in_each_revision() {
    if let Some(client) = Client::node("v2.mjs") {
        client.over_stdio(TYPESCRIPT);
    }
}

#[test]
fn the_first_python_client_finds_its_notes_again_over_http() {
    if let Some(client) = Client::python("client_v1.py", ".venv1") {
        client.over_http(FIRST_GENERATION);
    }
}

#[test]
fn the_first_python_client_finds_its_notes_again_over_stdio() {
    if let Some(client) = Client::python("client_v1.py", ".venv1") {
        client.over_stdio(FIRST_GENERATION);
    }
}

#[test]
fn the_second_python_client_finds_its_notes_again_over_http_in_both_eras() {
    if let Some(client) = Client::python("client_v2.py", ".venv2") {
        client.over_http(PYTHON);
    }
}

#[test]
fn the_second_python_client_finds_its_notes_again_over_stdio_in_both_eras() {
    if let Some(client) = Client::python("client_v2.py", ".venv2") {
        client.over_stdio(PYTHON);
    }
}

#[test]
fn notes_are_found_again_after_the_server_was_killed_and_restarted() {
    if let Some(client) = Client::node("v2.mjs") {
        client.over_a_restart(ERAS);
    }
    if let Some(client) = Client::python("client_v2.py", ".venv2") {
        client.over_a_restart(ERAS);
    }
}

#[test]
fn every_client_takes_a_null_in_a_typed_result() {
    let clients = [
        (Client::node("v1.mjs"), FIRST_GENERATION),
        (Client::node("v2.mjs"), ERAS),
        (Client::python("client_v1.py", ".venv1"), FIRST_GENERATION),
        (Client::python("client_v2.py", ".venv2"), ERAS),
    ];
    for (client, revisions) in clients {
        if let Some(client) = client {
            client.takes_nulls(revisions);
        }
    }
}
