//! The parameters of questions, in the shapes of the revisions that begin with a handshake.

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD as BASE64};
use serde_json::{Map, Value, json};

use crate::{
    call::Asks,
    era::listing::Listed,
    protocol::{
        ask::{ElicitRequest, SamplingMessage, SamplingRequest},
        version::Facts,
    },
    session::random,
};

/// The id of the page that is asked for, where the revision has one.
pub(super) fn page_id(asks: &Asks, facts: &Facts) -> Option<Box<str>> {
    match asks {
        Asks::Elicit(ElicitRequest::Url { .. }) if facts.elicitation_ids => Some(BASE64.encode(random::<16>()).into()),
        _ => None,
    }
}

/// The parameters of a question that the revision has, a JSON object.
pub(super) fn params(asks: &Asks, facts: &Facts, page: Option<&str>) -> String {
    match (asks, page) {
        (Asks::Elicit(request @ ElicitRequest::Url { .. }), Some(page)) => {
            Asks::Elicit(request.clone().with_elicitation_id(page)).params()
        }
        // Before there were modes, every question was a form.
        (Asks::Elicit(ElicitRequest::Form { message, requested_schema, .. }), _) if !facts.elicitation_modes => {
            format!("{{\"message\":{},\"requestedSchema\":{requested_schema}}}", json!(message))
        }
        (Asks::Sample(request), _) => {
            let mut params = serde_json::from_str(&asks.params()).unwrap_or_default();
            sampling(&mut params, request, facts);
            params.to_string()
        }
        _ => asks.params(),
    }
}

fn sampling(params: &mut Value, request: &SamplingRequest, facts: &Facts) {
    if facts.sampling_tools {
        if !request.tools.is_empty() {
            let view = |tool: &crate::protocol::Tool| {
                tool.view(facts).ok().and_then(|view| serde_json::from_str(view.get()).ok()).unwrap_or_default()
            };
            params["tools"] = request.tools.iter().map(view).collect::<Vec<Value>>().into();
        }
        return;
    }
    // A message has one block, so one of several becomes several messages; what a model says to one person stays so.
    let messages = request
        .messages
        .iter()
        .flat_map(|message| message.content.iter().map(|block| SamplingMessage::new(message.role, [block.clone()])));
    let messages: Vec<Value> = messages
        .filter_map(|message| serde_json::to_value(message).ok())
        .map(|mut message| {
            if let Some(content) = message.get_mut("content").and_then(Value::as_object_mut) {
                plain_block(content, facts);
            }
            message
        })
        .collect();
    params["messages"] = messages.into();
}

/// A block without what the revision does not have.
fn plain_block(block: &mut Map<String, Value>, facts: &Facts) {
    block.remove("_meta");
    if block.get("type").and_then(Value::as_str) == Some("audio") && !facts.audio {
        let kind = block.get("mimeType").and_then(Value::as_str).unwrap_or_default();
        let text = json!({ "type": "text", "text": format!("[audio, {kind}]") });
        if let Value::Object(text) = text {
            *block = text;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::Version;

    // Proves: E-01.
    #[test]
    fn a_form_has_no_mode_before_2025_11_25_and_keeps_the_order_of_its_fields() {
        let schema = r#"{"type":"object","properties":{"z":{"type":"string"},"a":{"type":"string"}}}"#;
        let asks = Asks::Elicit(ElicitRequest::form("Which?", serde_json::from_str(schema).expect("JSON")));
        let old = params(&asks, Version::V2025_06_18.facts(), None);
        assert_eq!(old, format!(r#"{{"message":"Which?","requestedSchema":{schema}}}"#));
        let new = params(&asks, Version::V2025_11_25.facts(), None);
        assert_eq!(new, format!(r#"{{"mode":"form","message":"Which?","requestedSchema":{schema}}}"#));
    }

    // Proves: E-04, E-05.
    #[test]
    fn a_page_has_an_id_on_2025_11_25_alone() {
        let asks = Asks::Elicit(ElicitRequest::url("Log in", "https://example.com"));
        let ids = Version::ALL.map(|version| page_id(&asks, version.facts()).is_some());
        assert_eq!(ids, [false, false, false, true, false]);
        assert!(params(&asks, Version::V2025_11_25.facts(), Some("abc")).contains(r#""elicitationId":"abc""#));
    }

    #[test]
    fn a_message_of_several_blocks_becomes_several_messages_before_2025_11_25() {
        let message = SamplingMessage::new(crate::protocol::Role::User, ["one".into(), "two".into()]);
        let asks = Asks::Sample(Box::new(SamplingRequest::new([message])));
        let params =
            |version: Version| -> Value { serde_json::from_str(&params(&asks, version.facts(), None)).expect("JSON") };
        let old = params(Version::V2025_06_18);
        let text = |text: &str| json!({ "role": "user", "content": { "type": "text", "text": text } });
        assert_eq!(old["messages"], json!([text("one"), text("two")]));
        assert_eq!(params(Version::V2025_11_25)["messages"].as_array().map(Vec::len), Some(1));
    }
}
