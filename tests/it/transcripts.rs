//! Plays every transcript of `tests/transcripts`: bytes in, bytes out.
//!
//! A transcript is a text of lines:
//!
//! | line | meaning |
//! |---|---|
//! | `# text` | the law that it shows; `# example: NAME` names the server, `# over: http` leaves stdio out, `# proves: J-01` names requirements (`matrix.rs`), `# apart: METHOD` messages that come when they come: they must be valid, and are held against nothing |
//! | `> text` | what the client sends: a message, or `GET` or `DELETE` |
//! | `>~ text` | the same, sent again for as long as the task that it asks for is at work |
//! | `>: Name: value`, `>- Name` | a header of the next message, or a header to leave out (HTTP) |
//! | `< json` | a message that comes back; `"$name"` stands for a string that is remembered, `"$*"` for any value, `$*` in a string for any part of it, `"name?"` for a member that may be absent |
//! | `<: 404` | the status that comes back, if it is not 200, or 202 for nothing (HTTP) |
//! | `---` | another client comes (HTTP) |
//!
//! A question that comes back (a message with a method and an id) leaves its stream open. What the client sends next
//! answers it: it is taken with 202, and the stream goes on, up to the next question or its end.
//!
//! The headers that a client of the revision sends are sent without being written down. `UPDATE=1` writes down what came.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use serde_json::Value;

use crate::{
    official_schema,
    support::{HttpServer, Request, StdioServer, http::EventReader},
};

// Proves: J-03, J-05, J-09, J-11, J-12, CA-01, T-03, TL-02, TL-05.
#[test]
fn every_transcript_is_what_happens_over_http_and_stdio() {
    let mut played = 0;
    for path in transcripts() {
        let transcript = Transcript::read(&path);
        let http = transcript.play(Over::http(&transcript.example));
        transcript.hold(&path, &http);
        played += 1;
        // What is written down is what came over HTTP, with its statuses; stdio is held against it the next time.
        if transcript.over_stdio && std::env::var_os("UPDATE").is_none() {
            let stdio = transcript.play(Over::stdio(&transcript.example));
            transcript.hold(&path, &stdio);
            played += 1;
        }
    }
    assert!(std::env::var_os("UPDATE").is_some() || played > 60, "only {played} transcripts were found");
}

fn transcripts() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/transcripts");
    let mut files = Vec::new();
    for revision in fs::read_dir(root).expect("tests/transcripts is there").flatten() {
        for file in fs::read_dir(revision.path()).expect("a folder for each revision").flatten() {
            files.push(file.path());
        }
    }
    files.sort();
    files
}

pub(crate) struct Transcript {
    pub(crate) revision: String,
    pub(crate) example: String,
    over_stdio: bool,
    /// Methods of messages that come when they come.
    apart: Vec<String>,
    steps: Vec<Step>,
    /// The text before the first step, kept as it is.
    head: String,
}

/// What is sent and what should come back, or another client.
enum Step {
    Exchange {
        sent: String,
        headers: Vec<(String, Option<String>)>,
        status: Option<u16>,
        expected: Vec<String>,
        until_done: bool,
    },
    AnotherClient,
}

/// What came back, exchange by exchange.
pub(crate) struct Played {
    exchanges: Vec<(u16, Vec<String>)>,
    apart: Vec<Value>,
}

impl Played {
    /// Every message that came and is held against the transcript, in order, by what it came in return for.
    pub(crate) fn exchanges(&self) -> impl Iterator<Item = Vec<Value>> {
        self.exchanges.iter().map(|(_, messages)| messages.iter().map(|message| parse(message)).collect())
    }

    /// The messages that came when they came.
    pub(crate) fn apart(&self) -> &[Value] {
        &self.apart
    }
}

