//! The record of a task: what its store keeps.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, value::RawValue};

use crate::{
    call::{Answer, Asks, Fault, FaultKind, Given, Manner, Question, ToolResult},
    protocol::{
        Content,
        ask::{ElicitRequest, SamplingRequest},
    },
    wire::Code,
};

/// What the store keeps of a task.
#[derive(Serialize, Deserialize)]
pub(crate) struct Record {
    /// For which kind of client it was made.
    pub(super) manner: Manner,
    /// The tool that was called.
    pub(crate) tool: Box<str>,
    /// When it was made, in milliseconds since 1970; so are all times here.
    pub(super) created: u64,
    pub(super) updated: u64,
    /// How long it is kept, in milliseconds.
    pub(super) ttl: u64,
    pub(super) poll_interval: u64,
    pub(super) message: Option<Box<str>>,
    /// The run of the server in which its function runs.
    pub(super) runner: [u8; 16],
    /// Until when that is believed without a sign of life.
    pub(super) alive_until: u64,
    /// The questions that wait for their answers, by the keys that clients see.
    pub(super) open: BTreeMap<Box<str>, Open>,
    /// Every key that ever was: none comes again with another question.
    used: BTreeSet<Box<str>>,
    /// Answers that the function has not got yet.
    answered: Vec<(Box<str>, Given)>,
    pub(super) ending: Option<Ending>,
}

/// A question that waits.
#[derive(Serialize, Deserialize)]
pub(super) struct Open {
    /// By which the function knows its answer.
    key: Box<str>,
    digest: Box<str>,
    asks: KeptAsks,
}

/// What is asked, in a form that can be read again.
#[derive(Serialize, Deserialize)]
enum KeptAsks {
    Form { message: String, schema: Box<RawValue> },
    Page { message: String, url: String },
    Sample(Box<SamplingRequest>),
    Roots,
}

/// How a task ended.
#[derive(Serialize, Deserialize)]
pub(super) enum Ending {
    Result(KeptResult),
    Fault(KeptFault),
    Cancelled,
}

#[derive(Serialize, Deserialize)]
pub(super) struct KeptResult {
    content: Vec<Content>,
    structured: Option<Box<RawValue>>,
    is_error: bool,
    meta: Option<Map<String, Value>>,
}

#[derive(Serialize, Deserialize)]
pub(super) struct KeptFault {
    code: i32,
    message: String,
    data: Option<Value>,
    /// It failed because its client lacks a capability.
    missing_capability: bool,
}

impl Record {
    pub(super) fn new(manner: Manner, tool: &str, now: u64) -> Self {
        Self {
            manner,
            tool: tool.into(),
            created: now,
            updated: now,
            ttl: 0,
            poll_interval: 0,
            message: None,
            runner: [0; 16],
            alive_until: 0,
            open: BTreeMap::new(),
            used: BTreeSet::new(),
            answered: Vec::new(),
            ending: None,
        }
    }

    /// Whether it stays as it is.
    pub(crate) fn is_over(&self) -> bool {
        self.ending.is_some()
    }

    /// Whether it waits for answers.
    pub(crate) fn waits(&self) -> bool {
        self.ending.is_none() && !self.open.is_empty()
    }

    /// Takes questions in, each under a key that it never had before.
    pub(super) fn ask(&mut self, questions: &[Question]) {
        for question in questions {
            let mut key = question.key.clone();
            let mut number = 2_u32;
            while !self.used.insert(key.clone()) {
                key = format!("{}-{number}", question.key).into();
                number += 1;
            }
            let asks = KeptAsks::from(&question.asks);
            self.open.insert(key, Open { key: question.key.clone(), digest: question.digest.clone(), asks });
        }
    }

    /// Takes answers to open questions in; whatever else comes answers nothing. Whether anything changed.
    pub(super) fn answer(&mut self, answers: Vec<(Box<str>, Answer)>) -> bool {
        let mut changed = false;
        for (key, answer) in answers {
            if let Some(open) = self.open.remove(&key) {
                self.answered.push((open.key, Given { question: Some(open.digest), answer }));
                changed = true;
            }
        }
        changed
    }

    /// The answers for the function, once all are there.
    pub(super) fn take_answers(&mut self) -> Option<Vec<(Box<str>, Given)>> {
        self.open.is_empty().then(|| std::mem::take(&mut self.answered))
    }

    /// Ends it, if it has not ended.
    pub(super) fn end(&mut self, ending: Ending, message: Option<Box<str>>) -> bool {
        if self.is_over() {
            return false;
        }
        self.open.clear();
        self.answered.clear();
        self.message = message;
        self.ending = Some(ending);
        true
    }

    /// The open questions, by the keys that clients see.
    pub(super) fn questions(&self) -> Vec<Question> {
        let question = |key: &str, open: &Open| Question {
            key: key.into(),
            digest: open.digest.clone(),
            asks: Asks::from(&open.asks),
        };
        self.open.iter().map(|(key, open)| question(key, open)).collect()
    }
}

impl Ending {
    pub(super) fn of(outcome: Result<ToolResult, Fault>) -> Self {
        match outcome {
            Ok(ToolResult { content, structured, is_error, meta }) => {
                Self::Result(KeptResult { content, structured, is_error, meta })
            }
            Err(Fault { code, message, data, kind }) => Self::Fault(KeptFault {
                code: code.0,
                message,
                data,
                missing_capability: kind == FaultKind::MissingCapability,
            }),
        }
    }

