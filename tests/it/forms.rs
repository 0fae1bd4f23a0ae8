//! Forms that a person fills in: from Rust types and from schemas, against the official schemas of every revision that has
//! them, and back from answers.

use std::collections::HashSet;

use mcp_runtime::{
    prelude::*,
    protocol::ask::ElicitRequest,
    schema::{ElicitationForm, FormFeatures},
};
use serde_json::{Map, Value, json};

use crate::official_schema::validate;

const NEWEST: FormFeatures = FormFeatures { multi_select: true, titled_enums: true, defaults: true };

/// What 2025-06-18 knows of forms.
const FIRST: FormFeatures = FormFeatures { multi_select: false, titled_enums: false, defaults: false };

#[derive(Debug, PartialEq, Eq, Hash, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Size {
    Small,
    Medium,
    Large,
}

/// How it is paid.
#[derive(Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Payment {
    /// In cash,
    /// at the door.
    ///
    /// Have change ready.
    Cash,
    #[schemars(title = "By card")]
    Card,
    Invoice,
}

/// A pizza.
#[derive(Debug, PartialEq, Deserialize, JsonSchema)]
struct Order {
    /// Who gets it.
    #[schemars(title = "Name", length(min = 1, max = 40))]
    name: String,
    #[schemars(email)]
    address: Option<String>,
    #[schemars(range(min = 1, max = 9))]
    count: u8,
    #[serde(default = "two")]
    hours: f64,
    #[serde(default)]
    gift: bool,
    size: Size,
    /// The way.
    payment: Payment,
    #[schemars(length(min = 1, max = 2))]
    sizes: Vec<Size>,
    #[serde(default)]
    payments: HashSet<Payment>,
    hint: Option<Size>,
}

fn two() -> f64 {
    2.0
}

fn form<T: JsonSchema + serde::de::DeserializeOwned>() -> ElicitationForm {
    ElicitationForm::of::<T>().unwrap_or_else(|error| panic!("{error}"))
}

/// The text of the schema, which the revisions of these features take.
fn schema(form: &ElicitationForm, features: FormFeatures) -> String {
    let schema = form.schema(features).unwrap_or_else(|error| panic!("{error}"));
    let text = schema.get().to_owned();
    let mut params = serde_json::to_value(ElicitRequest::form("?", schema)).unwrap();
    let revisions = if features == FIRST { &["2025-06-18"][..] } else { &["2025-11-25", "2026-07-28"] };
    for revision in revisions {
        for property in params["requestedSchema"]["properties"].as_object().unwrap().values() {
            validate(revision, "PrimitiveSchemaDefinition", property).unwrap();
        }
        if features == FIRST {
            params.as_object_mut().unwrap().remove("mode");
            let request = json!({ "method": "elicitation/create", "params": params });
            validate(revision, "ElicitRequest", &request).unwrap();
        } else {
            validate(revision, "ElicitRequestFormParams", &params).unwrap();
        }
    }
    text
}

fn property(text: &str, name: &str) -> Value {
    serde_json::from_str::<Value>(text).unwrap()["properties"][name].clone()
}

fn object(value: Value) -> Map<String, Value> {
    serde_json::from_value(value).unwrap()
}

/// What is wrong with an answer, a line per problem.
fn problems(form: &ElicitationForm, answer: Value) -> Vec<String> {
    let problems = form.validate(&object(answer)).err().unwrap_or_default();
    problems.iter().map(ToString::to_string).collect()
}

/// Why a type is no form.
fn refusal<T: JsonSchema + serde::de::DeserializeOwned>() -> String {
    ElicitationForm::of::<T>().expect_err("no form").to_string()
}

