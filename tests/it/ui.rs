//! What the compiler says of every wrong declaration: `tests/ui`, whose README says how to bless it.

use std::{env, io::Write as _, process::Command};

/// The compiler whose own words stand in `tests/ui`.
const COMPILER: &str = "rustc 1.95.";

#[test]
fn every_wrong_declaration_is_explained_at_its_place() {
    let cases = trybuild::TestCases::new();
    cases.pass("tests/ui/pass/*.rs");
    let compiler = env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let version = Command::new(compiler).arg("--version").output().expect("the compiler says its version").stdout;
    let version = String::from_utf8_lossy(&version);
    if !version.starts_with(COMPILER) && env::var("CI").as_deref() != Ok("true") {
        // Past the capture of the test harness: what was left out must be seen.
        let said = "What the compiler says of wrong declarations was not compared";
        let _ = writeln!(std::io::stderr(), "{said}: the answers are {COMPILER}x's, this is {}.", version.trim());
        return;
    }
    for subject in ["argument", "completion", "parameter", "prompt", "resource", "result", "server", "state", "tool"] {
        cases.compile_fail(format!("tests/ui/{subject}/*.rs"));
    }
}
