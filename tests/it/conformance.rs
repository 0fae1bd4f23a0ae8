//! The official conformance suite against `everything`.
//!
//! - *Takes*: the suite, newest and stable, and a Node that can run it, installed by `ci/setup`.
//! - *Gives*: that all scenarios pass in every revision that has them, without a warning and without a skipped
//!   check: the suite itself fails for failures alone. There is no list of expected failures.
//! - *Must not know*: what goes over the wire.

use std::{
    collections::BTreeMap,
    fmt::Write as _,
    fs,
    io::Write as _,
    path::{Path, PathBuf},
    process::Command,
    sync::Mutex,
    thread,
    time::Duration,
};

use serde::Deserialize;

use crate::{
    programs::{did_not_run, first_that_runs, root, run},
    support::HttpServer,
};

/// How many scenarios each revision has: fewer would be a suite that lost some.
const NEWEST: &[(&str, usize)] =
    &[("2025-03-26", 1), ("2025-06-18", 27), ("2025-11-25", 33), ("2026-07-28", 40), (EXTENSION, 10)];
/// The same of the stable suite.
const STABLE: &[(&str, usize)] = &[("2025-06-18", 26), ("2025-11-25", 32)];

/// The extension of tasks, whose scenarios the suite runs for no revision unless it is told to.
const EXTENSION: &str = "extension";
/// The one scenario that the suite itself leaves out, always.
const LEFT_OUT: &str = "tasks-status-notifications";
/// Scenarios of the newest suite, and the requirements that they prove.
const PROOFS: &[&str] = &[
    "caching",                                   // Proves: CA-01, RS-08.
    "dns-rebinding-protection",                  // Proves: H-02, H-03.
    "elicitation-sep1034-defaults",              // Proves: E-02.
    "elicitation-sep1330-enums",                 // Proves: E-02.
    "http-custom-header-server-validation",      // Proves: N-04, N-05.
    "http-header-validation",                    // Proves: N-02, N-03.
    "input-required-result-capability-check",    // Proves: MR-03.
    "input-required-result-non-tool-request",    // Proves: PC-02.
    "input-required-result-tampered-state",      // Proves: MR-04.
    "input-required-result-unsupported-methods", // Proves: MR-01.
    "resources-read-binary",                     // Proves: RS-01, RS-07.
    "sep-2164-resource-not-found",               // Proves: RS-03.
    "server-stateless", // Proves: J-11, M-01, M-02, M-03, M-05, N-07, SB-02, SB-04, V-06, V-07.
];

/// How long one scenario may take; it takes about a second.
const LIMIT: Duration = Duration::from_secs(60);

/// The check that every message has the shape of the schema. The newest suite adds it to each scenario, so it alone
/// says nothing about the scenario.
const SHAPE: &str = "wire-schema-valid";

/// A release of the suite.
struct Suite {
    node: PathBuf,
    script: PathBuf,
}

/// One line of a scenario's report.
#[derive(Deserialize)]
struct Check {
    id: String,
    status: String,
    #[serde(default)]
    description: String,
    #[serde(rename = "errorMessage")]
    error: Option<String>,
}

/// How a scenario went in a revision.
struct Row {
    scenario: String,
    revision: String,
    /// What is wrong, or how many checks went well.
    outcome: Result<usize, String>,
}

impl Suite {
    fn installed(package: &str) -> Option<Self> {
        let modules = root().join("tests/conformance/node_modules");
        let script = modules.join(package).join("dist/index.js");
        if !script.is_file() {
            did_not_run("the conformance suite", "it is not installed");
            return None;
        }
        // Older ones than 22 die of a missing function; the one beside the suite is pinned with it.
        let node = modules.join(".bin/node");
        if first_that_runs(std::slice::from_ref(&node)).is_none() {
            did_not_run("the conformance suite", "its Node is missing (there are builds for Linux on x64 and arm64)");
            return None;
        }
        Some(Self { node, script })
    }

