//! One handler has one outcome: the transcripts of the example `trip`, compared over all revisions and both transports.

use std::{fs, path::Path};

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
    /// How far the work was, in the order in which it was reported: of the requests that have an answer of their own each, in
    /// the order of the requests.
    progress: Vec<Vec<Report>>,
}

/// So much of so much.
type Report = (f64, f64);

/// The reports of a function that says three times how far it is.
const REPORTS: [Report; 3] = [(1.0, 3.0), (2.0, 3.0), (3.0, 3.0)];

impl Outcome {
    fn of(played: &Played) -> Self {
        let mut outcome = Self { questions: Vec::new(), results: Vec::new(), progress: Vec::new() };
        let exchanges = played.exchanges().chain([played.apart().to_vec()]);
        for messages in exchanges {
            let mut reports = Vec::new();
            for message in messages {
                match message["method"].as_str() {
                    Some("notifications/progress") => {
                        let part = |name: &str| message["params"][name].as_f64().expect("a number");
                        reports.push((part("progress"), part("total")));
                    }
                    Some(_) => outcome.asked(&message),
                    None => outcome.answered(&message["result"]),
                }
            }
            outcome.progress.extend(Some(reports).filter(|reports| !reports.is_empty()));
        }
        outcome
    }

    /// Each report grows on the one before it: within a request, and over all of them where one request has all questions.
    /// Where each round is a request, a function that runs again says again what it said, and then more.
    fn assert_grows(&self, revision: &str) {
        let grows = |reports: &[Report]| reports.windows(2).all(|pair| pair[0].0 < pair[1].0);
        let rounds = Version::parse(revision).is_some_and(|version| version.facts().modern);
        if rounds {
            let ends: Vec<Report> = self.progress.iter().filter_map(|reports| reports.last().copied()).collect();
            assert!(
                self.progress.iter().all(|reports| grows(reports)) && grows(&ends),
                "{revision}: {:?}",
                self.progress
            );
        } else {
            assert!(grows(&self.progress.concat()), "{revision}: {:?}", self.progress);
        }
    }

    /// The reports in the order in which they came first.
    fn reports(&self) -> Vec<Report> {
        let mut first = Vec::new();
        for report in self.progress.iter().flatten() {
            if !first.contains(report) {
                first.push(*report);
            }
        }
        first
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
        outcome.assert_grows(revision);
        if reports {
            assert_eq!(outcome.reports(), REPORTS, "{revision}");
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
        assert_same(&outcomes, questions, false);
        for (revision, outcome) in &outcomes {
            let reports = outcome.reports();
            if revision == "2026-07-28" {
                assert!(reports.is_empty(), "a task of this revision reports no progress: {reports:?}");
            } else {
                // One that is not told when the next one comes gives way to it, so some may be missing; none is another.
                assert!(reports.iter().all(|report| REPORTS.contains(report)), "{reports:?}");
            }
        }
        let heard = |(revision, outcome): &(String, Outcome)| revision != "2026-07-28" && !outcome.progress.is_empty();
        assert!(outcomes.iter().any(heard), "nobody was told how far the task is");
    }
}