impl Transcript {
    pub(crate) fn read(path: &Path) -> Self {
        let text = fs::read_to_string(path).expect("a transcript can be read");
        let revision = path.parent().and_then(Path::file_name).expect("a folder for each revision");
        let mut transcript = Self {
            revision: revision.to_string_lossy().into_owned(),
            example: "notebook".into(),
            over_stdio: true,
            apart: Vec::new(),
            steps: Vec::new(),
            head: String::new(),
        };
        let mut headers = Vec::new();
        for line in text.lines() {
            if let Some(comment) = line.strip_prefix('#') {
                let comment = comment.trim();
                if let Some(name) = comment.strip_prefix("example:") {
                    transcript.example = name.trim().into();
                } else if let Some(method) = comment.strip_prefix("apart:") {
                    transcript.apart.push(method.trim().into());
                } else if comment == "over: http" {
                    transcript.over_stdio = false;
                }
                let _ = writeln!(transcript.head, "{line}");
            } else if let Some(header) = line.strip_prefix(">: ") {
                let (name, value) = header.split_once(':').expect("a header has a value");
                headers.push((name.to_owned(), Some(value.trim().to_owned())));
            } else if let Some(name) = line.strip_prefix(">- ") {
                headers.push((name.trim().to_owned(), None));
            } else if let Some(sent) = line.strip_prefix("> ").or_else(|| line.strip_prefix(">~ ")) {
                let headers = std::mem::take(&mut headers);
                let until_done = line.starts_with(">~");
                let (sent, expected) = (sent.into(), Vec::new());
                transcript.steps.push(Step::Exchange { sent, headers, status: None, expected, until_done });
            } else if let Some(expected_status) = line.strip_prefix("<: ") {
                let Some(Step::Exchange { status, .. }) = transcript.steps.last_mut() else { panic!("{line}") };
                *status = Some(expected_status.trim().parse().expect("a status is a number"));
            } else if let Some(message) = line.strip_prefix("< ") {
                let Some(Step::Exchange { expected, .. }) = transcript.steps.last_mut() else { panic!("{line}") };
                expected.push(message.into());
            } else if line == "---" {
                transcript.steps.push(Step::AnotherClient);
            } else {
                assert!(line.is_empty(), "{}: {line:?} is no line of a transcript", path.display());
            }
        }
        transcript
    }

    /// Plays all steps; values that are remembered go into later messages.
    pub(crate) fn play(&self, mut over: Over) -> Played {
        let mut remembered: BTreeMap<String, String> = BTreeMap::new();
        let mut played = Vec::new();
        let mut apart = Vec::new();
        let mut revision = self.revision.clone();
        // What is answered at last when the client answers a question.
        let mut asked = String::new();
        let mut questions = BTreeSet::new();
        for step in &self.steps {
            let Step::Exchange { sent, headers, expected, until_done, .. } = step else {
                over.another_client();
                questions.clear();
                played.push((0, Vec::new()));
                continue;
            };
            let mut sent = sent.clone();
            for (name, value) in &remembered {
                sent = sent.replace(&format!("${name}"), value);
            }
            let comes_apart = |message: &str| self.apart.iter().any(|method| parse(message)["method"] == **method);
            let begun = Instant::now();
            let (status, mut messages) = loop {
                let (status, messages) = over.exchange(&sent, headers, expected.len(), &comes_apart);
                let works = |message: &String| parse(message)["result"]["status"] == "working";
                if !until_done || !messages.iter().any(works) || begun.elapsed() > Duration::from_secs(10) {
                    break (status, messages);
                }
                std::thread::sleep(Duration::from_millis(10));
            };
            if is_answer(&sent) {
                sent.clone_from(&asked);
            } else {
                asked.clone_from(&sent);
            }
            let held = messages.iter().filter(|message| !comes_apart(message));
            for (expected, message) in expected.iter().zip(held) {
                remember(&parse(expected), &parse(message), &mut remembered);
            }
            for message in messages.iter().map(|message| parse(message)) {
                if let Some(agreed) = message["result"]["protocolVersion"].as_str() {
                    revision = agreed.into();
                }
                // A message with an envelope is answered in the envelope's revision, whatever was agreed on before.
                let claims = sent.contains("io.modelcontextprotocol/");
                let revision = if claims { &self.revision } else { &revision };
                official_schema::assert_valid(revision, &sent, &message);
                if message.get("method").is_some() && message.get("id").is_some() {
                    assert!(questions.insert(message["id"].to_string()), "an id was used before: {message}");
                }
            }
            apart.extend(messages.extract_if(.., |message| comes_apart(message)).map(|message| parse(&message)));
            played.push((status, messages));
        }
        Played { exchanges: played, apart }
    }

