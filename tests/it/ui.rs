//! What the compiler says of every wrong declaration: `tests/ui`, whose README says how to bless it.

#[test]
fn every_wrong_declaration_is_explained_at_its_place() {
    let cases = trybuild::TestCases::new();
    cases.pass("tests/ui/pass/*.rs");
    for subject in ["argument", "parameter", "result", "server", "state", "tool"] {
        cases.compile_fail(format!("tests/ui/{subject}/*.rs"));
    }
}