// Proves: E-02.
#[test]
fn a_struct_is_a_form_in_the_order_of_its_fields() {
    let text = schema(&form::<Order>(), NEWEST);
    let schema: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(
        schema,
        json!({
            "type": "object",
            "properties": {
                "name": { "type": "string", "title": "Name", "description": "Who gets it.", "minLength": 1, "maxLength": 40 },
                "address": { "type": "string", "format": "email" },
                "count": { "type": "integer", "minimum": 1, "maximum": 9 },
                "hours": { "type": "number", "default": 2.0 },
                "gift": { "type": "boolean", "default": false },
                "size": { "type": "string", "enum": ["small", "medium", "large"] },
                "payment": { "type": "string", "description": "The way.", "oneOf": [
                    { "const": "cash", "title": "In cash, at the door" },
                    { "const": "card", "title": "By card" },
                    { "const": "invoice", "title": "invoice" },
                ] },
                "sizes": { "type": "array", "minItems": 1, "maxItems": 2,
                    "items": { "type": "string", "enum": ["small", "medium", "large"] } },
                "payments": { "type": "array", "default": [], "items": { "anyOf": [
                    { "const": "cash", "title": "In cash, at the door" },
                    { "const": "card", "title": "By card" },
                    { "const": "invoice", "title": "invoice" },
                ] } },
                "hint": { "type": "string", "enum": ["small", "medium", "large"] },
            },
            "required": ["name", "count", "size", "payment", "sizes"],
        })
    );
    let order = ["name", "address", "count", "hours", "gift", "size", "payment", "sizes", "payments", "hint"];
    let places: Vec<_> = order.iter().map(|name| text.find(&format!("\"{name}\":{{")).expect(name)).collect();
    assert!(places.is_sorted(), "{text}");
}

// Proves: E-02.
#[test]
fn an_old_client_gets_names_of_choices_and_defaults_of_switches_alone() {
    #[derive(Deserialize, JsonSchema)]
    #[expect(dead_code, reason = "only its schema is of interest")]
    struct Plain {
        payment: Payment,
        size: Size,
        #[serde(default = "two")]
        hours: f64,
        #[serde(default)]
        gift: bool,
    }
    let text = schema(&form::<Plain>(), FIRST);
    assert_eq!(
        property(&text, "payment"),
        json!({ "type": "string", "description": "How it is paid.", "enum": ["cash", "card", "invoice"],
            "enumNames": ["In cash, at the door", "By card", "invoice"] })
    );
    assert_eq!(property(&text, "size"), json!({ "type": "string", "enum": ["small", "medium", "large"] }));
    assert_eq!(property(&text, "hours"), json!({ "type": "number" }));
    assert_eq!(property(&text, "gift"), json!({ "type": "boolean", "default": false }));
}

// Proves: E-02.
#[test]
fn an_old_client_gets_no_list_of_choices_and_the_field_is_named() {
    let error = form::<Order>().schema(FIRST).expect_err("a list");
    assert_eq!(error.field(), Some("sizes"));
    assert!(error.to_string().starts_with("`sizes` is a list of choices"), "{error}");
}

// Proves: E-02.
#[test]
fn defaults_stand_on_every_kind_of_field() {
    #[derive(Deserialize, JsonSchema)]
    #[serde(default)]
    struct Person {
        name: String,
        age: i64,
        score: f64,
        #[schemars(extend("enum" = ["active", "inactive", "pending"]))]
        status: String,
        verified: bool,
    }
    impl Default for Person {
        fn default() -> Self {
            Self { name: "John Doe".into(), age: 30, score: 95.5, status: "active".into(), verified: true }
        }
    }
    impl Serialize for Person {
        fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            json!({}).serialize(serializer)
        }
    }
    let text = schema(&form::<Person>(), NEWEST);
    assert_eq!(property(&text, "name"), json!({ "type": "string", "default": "John Doe" }));
    assert_eq!(property(&text, "age"), json!({ "type": "integer", "default": 30 }));
    assert_eq!(property(&text, "score"), json!({ "type": "number", "default": 95.5 }));
    let status = json!({ "type": "string", "enum": ["active", "inactive", "pending"], "default": "active" });
    assert_eq!(property(&text, "status"), status);
    assert_eq!(property(&text, "verified"), json!({ "type": "boolean", "default": true }));
}