    /// Compares what came with what should, or writes it down.
    fn hold(&self, path: &Path, played: &Played) {
        let mut actual = self.head.clone();
        let mut wrong = Vec::new();
        let mut remembered: BTreeMap<String, String> = BTreeMap::new();
        for (step, (status, messages)) in self.steps.iter().zip(&played.exchanges) {
            let Step::Exchange { sent, headers, status: expected_status, expected, until_done } = step else {
                actual += "\n---\n";
                continue;
            };
            actual.push('\n');
            for (name, value) in headers {
                let _ = match value {
                    Some(value) => writeln!(actual, ">: {name}: {value}"),
                    None => writeln!(actual, ">- {name}"),
                };
            }
            let _ = writeln!(actual, "{} {sent}", if *until_done { ">~" } else { ">" });
            let usual = if messages.is_empty() { 202 } else { 200 };
            // Stdio has no status: zero.
            if *status != 0 && *status != usual {
                let _ = writeln!(actual, "<: {status}");
            } else if let (0, Some(status)) = (*status, expected_status) {
                let _ = writeln!(actual, "<: {status}");
            }
            if *status != 0 && expected_status.unwrap_or(usual) != *status {
                wrong.push(format!("status {status} instead of {} for {sent}", expected_status.unwrap_or(usual)));
            }
            if expected.len() != messages.len() {
                wrong.push(format!("{} messages instead of {} for {sent}", messages.len(), expected.len()));
            }
            for (position, message) in messages.iter().enumerate() {
                match expected.get(position).map(|text| parse(text)) {
                    Some(pattern) if agree(&pattern, &parse(message), &mut remembered) => {
                        let _ = writeln!(actual, "< {}", expected[position]);
                    }
                    _ => {
                        wrong.push(format!("{message} for {sent}"));
                        let _ = writeln!(actual, "< {message}");
                    }
                }
            }
        }
        if std::env::var_os("UPDATE").is_some() {
            fs::write(path, actual).expect("a transcript can be written");
        } else {
            assert!(wrong.is_empty(), "{}:\n{}\n(UPDATE=1 writes down what came)", path.display(), wrong.join("\n"));
        }
    }
}

/// Remembers the strings that `"$name"` stands for.
fn remember(pattern: &Value, actual: &Value, remembered: &mut BTreeMap<String, String>) {
    match (pattern, actual) {
        (Value::String(pattern), Value::String(actual)) => {
            if let Some(name) = pattern.strip_prefix('$').filter(|name| *name != "*") {
                remembered.insert(name.into(), actual.clone());
            }
        }
        (Value::Object(pattern), Value::Object(actual)) => {
            for (key, pattern) in pattern {
                if let Some(actual) = actual.get(key) {
                    remember(pattern, actual, remembered);
                }
            }
        }
        (Value::Array(pattern), Value::Array(actual)) => {
            for (pattern, actual) in pattern.iter().zip(actual) {
                remember(pattern, actual, remembered);
            }
        }
        _ => {}
    }
}

/// Whether a message is what the pattern says.
fn agree(pattern: &Value, actual: &Value, remembered: &mut BTreeMap<String, String>) -> bool {
    match (pattern, actual) {
        (Value::String(pattern), _) if pattern == "$*" => true,
        (Value::String(pattern), Value::String(actual)) if pattern.starts_with('$') && !pattern.contains("$*") => {
            remembered.entry(pattern[1..].into()).or_insert_with(|| actual.clone()) == actual
        }
        (Value::String(pattern), Value::String(actual)) => {
            let mut pattern = pattern.clone();
            for (name, value) in remembered.iter() {
                pattern = pattern.replace(&format!("${name}"), value);
            }
            let mut rest = actual.as_str();
            let pieces: Vec<&str> = pattern.split("$*").collect();
            let [first, between @ .., last] = pieces.as_slice() else { return pattern == *actual };
            rest.strip_prefix(first).is_some_and(|after| {
                rest = after;
                between.iter().all(|piece| rest.split_once(piece).map(|(_, after)| rest = after).is_some())
                    && rest.ends_with(last)
            })
        }
        (Value::Object(pattern), Value::Object(actual)) => {
            let absent = |key: &str| key.strip_suffix('?').is_some_and(|key| actual.get(key).is_none());
            pattern.keys().filter(|key| !absent(key)).count() == actual.len()
                && pattern.iter().all(|(key, pattern)| {
                    let actual = actual.get(key.strip_suffix('?').unwrap_or(key));
                    actual.map_or(absent(key), |actual| agree(pattern, actual, remembered))
                })
        }
        (Value::Array(pattern), Value::Array(actual)) => {
            pattern.len() == actual.len()
                && pattern.iter().zip(actual).all(|(pattern, actual)| agree(pattern, actual, remembered))
        }
        _ => pattern == actual,
    }
}

/// Whether this text is a message that answers a question.
fn is_answer(sent: &str) -> bool {
    let message: Value = serde_json::from_str(sent).unwrap_or_default();
    message.get("method").is_none() && (message.get("result").is_some() || message.get("error").is_some())
}