    /// What is told of it beside the status.
    pub(super) fn message(&self) -> Option<Box<str>> {
        match self {
            Self::Fault(fault) => Some(fault.message.as_str().into()),
            Self::Cancelled => Some("The task was cancelled".into()),
            Self::Result(_) => None,
        }
    }
}

impl From<&KeptResult> for ToolResult {
    fn from(kept: &KeptResult) -> Self {
        let KeptResult { content, structured, is_error, meta } = kept;
        Self { content: content.clone(), structured: structured.clone(), is_error: *is_error, meta: meta.clone() }
    }
}

impl From<&KeptFault> for Fault {
    fn from(kept: &KeptFault) -> Self {
        let kind = if kept.missing_capability { FaultKind::MissingCapability } else { FaultKind::Plain };
        Self { code: Code(kept.code), message: kept.message.clone(), data: kept.data.clone(), kind }
    }
}

impl From<&Asks> for KeptAsks {
    fn from(asks: &Asks) -> Self {
        match asks {
            Asks::Elicit(ElicitRequest::Form { message, requested_schema }) => {
                Self::Form { message: message.clone(), schema: requested_schema.clone() }
            }
            Asks::Elicit(ElicitRequest::Url { message, url, .. }) => {
                Self::Page { message: message.clone(), url: url.clone() }
            }
            Asks::Sample(request) => Self::Sample(request.clone()),
            Asks::Roots => Self::Roots,
        }
    }
}

impl From<&KeptAsks> for Asks {
    fn from(kept: &KeptAsks) -> Self {
        match kept {
            KeptAsks::Form { message, schema } => Self::Elicit(ElicitRequest::form(message, schema.clone())),
            KeptAsks::Page { message, url } => Self::Elicit(ElicitRequest::url(message, url)),
            KeptAsks::Sample(request) => Self::Sample(request.clone()),
            KeptAsks::Roots => Self::Roots,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record() -> Record {
        Record::new(Manner::ByServer, "book", 0)
    }

    fn read_again(record: &Record) -> Record {
        let bytes = serde_json::to_vec(record).expect("plain data");
        serde_json::from_slice(&bytes).expect("what was written")
    }

    fn form(key: &str, message: &str) -> Question {
        let schema = serde_json::from_str(r#"{"type":"object","properties":{"z":{},"a":{}}}"#).expect("JSON");
        Question::new(key, Asks::Elicit(ElicitRequest::form(message, schema)))
    }

    fn yes() -> Answer {
        Answer::Result(serde_json::from_str(r#"{"action":"accept"}"#).expect("JSON"))
    }

    #[test]
    fn a_key_that_is_asked_again_is_another_key_for_clients_and_the_same_for_the_function() {
        let mut record = record();
        record.ask(&[form("city", "Which?")]);
        assert!(record.answer(vec![("city".into(), yes())]));
        assert!(record.take_answers().is_some());
        record.ask(&[form("city", "Which, please?")]);
        let keys: Vec<_> = record.questions().into_iter().map(|question| question.key).collect();
        assert_eq!(*keys, [Box::from("city-2")]);
        assert!(!record.answer(vec![("city".into(), yes())]), "an answer of before");
        assert!(record.answer(vec![("city-2".into(), yes())]));
        let answers = record.take_answers().expect("all are there");
        assert_eq!(&*answers[0].0, "city");
    }

    #[test]
    fn some_answers_leave_the_other_questions_open() {
        let mut record = record();
        record.ask(&[form("city", "Which?"), form("day", "When?")]);
        assert!(record.answer(vec![("city".into(), yes()), ("other".into(), yes())]));
        let mut record = read_again(&record);
        assert!(record.waits() && record.take_answers().is_none());
        assert!(record.answer(vec![("day".into(), yes())]));
        assert_eq!(record.take_answers().map(|answers| answers.len()), Some(2));
    }

    #[test]
    fn every_kind_of_question_is_read_as_it_was_written() {
        let tool = crate::protocol::Tool::new("t", "d", &serde_json::json!({ "type": "object" }));
        let all = [
            form("form", "Which?"),
            Question::new("page", Asks::Elicit(ElicitRequest::url("Log in", "https://example.com"))),
            Question::new("sample", Asks::Sample(Box::new(SamplingRequest::text("hello")))),
            Question::new("tools", Asks::Sample(Box::new(SamplingRequest::text("hello").tool(tool).stop_at("x")))),
            Question::new("roots", Asks::Roots),
        ];
        let mut record = record();
        record.ask(&all);
        for question in read_again(&record).questions() {
            let asked = all.iter().find(|asked| asked.key == question.key).expect("it was asked");
            assert_eq!(Question::new(&question.key, question.asks).digest, asked.digest, "{}", asked.key);
        }
    }

    #[test]
    fn an_end_is_final() {
        let mut record = record();
        record.ask(&[form("city", "Which?")]);
        assert!(record.end(Ending::Cancelled, None));
        assert!(!record.end(Ending::of(Ok(ToolResult::text("late"))), None));
        assert!(matches!(read_again(&record).ending, Some(Ending::Cancelled)));
        assert!(!record.waits());
    }
}
