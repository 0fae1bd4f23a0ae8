//! The official conformance suite against `everything`.
//!
//! - *Takes*: the suite, newest and stable, and a Node that can run it, installed by `ci/setup`.
//! - *Gives*: that all scenarios pass in every revision that has them, without a warning and without a skipped
//!   check: the suite itself fails for failures alone. There is no list of expected failures. What the suite itself leaves
//!   out is no success: it is named below the table, with the suite's own reason, and not counted.
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

/// A revision, how many of its scenarios pass, and which the suite itself leaves out: with fewer, the suite lost some.
type Expected = (&'static str, usize, &'static [&'static str]);

const NEWEST: &[Expected] = &[
    ("2025-03-26", 1, &[]),
    ("2025-06-18", 27, &[]),
    ("2025-11-25", 33, &[]),
    ("2026-07-28", 40, &[]),
    // Of its ten: there is a scenario for notifications, which does nothing but say that it is skipped.
    (EXTENSION, 9, &["tasks-status-notifications"]),
];
/// The same of the stable suite.
const STABLE: &[Expected] = &[("2025-06-18", 26, &[]), ("2025-11-25", 32, &[])];

/// The extension of tasks, whose scenarios the suite runs for no revision unless it is told to.
const EXTENSION: &str = "extension";
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
    outcome: Outcome,
}

/// How a scenario went.
#[derive(Debug, PartialEq)]
enum Outcome {
    /// So many checks went well, and no other.
    Passed(usize),
    /// The suite did not run it, and says why.
    LeftOut(String),
    /// What is wrong.
    Failed(String),
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

    fn run_one(&self, url: &str, folder: &Path, scenario: &str, revision: &str) -> Result<Outcome, String> {
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
        Ok(judge(&checks))
    }
}

/// A scenario has passed if all of its checks are good: a warning or a skipped check is not. One that has no check but
/// skipped ones was left out.
fn judge(checks: &[Check]) -> Outcome {
    let own = || checks.iter().filter(|check| check.id != SHAPE);
    if own().count() > 0
        && checks.iter().all(|check| check.status == "SKIPPED" || check.id == SHAPE && check.status == "SUCCESS")
    {
        let reasons: Vec<&str> = own().map(|check| check.error.as_deref().unwrap_or(&check.description)).collect();
        return Outcome::LeftOut(reasons.join("; "));
    }
    let mut problems = String::new();
    for check in checks.iter().filter(|check| !matches!(check.status.as_str(), "SUCCESS" | "INFO")) {
        let error = check.error.as_deref().unwrap_or_default();
        let _ = writeln!(problems, "{} {}: {} {error}", check.status, check.id, check.description);
    }
    let good = checks.iter().filter(|check| check.status == "SUCCESS");
    if !good.clone().any(|check| check.id != SHAPE) {
        problems.push_str("no check of the scenario itself succeeded\n");
    }
    if problems.is_empty() { Outcome::Passed(good.count()) } else { Outcome::Failed(problems) }
}

/// What is not as it should be in a revision: that something failed, that too little passed, that something else was left out.
fn shortfall(rows: &[Row], &(revision, passes, left_out): &Expected) -> Option<String> {
    let of_revision = || rows.iter().filter(|row| row.revision == revision);
    let passed = of_revision().filter(|row| matches!(row.outcome, Outcome::Passed(_))).count();
    let mut not_run: Vec<&str> =
        of_revision().filter(|row| matches!(row.outcome, Outcome::LeftOut(_))).map(|row| &*row.scenario).collect();
    not_run.sort_unstable();
    let all = of_revision().count();
    (passed != passes || not_run != left_out || all != passes + left_out.len())
        .then(|| format!("{revision}: {passed} of {all} passed instead of {passes}; left out were {not_run:?}"))
}

/// Runs all that the suite has for these revisions, two at a time, and prints the table.
fn passes(suite_name: &str, suite: &Suite, expected: &[Expected]) {
    let windows = suite.windows();
    let jobs: Vec<(&str, &str)> = windows
        .iter()
        .flat_map(|(scenario, revisions)| revisions.iter().map(move |revision| (&**scenario, &**revision)))
        .filter(|(scenario, revision)| {
            let known = expected.iter().any(|(known, ..)| known == revision);
            known && (*revision != EXTENSION || scenario.starts_with("tasks-"))
        })
        .collect();
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
                    let outcome = outcome.unwrap_or_else(Outcome::Failed);
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
    let short: Vec<String> = expected.iter().filter_map(|expected| shortfall(&rows, expected)).collect();
    assert!(short.is_empty(), "{short:#?}\n{table}\nthe server's log:\n{}", log.join("\n"));
}

/// A line per scenario, a column per revision with the number of good checks, and below it how many scenarios passed, what was
/// left out and what is wrong.
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
                Some(Outcome::Passed(good)) => good.to_string(),
                Some(Outcome::LeftOut(_)) => "left out".to_owned(),
                Some(Outcome::Failed(_)) => "FAILED".to_owned(),
            };
            let _ = write!(table, "{cell:>12}");
        }
    }
    let _ = write!(table, "\n{:<46}", "scenarios that passed");
    for revision in &revisions {
        let of_revision = || rows.iter().filter(|row| row.revision == *revision);
        let passed = of_revision().filter(|row| matches!(row.outcome, Outcome::Passed(_))).count();
        let _ = write!(table, "{:>12}", format!("{passed}/{}", of_revision().count()));
    }
    table.push('\n');
    for Row { scenario, revision, outcome } in rows {
        let _ = match outcome {
            Outcome::Passed(_) => Ok(()),
            Outcome::LeftOut(reason) => writeln!(table, "{scenario} on {revision} was not run by the suite: {reason}"),
            Outcome::Failed(problem) => write!(table, "\n{scenario} on {revision}:\n{problem}"),
        };
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
        assert!(NEWEST.iter().any(|(known, ..)| revisions.iter().any(|revision| revision == known)), "{scenario}");
    }
}