#[test]
fn every_shape_of_choices_can_be_written_by_hand() {
    let written = json!({
        "type": "object",
        "properties": {
            "untitledSingle": { "type": "string", "enum": ["a", "b"] },
            "titledSingle": { "type": "string", "oneOf": [{ "const": "a", "title": "A" }, { "const": "b", "title": "B" }] },
            "legacyEnum": { "type": "string", "enum": ["b", "a"], "enumNames": ["B", "A"] },
            "untitledMulti": { "type": "array", "items": { "type": "string", "enum": ["b", "a"] }, "maxItems": 1 },
            "titledMulti": { "type": "array", "items": { "anyOf": [{ "const": "a", "title": "A" }] }, "default": ["a"] },
        },
        "required": ["legacyEnum"],
    });
    let form = ElicitationForm::from_json(&written.to_string()).unwrap();
    assert_eq!(serde_json::from_str::<Value>(&schema(&form, NEWEST)).unwrap(), written);
    let answer = json!({ "legacyEnum": "a", "untitledMulti": ["a"], "titledMulti": [] });
    assert_eq!(problems(&form, answer), [""; 0]);
    let text = r#"{"type":"object","properties":{"z":{"type":"string","enum":["b","a"]},"b":{"type":"boolean"},"a":{"type":"boolean"}}}"#;
    let form = ElicitationForm::from_json(text).unwrap();
    assert_eq!(form.schema(NEWEST).unwrap().get(), text);
}

// Proves: E-02.
#[test]
fn what_is_no_form_is_refused_with_what_to_do() {
    #[derive(Deserialize, JsonSchema)]
    #[expect(dead_code, reason = "only its schema is of interest")]
    struct Street {
        name: String,
    }
    #[derive(Deserialize, JsonSchema)]
    #[expect(dead_code, reason = "only its schema is of interest")]
    struct With<T> {
        it: T,
    }
    #[derive(Deserialize, JsonSchema)]
    #[expect(dead_code, reason = "only its schema is of interest")]
    enum Shape {
        Circle { radius: f64 },
        Square { side: f64 },
    }
    #[derive(Deserialize, JsonSchema)]
    #[expect(dead_code, reason = "only its schema is of interest")]
    struct Tree {
        below: Option<Box<Tree>>,
    }
    let advice = "ask for its fields, or use URL mode";
    assert_eq!(
        refusal::<With<Street>>(),
        format!("`it` is an object; a form has only texts, numbers, switches and choices: {advice}")
    );
    assert!(refusal::<With<std::collections::BTreeMap<String, i32>>>().contains(advice));
    assert!(refusal::<Tree>().starts_with("`below` is an object"));
    assert!(refusal::<With<Vec<String>>>().starts_with("`it` is a list of something else than choices"));
    assert!(refusal::<With<Vec<Street>>>().starts_with("`it` is a list of something else than choices"));
    assert!(refusal::<With<Shape>>().starts_with("`it` is one of several kinds of things"));
    assert!(refusal::<With<Value>>().starts_with("`it` may be of several types"));
    assert!(refusal::<With<()>>().starts_with("`it` may be of several types"));
    for text in [
        refusal::<Size>(),
        refusal::<Shape>(),
        refusal::<String>(),
        refusal::<Vec<Order>>(),
        refusal::<std::collections::BTreeMap<String, i32>>(),
    ] {
        assert!(text.starts_with("a form is a struct with named fields"), "{text}");
    }
    let by_hand = |field: Value| {
        let text = json!({ "type": "object", "properties": { "it": field } }).to_string();
        ElicitationForm::from_json(&text).expect_err("no form").to_string()
    };
    assert!(by_hand(json!({ "type": "string", "pattern": "a" })).contains("`pattern`, which no form can say"));
    assert!(
        by_hand(json!({ "type": "string", "format": "ipv4" })).contains("a form knows email, uri, date, date-time")
    );
    assert!(by_hand(json!({ "type": "string", "enum": [] })).contains("has no choice"));
    assert!(by_hand(json!({ "type": "integer", "enum": [1] })).contains("choices of a form are strings"));
    assert!(
        by_hand(json!({ "type": "string", "enum": ["a"], "enumNames": [] })).contains("1 choices and 0 `enumNames`")
    );
    assert!(by_hand(json!({ "type": "integer", "default": "a" })).contains("is no answer to it: expected integer"));
    assert!(by_hand(json!({ "$ref": "#/$defs/none" })).contains("refers to"));
    assert!(ElicitationForm::from_json("{").is_err());
    assert!(ElicitationForm::from_json("[]").is_err());
}

