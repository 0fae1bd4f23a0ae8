//! Questions to the person: `elicitation/create`.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, value::RawValue};

/// A question to the person: the params of `elicitation/create`.
///
/// # Source
/// 2026-07-28 schema, `ElicitRequestFormParams` and `ElicitRequestURLParams`; the only kind of 2025-06-18 is the form, and
/// it has no `mode` there.
#[derive(Clone, Debug, Serialize)]
#[serde(tag = "mode", rename_all = "lowercase", rename_all_fields = "camelCase")]
#[non_exhaustive]
pub enum ElicitRequest {
    /// A form that the client shows. Never ask for secrets with it: client and model see what is typed.
    #[non_exhaustive]
    Form {
        /// What the person reads above the form.
        message: String,
        /// JSON Schema of the form: an object of strings, numbers, booleans and choices, already in the order in which they
        /// are shown.
        requested_schema: Box<RawValue>,
    },
    /// A page that the client opens after it asked the person; what happens there passes neither client nor model.
    #[non_exhaustive]
    Url {
        /// Why the page is needed: what the person reads.
        message: String,
        /// The page; `https:` outside of development, without secrets and without a login in it.
        url: String,
        /// What `notifications/elicitation/complete` refers to: 2025-11-25 needs it, no other revision has it.
        #[serde(skip_serializing_if = "Option::is_none")]
        elicitation_id: Option<String>,
    },
}

impl ElicitRequest {
    /// A form of this schema.
    pub fn form(message: impl Into<String>, requested_schema: Box<RawValue>) -> Self {
        Self::Form { message: message.into(), requested_schema }
    }

    /// A page at this URL.
    pub fn url(message: impl Into<String>, url: impl Into<String>) -> Self {
        Self::Url { message: message.into(), url: url.into(), elicitation_id: None }
    }

    /// The same with the id of 2025-11-25; a form has none and stays as it is.
    #[must_use]
    pub fn with_elicitation_id(mut self, id: impl Into<String>) -> Self {
        if let Self::Url { elicitation_id, .. } = &mut self {
            *elicitation_id = Some(id.into());
        }
        self
    }

    /// What the person reads.
    #[must_use]
    pub fn message(&self) -> &str {
        match self {
            Self::Form { message, .. } | Self::Url { message, .. } => message,
        }
    }
}

/// What the person did with a question.
///
/// # Source
/// 2026-07-28 schema, `ElicitResult`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ElicitAction {
    /// Filled the form in and sent it, or agreed to open the page: that the page did its work is not said.
    Accept,
    /// Said no.
    Decline,
    /// Went away without a choice.
    Cancel,
}

/// The answer to a question; untrusted, and not yet checked against the form's schema.
///
/// # Source
/// 2026-07-28 schema, `ElicitResult`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ElicitResult {
    /// What the person did.
    pub action: ElicitAction,
    /// What was filled in, by the name of the field; only for an accepted form.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content: Option<Map<String, Value>>,
    /// Additional facts by namespaced key.
    #[serde(rename = "_meta", default, skip_serializing_if = "Option::is_none")]
    pub meta: Option<Map<String, Value>>,
}

impl ElicitResult {
    /// A form that was filled in.
    #[must_use]
    pub const fn accept(content: Map<String, Value>) -> Self {
        Self { action: ElicitAction::Accept, content: Some(content), meta: None }
    }

    /// An answer without content.
    #[must_use]
    pub const fn without_content(action: ElicitAction) -> Self {
        Self { action, content: None, meta: None }
    }
}
