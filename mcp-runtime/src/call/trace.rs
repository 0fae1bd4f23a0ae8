//! The span around a call.

use serde_json::{Map, Value};
use tracing::Span;

use super::{Call, Operation};

/// Where a filter finds the spans of calls.
pub(crate) const TARGET: &str = "mcp_runtime::call";
/// The longest `tracestate` that is passed on, and the longest `baggage`, in bytes.
///
/// # Source
/// W3C Trace Context §3.3.1.5; W3C Baggage §3.3.2.
const STATE_LIMIT: usize = 512;
const BAGGAGE_LIMIT: usize = 8192;
/// The longest name that is written down, in characters: a peer chose it.
const NAME_LIMIT: usize = 128;

impl Call {
    /// The span of this call: what is called, in which session, and where the caller says that it belongs. Built only
    /// where somebody looks at it.
    pub(crate) fn span(&self) -> Span {
        let method = self.operation.method();
        let name = name(&self.operation).map(|name| name.chars().take(NAME_LIMIT).collect::<String>());
        let meta = self.context.meta();
        let parent = text(meta, "traceparent").filter(|parent| is_parent(parent));
        // State belongs to a parent: without one it means nothing.
        let state = text(meta, "tracestate").filter(|state| parent.is_some() && is_plain(state, STATE_LIMIT));
        let baggage = text(meta, "baggage").filter(|baggage| is_plain(baggage, BAGGAGE_LIMIT));
        tracing::debug_span!(
            target: TARGET,
            "call",
            method,
            name = name.as_deref(),
            session = self.context.session_label().as_deref(),
            traceparent = parent,
            tracestate = state,
            baggage,
        )
    }
}

/// What an operation names.
fn name(operation: &Operation) -> Option<&str> {
    match operation {
        Operation::CallTool { name, .. } | Operation::GetPrompt { name, .. } => Some(name),
        Operation::ReadResource { uri } => Some(uri),
        Operation::List { .. } | Operation::Complete(_) | Operation::Task(_) | Operation::Session(_) => None,
    }
}

fn text<'a>(meta: Option<&'a Map<String, Value>>, key: &str) -> Option<&'a str> {
    meta?.get(key)?.as_str()
}

/// Whether this is a parent as the W3C writes it: version, trace, span, flags, in lower-case digits of base 16. What is
/// none is ignored: a caller that traces wrongly is still answered.
///
/// # Source
/// W3C Trace Context §3.2.
fn is_parent(text: &str) -> bool {
    let hex = |part: &str, length: usize| {
        part.len() == length && part.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
    };
    let zero = |part: &str| part.bytes().all(|byte| byte == b'0');
    let mut parts = text.split('-');
    let (Some(version), Some(trace), Some(span), Some(flags)) =
        (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return false;
    };
    // A later version may say more, this one not.
    let whole = hex(version, 2) && version != "ff" && (version != "00" || parts.next().is_none());
    whole && hex(trace, 32) && !zero(trace) && hex(span, 16) && !zero(span) && hex(flags, 2)
}

fn is_plain(text: &str, limit: usize) -> bool {
    !text.is_empty() && text.len() <= limit && text.bytes().all(|byte| matches!(byte, b' '..=b'~' | b'\t'))
}

#[cfg(test)]
mod tests {
    use super::*;

    // Proves: M-08.
    #[test]
    fn only_what_the_w3c_calls_a_parent_is_one() {
        assert!(is_parent("00-0af7651916cd43dd8448eb211c80319c-00f067aa0ba902b7-01"));
        assert!(is_parent("cc-0af7651916cd43dd8448eb211c80319c-00f067aa0ba902b7-01-what-comes-later"));
        for wrong in [
            "",
            "00-0af7651916cd43dd8448eb211c80319c-00f067aa0ba902b7",
            "00-0af7651916cd43dd8448eb211c80319c-00f067aa0ba902b7-01-more",
            "ff-0af7651916cd43dd8448eb211c80319c-00f067aa0ba902b7-01",
            "00-0AF7651916CD43DD8448EB211C80319C-00f067aa0ba902b7-01",
            "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
            "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01",
            "00-0af7651916cd43dd8448eb211c8031-00f067aa0ba902b7-01",
            "00-0af7651916cd43dd8448eb211c80319c-00f067aa0ba902b7-\n1",
        ] {
            assert!(!is_parent(wrong), "{wrong}");
        }
        assert!(!is_plain("a=1\r\nb=2", 64) && !is_plain("", 64) && !is_plain("a=1", 2) && is_plain("a=1,b=2", 64));
    }
}