/// A running example and the clients that speak to it.
pub(crate) enum Over {
    Http {
        server: HttpServer,
        session: Option<String>,
        version: Option<String>,
        /// The stream on which a question waits for its answer.
        open: Option<EventReader>,
    },
    Stdio(StdioServer),
}

impl Over {
    pub(crate) fn http(example: &str) -> Self {
        Self::Http { server: HttpServer::start(example), session: None, version: None, open: None }
    }

    pub(crate) fn stdio(example: &str) -> Self {
        Self::Stdio(StdioServer::start(example))
    }

    fn another_client(&mut self) {
        match self {
            Self::Http { session, version, .. } => (*session, *version) = (None, None),
            Self::Stdio(_) => panic!("a stdio process has one client"),
        }
    }

    /// Sends a message; gives the status (0 on stdio) and the messages that came back. So many are expected, not counting
    /// those that come apart.
    fn exchange(
        &mut self,
        sent: &str,
        headers: &[(String, Option<String>)],
        expected: usize,
        comes_apart: &dyn Fn(&str) -> bool,
    ) -> (u16, Vec<String>) {
        match self {
            Self::Stdio(server) => {
                server.send(sent);
                let mut messages = Vec::new();
                let mut held = 0;
                while held < expected {
                    let message = server.receive();
                    held += usize::from(!comes_apart(&message));
                    messages.push(message);
                }
                if expected == 0 {
                    // Silence can't be waited for; what comes late would be taken for the next answer and fail there.
                    messages.extend(server.receive_within(Duration::from_millis(20)));
                }
                (0, messages)
            }
            Self::Http { server, session, version, open } => {
                let mut request = match sent {
                    "GET" | "DELETE" => Request::of(sent).header("Accept", "text/event-stream"),
                    body => Request::post(body),
                };
                let message: Value = serde_json::from_str(sent).unwrap_or_default();
                let claim = &message["params"]["_meta"]["io.modelcontextprotocol/protocolVersion"];
                if let Some(claim) = claim.as_str() {
                    request = request.header("MCP-Protocol-Version", claim);
                    request = request.header("Mcp-Method", message["method"].as_str().unwrap_or_default());
                    let mirrored = match message["method"].as_str() {
                        Some("resources/read") => "uri",
                        Some("tasks/get" | "tasks/update" | "tasks/cancel") => "taskId",
                        _ => "name",
                    };
                    if let Some(name) = message["params"][mirrored].as_str() {
                        request = request.header("Mcp-Name", name);
                    }
                } else if message["method"] != "initialize" {
                    if let Some(session) = &session {
                        request = request.header("Mcp-Session-Id", session);
                    }
                    // 2025-03-26 and older know no such header.
                    if let Some(version) = version.as_ref().filter(|version| version.as_str() >= "2025-06-18") {
                        request = request.header("MCP-Protocol-Version", version);
                    }
                }
                for (name, value) in headers {
                    request = match value {
                        Some(value) => request.header(name, value),
                        None => request.without(name),
                    };
                }
                if let (true, Some(mut stream)) = (is_answer(sent), open.take()) {
                    let taken = request.send(server.port);
                    assert_eq!((taken.status, taken.body.len()), (202, 0), "an answer is taken: {sent}");
                    let (messages, more) = up_to_a_question(&mut stream);
                    *open = more.then_some(stream);
                    return (200, messages);
                }
                let (response, stream) = request.open(server.port);
                if let Some(mut stream) = stream {
                    let (messages, more) = up_to_a_question(&mut stream);
                    *open = more.then_some(stream);
                    return (response.status, messages);
                }
                let messages = response.messages();
                if let Some(id) = response.header("mcp-session-id") {
                    *session = Some(id.to_owned());
                    *version = parse(&messages[0])["result"]["protocolVersion"].as_str().map(ToOwned::to_owned);
                }
                (response.status, messages)
            }
        }
    }
}

/// The messages of a stream up to a question, and whether one came.
fn up_to_a_question(stream: &mut EventReader) -> (Vec<String>, bool) {
    let mut messages = Vec::new();
    while let Some(message) = stream.next() {
        let parsed = parse(&message);
        let question = parsed.get("method").is_some() && parsed.get("id").is_some();
        messages.push(message);
        if question {
            return (messages, true);
        }
    }
    (messages, false)
}

fn parse(line: &str) -> Value {
    serde_json::from_str(line).unwrap_or_else(|error| panic!("{line:?} is no JSON: {error}"))
}
