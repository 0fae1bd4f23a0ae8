//! What a client answers when the server asks.

use std::sync::Arc;

use serde::Deserialize;
use serde_json::{Value, json};

use crate::protocol::ask::{ElicitRequest, ElicitResult, ListRootsResult, Root, SamplingRequest, SamplingResult};

/// What a client answers when the server asks; without one of them, it can't be asked that.
#[derive(Clone, Default)]
pub(super) struct Answers {
    pub(super) elicit: Option<Arc<dyn Fn(ElicitRequest) -> ElicitResult + Send + Sync>>,
    pub(super) sample: Option<Arc<dyn Fn(SamplingRequest) -> SamplingResult + Send + Sync>>,
    pub(super) roots: Option<Vec<Root>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Question {
    message: String,
    #[serde(default)]
    requested_schema: Value,
    #[serde(default)]
    url: Option<String>,
    #[serde(default)]
    elicitation_id: Option<String>,
}

impl Answers {
    /// The result for a request of the server; `Err` says why there is none.
    pub(super) fn answer(&self, method: &str, params: Value) -> Result<Value, String> {
        let unreadable = |error: serde_json::Error| format!("the params of `{method}` can't be read: {error}");
        let result = match (method, self) {
            ("elicitation/create", Self { elicit: Some(elicit), .. }) => {
                let question = Question::deserialize(params).map_err(unreadable)?;
                let request = match question {
                    Question { message, url: Some(url), elicitation_id, .. } => {
                        let page = ElicitRequest::url(message, url);
                        match elicitation_id {
                            Some(id) => page.with_elicitation_id(id),
                            None => page,
                        }
                    }
                    Question { message, requested_schema, .. } => {
                        let schema = serde_json::value::to_raw_value(&requested_schema).map_err(unreadable)?;
                        ElicitRequest::form(message, schema)
                    }
                };
                json!(elicit(request))
            }
            ("sampling/createMessage", Self { sample: Some(sample), .. }) => {
                json!(sample(SamplingRequest::deserialize(params).map_err(unreadable)?))
            }
            ("roots/list", Self { roots: Some(roots), .. }) => {
                json!(ListRootsResult { roots: roots.clone(), ..ListRootsResult::default() })
            }
            ("ping", _) => json!({}),
            _ => return Err(format!("the test says no answer to `{method}`")),
        };
        Ok(result)
    }
}
