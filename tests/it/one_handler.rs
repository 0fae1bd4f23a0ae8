//! One handler has one outcome: the transcripts of the example `trip`, compared over all revisions and both transports.

use std::{collections::BTreeSet, fs, path::Path};

use mcp_runtime::protocol::Version;
use serde_json::{Value, json};

use crate::transcripts::{Over, Played, Transcript};

/// What happened, in words that no revision owns.
#[derive(Debug, PartialEq)]
struct Outcome {
    /// What was asked, in order: the method and the words.
    questions: Vec<(String, String)>,
    /// What the calls gave, in order: the text, the structured result where there is one, whether it is a refusal.
    results: Vec<(Value, Option<Value>, bool)>,
    /// How far the work was, each report once: a function that runs again says the same again.
    progress: BTreeSet<String>,
}

impl Outcome {
    fn of(played: &Played) -> Self {
        let mut outcome = Self { questions: Vec::new(), results: Vec::new(), progress: BTreeSet::new() };
        for message in played.messages().chain(played.apart().iter().cloned()) {
            match message["method"].as_str() {
                Some("notifications/progress") => {
                    let report = &message["params"];
                    outcome.progress.insert(format!("{} of {}", report["progress"], report["total"]));
                }
                Some(_) => outcome.asked(&message),
                None => outcome.answered(&message["result"]),
            }
        }
        outcome
    }

    fn asked(&mut self, question: &Value) {
        let params = &question["params"];
        let words = params["message"].as_str().or(params["messages"][0]["content"]["text"].as_str());
        if let (Some(method), Some(words)) = (question["method"].as_str(), words) {
            self.questions.push((method.into(), words.into()));
        }
    }

    fn answered(&mut self, result: &Value) {
        result["inputRequests"].as_object().into_iter().flatten().for_each(|(_, question)| self.asked(question));
        // The result of a task may be a part of what is said of the task.
        let result = if result["result"].is_object() { &result["result"] } else { result };
        let structured = &result["structuredContent"];
        // The session itself is each revision's own business.
        if result["content"].is_null() || !structured["session"].is_null() {
            return;
        }
        let text = result["content"][0]["text"].as_str().unwrap_or_default();
        let text = serde_json::from_str(text).unwrap_or_else(|_| json!(text));
        // Where only objects will do, any other value is wrapped.
        let structured = structured.get("result").unwrap_or(structured);
        let structured = Some(structured.clone()).filter(|structured| !structured.is_null());
        self.results.push((text, structured, result["isError"] == true));
    }
}

/// Plays the transcripts of this name over both transports; gives their revisions and outcomes.
fn outcomes(name: &str) -> Vec<(String, Outcome)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/transcripts");
    let folders = fs::read_dir(root).expect("tests/transcripts is there").flatten();
    let paths = folders.map(|folder| folder.path().join(name).with_extension("txt"));
    let mut outcomes = Vec::new();
    for path in paths.filter(|path| path.exists()) {
        let transcript = Transcript::read(&path);
        assert_eq!(transcript.example, "trip", "{}: another handler", path.display());
        for over in [Over::http, Over::stdio] {
            let outcome = Outcome::of(&transcript.play(over(&transcript.example)));
            outcomes.push((transcript.revision.clone(), outcome));
        }
    }
    outcomes.sort_by(|(one, _), (other, _)| one.cmp(other));
    outcomes
}

fn revisions(outcomes: &[(String, Outcome)]) -> Vec<&str> {
    let mut revisions: Vec<&str> = outcomes.iter().map(|(revision, _)| &**revision).collect();
    assert!(revisions.chunks(2).all(|pair| pair[0] == pair[1]), "each is there twice");
    revisions.dedup();
    revisions
}

/// What the function gives, and what its session holds afterwards, in every revision that can say it.
fn assert_same(outcomes: &[(String, Outcome)], questions: [(&str, &str); 2], reports: bool) {
    let trip = json!({ "city": "Bruges", "days": 3, "hotel": "Old Mill" });
    for (revision, outcome) in outcomes {
        let structured = Version::parse(revision).is_some_and(|version| version.facts().structured);
        let result = |value: Value| (value.clone(), structured.then_some(value), false);
        assert_eq!(outcome.results, [result(trip.clone()), result(json!([trip]))], "{revision}");
        let asked = questions.map(|(method, words)| (method.to_owned(), words.to_owned()));
        assert_eq!(outcome.questions, asked, "{revision}");
        if reports {
            let progress = ["1.0 of 3.0", "2.0 of 3.0", "3.0 of 3.0"].map(ToOwned::to_owned);
            assert_eq!(outcome.progress, BTreeSet::from(progress), "{revision}");
        }
    }
}

const FORMS: [(&str, &str); 2] =
    [("elicitation/create", "How long in Bruges?"), ("elicitation/create", "Where in Bruges?")];
const MODEL: [(&str, &str); 2] = [
    ("sampling/createMessage", "For how many days is Bruges worth a trip? Answer with a number alone."),
    ("sampling/createMessage", "Name a hotel in Bruges for 3 days."),
];

#[test]
fn a_function_that_asks_the_person_has_one_outcome_in_every_revision_that_has_forms() {
    let outcomes = outcomes("one_function_asks_twice_reports_progress_and_writes_to_its_session");
    assert_eq!(revisions(&outcomes), ["2025-06-18", "2025-11-25", "2026-07-28"]);
    assert_same(&outcomes, FORMS, true);
}

#[test]
fn a_function_that_asks_the_person_says_that_it_can_not_where_there_are_no_forms_and_writes_nothing() {
    let outcomes = outcomes("one_function_can_not_ask_where_there_are_no_forms");
    assert_eq!(revisions(&outcomes), ["2024-11-05", "2025-03-26"]);
    for (revision, outcome) in &outcomes {
        let refusal =
            "This call asks the client (elicitation/create) for something that its protocol revision does not have";
        assert_eq!(outcome.results, [(json!(refusal), None, true), (json!([]), None, false)], "{revision}");
        assert_eq!(outcome.questions, [], "{revision}");
    }
}

#[test]
fn a_function_that_asks_the_model_has_one_outcome_in_all_revisions() {
    let outcomes = outcomes("one_function_samples_twice_reports_progress_and_writes_to_its_session");
    assert_eq!(revisions(&outcomes), crate::official_schema::REVISIONS);
    assert_same(&outcomes, MODEL, true);
}

// Proves: TE-09, U-07.
#[test]
fn a_task_that_asks_has_one_outcome_in_both_revisions_that_have_tasks() {
    for (kind, questions) in [("asks", FORMS), ("samples", MODEL)] {
        let outcomes = outcomes(&format!("one_function_is_a_task_that_{kind}_twice_and_writes_to_its_session"));
        assert_eq!(revisions(&outcomes), ["2025-11-25", "2026-07-28"]);
        // How far it is, only one of them reports, when it comes to that.
        assert_same(&outcomes, questions, false);
        for (_, outcome) in outcomes.iter().filter(|(revision, _)| revision == "2026-07-28") {
            assert!(outcome.progress.is_empty(), "a task of this revision reports no progress");
        }
    }
}
