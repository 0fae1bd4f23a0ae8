//! One question: what it asks, what it needs of the client, by which digest its answer is known.

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD as BASE64};
use serde_json::{Value, json};

use super::Unsupported;
use crate::protocol::{
    ClientCapabilities,
    ask::{ElicitRequest, SamplingRequest},
};

/// A question that waits for its answer.
#[derive(Clone, Debug)]
pub(crate) struct Question {
    /// By which the function knows its answer.
    pub(crate) key: Box<str>,
    /// Of what is asked: an answer belongs to the question whose digest it carries.
    pub(crate) digest: Box<str>,
    /// What is asked.
    pub(crate) asks: Asks,
}

/// What is asked.
#[derive(Clone, Debug)]
pub(crate) enum Asks {
    /// The person.
    Elicit(ElicitRequest),
    /// The client's model.
    Sample(Box<SamplingRequest>),
    /// The client, for its folders.
    Roots,
}

/// How this call can ask, before it is looked at what its client declared.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) enum Means {
    /// Not at all: only calls of tools, prompts and reads of resources can.
    #[default]
    None,
    /// Not at all: there is no session in which an answer could come.
    NoSession,
    /// Not at all: the client can't read a stream, on which a question could go.
    NoStream,
    /// It can ask for these.
    Questions(Kinds),
}

/// The kinds of questions that there are for a client, whatever it declared.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Kinds {
    /// Forms.
    pub(crate) forms: bool,
    /// Fields of a form that take several choices.
    pub(crate) several_choices: bool,
    /// Choices with titles of their own.
    pub(crate) titled_choices: bool,
    /// Defaults of every kind of field, not of switches alone.
    pub(crate) defaults: bool,
    /// Pages to open.
    pub(crate) pages: bool,
    /// Tools for the client's model; also whether what a model is given beyond the messages is a capability of its own.
    pub(crate) model_tools: bool,
}

impl Means {
    /// The kinds of questions that there are; none where nothing can be asked.
    pub(super) const fn kinds(self) -> Kinds {
        match self {
            Self::Questions(kinds) => kinds,
            _ => Kinds {
                forms: false,
                several_choices: true,
                titled_choices: true,
                defaults: true,
                pages: false,
                model_tools: false,
            },
        }
    }
}

impl Question {
    pub(crate) fn new(key: &str, asks: Asks) -> Self {
        let params: Value = serde_json::from_str(&asks.params()).unwrap_or_default();
        let digest = digest(&[asks.method().as_bytes(), canonical(&params).as_bytes()]);
        Self { key: key.into(), digest: BASE64.encode(&digest[..16]).into(), asks }
    }
}

impl Asks {
    /// The method by which it is asked.
    pub(crate) const fn method(&self) -> &'static str {
        match self {
            Self::Elicit(_) => "elicitation/create",
            Self::Sample(_) => "sampling/createMessage",
            Self::Roots => "roots/list",
        }
    }

    /// The parameters in their newest shape, a JSON object.
    pub(crate) fn params(&self) -> String {
        // Plain data: writing it into memory can't fail.
        match self {
            Self::Elicit(request) => serde_json::to_string(request).unwrap_or_default(),
            Self::Sample(request) => serde_json::to_string(request).unwrap_or_default(),
            Self::Roots => "{}".to_owned(),
        }
    }

    /// Whether this client can be asked it.
    pub(super) fn supported(&self, means: Means, client: Option<&ClientCapabilities>) -> Result<(), Unsupported> {
        let needed = self.needed();
        let unsupported = |reason: String| Err(Unsupported { needed: ClientCapabilities(needed.clone()), reason });
        let kinds = match means {
            Means::Questions(kinds) => kinds,
            Means::NoSession => {
                return unsupported(format!(
                    "This call asks the client ({}), and without a session no answer can reach it: send `initialize`, then \
                     the Mcp-Session-Id that it returns with each request",
                    self.method()
                ));
            }
            Means::NoStream => {
                return unsupported(format!(
                    "This call asks the client ({}) on the stream of its answer: send `Accept: application/json, \
                     text/event-stream`",
                    self.method()
                ));
            }
            Means::None => {
                return Err(Unsupported {
                    needed: ClientCapabilities::default(),
                    reason: format!(
                        "Only tools, prompts and resources can ask the client ({}), and this is none of them",
                        self.method()
                    ),
                });
            }
        };
        if !self.exists(kinds) {
            return unsupported(format!(
                "This call asks the client ({}) for something that its protocol revision does not have",
                self.method()
            ));
        }
        let declares = |path: &[&str]| declared(client, path).is_some();
        let enough = match self {
            // An empty object stands for forms alone.
            Self::Elicit(ElicitRequest::Form { .. }) => {
                declares(&["elicitation", "form"])
                    || declared(client, &["elicitation"]).is_some_and(|modes| modes.get("url").is_none())
            }
            Self::Elicit(ElicitRequest::Url { .. }) => declares(&["elicitation", "url"]),
            Self::Sample(request) => {
                declares(&["sampling"])
                    && (!request.needs_tools() || declares(&["sampling", "tools"]))
                    && (!request.needs_context() || !kinds.model_tools || declares(&["sampling", "context"]))
            }
            Self::Roots => declares(&["roots"]),
        };
        if enough {
            return Ok(());
        }
        unsupported(format!(
            "This call asks the client ({}), which did not declare the capability {}",
            self.method(),
            Value::Object(needed.clone())
        ))
    }

    /// Whether the revision of the client has such a question at all; what a form holds was looked at when it was written.
    fn exists(&self, kinds: Kinds) -> bool {
        match self {
            Self::Elicit(ElicitRequest::Form { .. }) => kinds.forms,
            Self::Elicit(ElicitRequest::Url { .. }) => kinds.pages,
            Self::Sample(request) => kinds.model_tools || !request.needs_tools(),
            Self::Roots => true,
        }
    }

    /// What a client must declare to be asked it.
    pub(super) fn needed(&self) -> serde_json::Map<String, Value> {
        let needed = match self {
            Self::Elicit(ElicitRequest::Form { .. }) => json!({ "elicitation": { "form": {} } }),
            Self::Elicit(ElicitRequest::Url { .. }) => json!({ "elicitation": { "url": {} } }),
            Self::Sample(request) => {
                let mut sampling = json!({});
                if request.needs_tools() {
                    sampling["tools"] = json!({});
                }
                if request.needs_context() {
                    sampling["context"] = json!({});
                }
                json!({ "sampling": sampling })
            }
            Self::Roots => json!({ "roots": {} }),
        };
        match needed {
            Value::Object(needed) => needed,
            _ => serde_json::Map::new(),
        }
    }
}