#[test]
fn the_stable_conformance_suite_passes_in_every_revision() {
    if let Some(suite) = Suite::installed("conformance-stable") {
        passes("conformance 0.1.16", &suite, STABLE);
    }
}

#[test]
fn a_warning_a_skipped_check_and_the_shape_alone_are_no_success_and_what_is_left_out_is_not_counted() {
    let check = |id: &str, status: &str| Check {
        id: id.to_owned(),
        status: status.to_owned(),
        description: String::new(),
        error: None,
    };
    let passed = judge(&[check("a", "SUCCESS"), check("b", "INFO"), check(SHAPE, "SUCCESS")]);
    assert_eq!(passed, Outcome::Passed(2));
    let failed = |checks: &[Check]| matches!(judge(checks), Outcome::Failed(_));
    for status in ["FAILURE", "WARNING", "SKIPPED"] {
        assert!(failed(&[check("a", "SUCCESS"), check("b", status)]), "{status}");
    }
    assert!(failed(&[check(SHAPE, "SUCCESS")]) && failed(&[]));
    assert!(failed(&[check("a", "SKIPPED"), check(SHAPE, "FAILURE")]));
    let skipped = judge(&[Check { error: Some("not yet".into()), ..check("a", "SKIPPED") }, check(SHAPE, "SUCCESS")]);
    assert_eq!(skipped, Outcome::LeftOut("not yet".into()));
    // What was left out counts for nothing, and fails where it was not known.
    let row = |scenario: &str, outcome| Row { scenario: scenario.into(), revision: "r".into(), outcome };
    let rows = [row("a", Outcome::Passed(1)), row("b", Outcome::LeftOut("not yet".into()))];
    assert_eq!(shortfall(&rows, &("r", 1, &["b"])), None);
    for wrong in [("r", 2, &[][..]), ("r", 1, &[]), ("r", 2, &["b"]), ("r", 1, &["a"]), ("r", 1, &["b", "c"])] {
        assert!(shortfall(&rows, &wrong).is_some(), "{wrong:?}");
    }
}