    fn command(&self) -> Command {
        let mut command = Command::new(&self.node);
        command.arg(&self.script);
        command
    }

    /// Which revisions have which scenario, as the suite says: `  - NAME [REVISION,REVISION]`.
    fn windows(&self) -> BTreeMap<String, Vec<String>> {
        let listed = run(self.command().args(["list", "--server"]), LIMIT);
        assert!(listed.status.success(), "{}{}", listed.stdout, listed.stderr);
        let line = |line: &str| {
            let (name, window) = line.trim().strip_prefix("- ")?.strip_suffix(']')?.split_once(" [")?;
            Some((name.to_owned(), window.split(',').map(str::to_owned).collect()))
        };
        listed.stdout.lines().filter_map(line).collect()
    }

    fn run_one(&self, url: &str, folder: &Path, scenario: &str, revision: &str) -> Result<usize, String> {
        let output = folder.join(format!("{scenario}-{revision}"));
        let mut command = self.command();
        command.args(["server", "--url", url, "--scenario", scenario]);
        if revision == EXTENSION {
            command.args(["--spec-version", "2026-07-28", "--force"]);
        } else {
            command.args(["--spec-version", revision]);
        }
        command.arg("-o");
        let finished = run(command.arg(&output), LIMIT);
        if !finished.status.success() {
            return Err(format!("{}\n{}{}", finished.status, finished.stdout, finished.stderr));
        }
        // The suite makes a folder of its own, with the time in its name.
        let reports: Vec<_> = fs::read_dir(&output)
            .map_err(|error| format!("it wrote nothing: {error}"))?
            .filter_map(|entry| Some(entry.ok()?.path().join("checks.json")))
            .collect();
        let [report] = &reports[..] else { return Err(format!("it wrote {} reports", reports.len())) };
        let text = fs::read(report).map_err(|error| format!("{}: {error}", report.display()))?;
        let checks: Vec<Check> = serde_json::from_slice(&text).map_err(|error| error.to_string())?;
        if scenario == LEFT_OUT && checks.iter().all(|check| check.status == "SKIPPED" || check.id == SHAPE) {
            return Ok(0);
        }
        judge(&checks)
    }
}

/// The number of good checks, if all are: a warning or a skipped check is not.
fn judge(checks: &[Check]) -> Result<usize, String> {
    let mut problems = String::new();
    for check in checks.iter().filter(|check| !matches!(check.status.as_str(), "SUCCESS" | "INFO")) {
        let error = check.error.as_deref().unwrap_or_default();
        let _ = writeln!(problems, "{} {}: {} {error}", check.status, check.id, check.description);
    }
    let good = checks.iter().filter(|check| check.status == "SUCCESS");
    if !good.clone().any(|check| check.id != SHAPE) {
        problems.push_str("no check of the scenario itself succeeded\n");
    }
    if problems.is_empty() { Ok(good.count()) } else { Err(problems) }
}

/// Runs all that the suite has for these revisions, two at a time, and prints the table.
fn passes(suite_name: &str, suite: &Suite, expected: &[(&str, usize)]) {
    let windows = suite.windows();
    let jobs: Vec<(&str, &str)> = windows
        .iter()
        .flat_map(|(scenario, revisions)| revisions.iter().map(move |revision| (&**scenario, &**revision)))
        .filter(|(scenario, revision)| {
            let known = expected.iter().any(|(known, _)| known == revision);
            known && (*revision != EXTENSION || scenario.starts_with("tasks-"))
        })
        .collect();
    for (revision, count) in expected {
        let found = jobs.iter().filter(|(_, known)| known == revision).count();
        assert_eq!(found, *count, "{suite_name} has another number of scenarios for {revision}");
    }
    let server = HttpServer::start("everything");
    let folder = tempfile::tempdir().expect("a temporary folder");
    let url = server.url();
    let queue = Mutex::new(jobs.iter());
    let rows = Mutex::new(Vec::new());
    thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                loop {
                    let next = queue.lock().expect("nothing panics under the lock").next();
                    let Some((scenario, revision)) = next else { break };
                    let outcome = suite.run_one(&url, folder.path(), scenario, revision);
                    let row = Row { scenario: (*scenario).to_owned(), revision: (*revision).to_owned(), outcome };
                    rows.lock().expect("nothing panics under the lock").push(row);
                }
            });
        }
    });
    let rows = rows.into_inner().expect("nothing panicked");
    assert_eq!(rows.len(), jobs.len());
    let table = table(suite_name, &rows);
    // Past the capture of the test harness, so that a run shows what was covered.
    let _ = std::io::stderr().write_all(table.as_bytes());
    let log: Vec<String> = server.stderr.try_iter().collect();
    assert!(rows.iter().all(|row| row.outcome.is_ok()), "{table}\nthe server's log:\n{}", log.join("\n"));
}