#[test]
fn an_answer_becomes_the_type() {
    let form = form::<Order>();
    let answer = json!({
        "name": "Ada", "address": null, "count": 2, "hours": null, "size": "small", "payment": "card",
        "sizes": ["large", "small"], "payments": ["cash"], "unknown": 1,
    });
    let order: Order = form.decode(object(answer)).unwrap();
    let expected = Order {
        name: "Ada".into(),
        address: None,
        count: 2,
        hours: 2.0,
        gift: false,
        size: Size::Small,
        payment: Payment::Card,
        sizes: vec![Size::Large, Size::Small],
        payments: HashSet::from([Payment::Cash]),
        hint: None,
    };
    assert_eq!(order, expected);
}

// Proves: E-08.
#[test]
fn everything_that_is_wrong_with_an_answer_is_told_with_its_field() {
    let answer = json!({
        "name": "", "address": "nowhere", "count": 0, "hours": "2", "gift": 1, "size": "tiny", "sizes": ["small", "tiny"],
        "payments": ["cash", 2], "hint": "",
    });
    assert_eq!(
        problems(&form::<Order>(), answer.clone()),
        [
            "`payment`: required, missing (one of \"cash\", \"card\", \"invoice\")",
            "`count`: expected integer 1–9, got integer 0",
            "`gift`: expected boolean, got integer 1",
            "`hint`: expected one of \"small\", \"medium\", \"large\", got string \"\"",
            "`hours`: expected number, got string \"2\"",
            "`name`: expected string (1–40 characters), got string \"\"",
            "`payments[1]`: expected one of \"cash\", \"card\", \"invoice\", got integer 2",
            "`size`: expected one of \"small\", \"medium\", \"large\", got string \"tiny\"",
            "`sizes[1]`: expected one of \"small\", \"medium\", \"large\", got string \"tiny\"",
            "`address`: expected an e-mail address, e.g. \"ada@example.com\"",
        ]
    );
    assert!(form::<Order>().decode::<Order>(object(answer)).is_err());
}

#[test]
fn formats_of_texts_are_checked() {
    let check = |format: &str, text: &str| {
        let schema = json!({ "type": "object", "properties": { "it": { "type": "string", "format": format } } });
        problems(&ElicitationForm::from_json(&schema.to_string()).unwrap(), json!({ "it": text })).is_empty()
    };
    for (format, good, bad) in [
        ("email", &["a@b", "a.b+c@example.com", "\"@\"@b"][..], &["a", "@b", "a@", "a b@c", ""][..]),
        ("uri", &["https://example.com/a?b", "urn:x", "a+b:c"], &["example.com", ":a", "a:", "1a:b", "a:b c", ""]),
        (
            "date",
            &["2024-02-29", "2000-02-29", "2026-12-31"],
            &[
                "2023-02-29",
                "1900-02-29",
                "2026-13-01",
                "2026-00-01",
                "2026-1-1",
                "2026-04-31",
                "20261224",
                "",
                "é026-12-24",
            ],
        ),
        (
            "date-time",
            &["2026-12-24T18:00:00Z", "2026-12-24t18:00:00.123+01:00", "2016-12-31T23:59:60Z"],
            &[
                "2026-12-24",
                "2026-12-24T18:00:00",
                "2026-12-24T24:00:00Z",
                "2026-12-24T18:00Z",
                "2026-12-24T18:00:00.Z",
                "2026-12-24T18:00:00+1",
                "2026-12-24T18:00:00+é",
                "",
            ],
        ),
    ] {
        good.iter().for_each(|text| assert!(check(format, text), "{format} {text}"));
        bad.iter().for_each(|text| assert!(!check(format, text), "{format} {text}"));
    }
}

#[test]
fn what_the_type_asks_for_beyond_the_form_is_told_in_its_own_words() {
    #[derive(Debug, Deserialize, JsonSchema)]
    #[expect(dead_code, reason = "only its decoding is of interest")]
    struct Host {
        address: std::net::Ipv4Addr,
    }
    let form = form::<Host>();
    assert_eq!(property(&schema(&form, NEWEST), "address"), json!({ "type": "string" }));
    let problems = form.decode::<Host>(object(json!({ "address": "x" }))).expect_err("no address");
    assert!(problems[0].to_string().contains("invalid IPv4 address"), "{problems:?}");
    assert!(form.decode::<Host>(object(json!({ "address": "127.0.0.1" }))).is_ok());
}
