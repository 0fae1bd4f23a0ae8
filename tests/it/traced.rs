//! What the program's own log is told of calls, by `tracing`.

use std::{
    collections::BTreeMap,
    fmt::Debug,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
};

use mcp_runtime::{LogLevel, prelude::*, protocol::Version, testing};
use serde_json::json;
use tracing::{
    Event, Metadata, Subscriber,
    field::{Field, Visit},
    span::{Attributes, Id, Record},
    subscriber::with_default,
};

/// Says something in the middle of its work.
#[mcp_server(name = "talker")]
mod talker {
    use super::*;

    /// Say how it goes.
    #[tool]
    pub fn talk(cx: &Context) -> String {
        cx.log(LogLevel::Debug, "a detail");
        cx.log_as("oven", LogLevel::Critical, json!({ "degrees": 300 }));
        "done".into()
    }
}

/// Something that was told: where, how important, its fields.
#[derive(Clone, Debug)]
struct Told {
    target: String,
    level: String,
    fields: Fields,
}

#[derive(Clone, Debug, Default)]
struct Fields(BTreeMap<&'static str, String>);

impl Fields {
    fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }
}

impl Visit for Fields {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.0.insert(field.name(), value.to_owned());
    }

    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.0.insert(field.name(), format!("{value:?}"));
    }
}

/// Keeps what it is told of calls.
#[derive(Clone, Default)]
struct Listener {
    told: Arc<Mutex<Vec<Told>>>,
    spans: Arc<AtomicU64>,
}

impl Listener {
    fn keep(&self, metadata: &Metadata<'_>, record: impl FnOnce(&mut Fields)) {
        let mut fields = Fields::default();
        record(&mut fields);
        let (target, level) = (metadata.target().to_owned(), metadata.level().to_string());
        self.told.lock().unwrap().push(Told { target, level, fields });
    }

    fn of(&self, target: &str) -> Vec<Told> {
        self.told.lock().unwrap().iter().filter(|told| told.target == target).cloned().collect()
    }
}

impl Subscriber for Listener {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target().starts_with("mcp_runtime::")
    }

    fn new_span(&self, span: &Attributes<'_>) -> Id {
        self.keep(span.metadata(), |fields| span.record(fields));
        Id::from_u64(self.spans.fetch_add(1, Ordering::SeqCst) + 1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        self.keep(event.metadata(), |fields| event.record(fields));
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

// Proves: U-04.
#[test]
fn what_a_function_logs_goes_to_the_programs_own_log_whatever_the_client_wants_to_hear() {
    for version in Version::ALL {
        let listener = Listener::default();
        let answer = with_default(listener.clone(), || {
            testing::run(async {
                let client = testing::Client::connect(talker::server(), version).await.unwrap();
                client.call_tool("talk", json!({})).await.unwrap().text()
            })
        });
        assert_eq!(answer, "done");
        let told = listener.of("mcp_runtime::log");
        let seen: Vec<_> = told
            .iter()
            .map(|told| (&*told.level, told.fields.get("logger"), told.fields.get("data").unwrap_or_default()))
            .collect();
        let expected = [("DEBUG", None, r#""a detail""#), ("ERROR", Some("oven"), r#"{"degrees":300}"#)];
        assert_eq!(seen, expected, "{version:?}");
    }
}

// Proves: M-08.
#[test]
fn the_span_of_a_call_says_what_is_called_and_where_its_caller_says_that_it_belongs() {
    const PARENT: &str = "00-0af7651916cd43dd8448eb211c80319c-00f067aa0ba902b7-01";
    let call = |meta: serde_json::Value| {
        let listener = Listener::default();
        with_default(listener.clone(), || {
            testing::run(async {
                let client = testing::Client::newest(talker::server()).await.unwrap();
                let params = json!({ "name": "talk", "arguments": {}, "_meta": meta });
                client.request("tools/call", params).await.unwrap();
            });
        });
        let spans = listener.of("mcp_runtime::call");
        spans
            .into_iter()
            .find(|span| span.fields.get("method") == Some("tools/call"))
            .expect("the span of the call")
            .fields
    };
    let fields = call(json!({ "traceparent": PARENT, "tracestate": "vendor=1", "baggage": "user=ann" }));
    assert_eq!(fields.get("name"), Some("talk"));
    assert_eq!(fields.get("traceparent"), Some(PARENT));
    assert_eq!((fields.get("tracestate"), fields.get("baggage")), (Some("vendor=1"), Some("user=ann")));
    // What is no parent is ignored, and with it the state that belongs to it.
    let fields = call(json!({ "traceparent": "00-zz", "tracestate": "vendor=1" }));
    assert_eq!((fields.get("name"), fields.get("traceparent"), fields.get("tracestate")), (Some("talk"), None, None));
}