/// A line per scenario, a column per revision with the number of good checks, and below it what is wrong.
fn table(suite_name: &str, rows: &[Row]) -> String {
    let mut revisions: Vec<&str> = rows.iter().map(|row| row.revision.as_str()).collect();
    revisions.sort_unstable();
    revisions.dedup();
    let mut table = format!("\n{suite_name:<46}");
    for revision in &revisions {
        let _ = write!(table, "{revision:>12}");
    }
    let mut scenarios: Vec<&str> = rows.iter().map(|row| row.scenario.as_str()).collect();
    scenarios.sort_unstable();
    scenarios.dedup();
    for scenario in scenarios {
        let _ = write!(table, "\n{scenario:<46}");
        for revision in &revisions {
            let row = rows.iter().find(|row| row.scenario == scenario && row.revision == *revision);
            let cell = match row.map(|row| &row.outcome) {
                None => "-".to_owned(),
                Some(Ok(good)) => good.to_string(),
                Some(Err(_)) => "FAILED".to_owned(),
            };
            let _ = write!(table, "{cell:>12}");
        }
    }
    table.push('\n');
    for row in rows {
        if let Err(problem) = &row.outcome {
            let _ = write!(table, "\n{} on {}:\n{problem}", row.scenario, row.revision);
        }
    }
    table
}

#[test]
fn the_newest_conformance_suite_passes_in_every_revision() {
    if let Some(suite) = Suite::installed("@modelcontextprotocol/conformance") {
        passes("conformance 0.2.0-alpha.12", &suite, NEWEST);
    }
}

#[test]
fn the_scenarios_that_prove_requirements_are_run() {
    let Some(suite) = Suite::installed("@modelcontextprotocol/conformance") else { return };
    let windows = suite.windows();
    for scenario in PROOFS {
        let revisions = windows.get(*scenario).unwrap_or_else(|| panic!("the suite has no {scenario}"));
        assert!(NEWEST.iter().any(|(known, _)| revisions.iter().any(|revision| revision == known)), "{scenario}");
    }
}

#[test]
fn the_stable_conformance_suite_passes_in_every_revision() {
    if let Some(suite) = Suite::installed("conformance-stable") {
        passes("conformance 0.1.16", &suite, STABLE);
    }
}

#[test]
fn a_warning_a_skipped_check_and_the_shape_alone_are_no_success() {
    let check = |id: &str, status: &str| Check {
        id: id.to_owned(),
        status: status.to_owned(),
        description: String::new(),
        error: None,
    };
    assert_eq!(judge(&[check("a", "SUCCESS"), check("b", "INFO"), check(SHAPE, "SUCCESS")]), Ok(2));
    for status in ["FAILURE", "WARNING", "SKIPPED"] {
        assert!(judge(&[check("a", "SUCCESS"), check("b", status)]).is_err(), "{status}");
    }
    assert!(judge(&[check(SHAPE, "SUCCESS")]).is_err());
    assert!(judge(&[]).is_err());
}