/// The object at the end of this path of capabilities, each step of which must be an object.
fn declared<'a>(client: Option<&'a ClientCapabilities>, path: &[&str]) -> Option<&'a Value> {
    let (first, rest) = path.split_first()?;
    let begin = client?.0.get(*first).filter(|value| value.is_object())?;
    rest.iter().try_fold(begin, |value, step| value.get(step).filter(|value| value.is_object()))
}

/// The digest of several pieces: no two lists of pieces have the same one.
pub(crate) fn digest(pieces: &[&[u8]]) -> [u8; 32] {
    let mut context = aws_lc_rs::digest::Context::new(&aws_lc_rs::digest::SHA256);
    for piece in pieces {
        context.update(&(piece.len() as u64).to_be_bytes());
        context.update(piece);
    }
    let mut digest = [0; 32];
    digest.copy_from_slice(context.finish().as_ref());
    digest
}

/// A value as JSON text whose members stand in the order of their names, however they came.
pub(crate) fn canonical(value: &Value) -> String {
    match value {
        Value::Object(members) => {
            let mut sorted: Vec<_> = members.iter().collect();
            sorted.sort_unstable_by_key(|(name, _)| *name);
            let members: Vec<String> = sorted
                .into_iter()
                .map(|(name, value)| format!("{}:{}", Value::String(name.clone()), canonical(value)))
                .collect();
            format!("{{{}}}", members.join(","))
        }
        Value::Array(elements) => {
            let elements: Vec<String> = elements.iter().map(canonical).collect();
            format!("[{}]", elements.join(","))
        }
        plain => plain.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: Means = Means::Questions(Kinds {
        forms: true,
        several_choices: true,
        titled_choices: true,
        defaults: true,
        pages: true,
        model_tools: true,
    });

    fn client(capabilities: Value) -> ClientCapabilities {
        serde_json::from_value(capabilities).expect("an object")
    }

    fn raw(text: &str) -> Box<serde_json::value::RawValue> {
        serde_json::from_str(text).expect("JSON")
    }

    fn form() -> Asks {
        Asks::Elicit(ElicitRequest::form("?", raw(r#"{"type":"object","properties":{}}"#)))
    }

    fn page() -> Asks {
        Asks::Elicit(ElicitRequest::url("?", "https://example.com"))
    }

    // Proves: C-05, E-07, MR-03, P-18.
    #[test]
    fn an_empty_elicitation_capability_means_forms_alone() {
        for (capabilities, forms, pages) in [
            (json!({}), false, false),
            (json!({ "elicitation": {} }), true, false),
            (json!({ "elicitation": { "form": {} } }), true, false),
            (json!({ "elicitation": { "url": {} } }), false, true),
            (json!({ "elicitation": { "form": {}, "url": {} } }), true, true),
            (json!({ "elicitation": true }), false, false),
        ] {
            let client = client(capabilities);
            assert_eq!(form().supported(ALL, Some(&client)).is_ok(), forms, "{client:?}");
            assert_eq!(page().supported(ALL, Some(&client)).is_ok(), pages, "{client:?}");
        }
    }

    // Proves: M-05.
    #[test]
    fn what_is_needed_is_told_in_the_shape_of_capabilities() {
        let unsupported = page().supported(ALL, Some(&client(json!({})))).expect_err("not declared");
        assert_eq!(unsupported.needed, client(json!({ "elicitation": { "url": {} } })));
        let request = SamplingRequest::text("?").tool_choice(crate::protocol::ask::ToolChoice::Auto);
        let sample = Asks::Sample(Box::new(request));
        let plain = client(json!({ "sampling": {} }));
        let unsupported = sample.supported(ALL, Some(&plain)).expect_err("without tools");
        assert_eq!(unsupported.needed, client(json!({ "sampling": { "tools": {} } })));
    }

    #[test]
    fn the_order_of_members_does_not_change_a_digest_and_everything_else_does() {
        let question = |schema: &str| Question::new("city", Asks::Elicit(ElicitRequest::form("?", raw(schema)))).digest;
        let one = question(r#"{"type":"object","properties":{}}"#);
        assert_eq!(question(r#"{ "properties": {}, "type": "object" }"#), one);
        assert_ne!(question(r#"{"type":"object","properties":{"a":{}}}"#), one);
        assert_ne!(digest(&[b"a", b"bc"]), digest(&[b"ab", b"c"]));
    }
}
