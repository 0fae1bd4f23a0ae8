//! Goldens, one per rule of the portable profile.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::json;

use super::{types::*, *};

fn is_valid_by_every_draft(schema: &str) {
    let schema: Value = serde_json::from_str(schema).expect("JSON");
    jsonschema::draft7::meta::validate(&schema).expect("draft-07");
    jsonschema::draft202012::meta::validate(&schema).expect("2020-12");
}

// Proves: TL-02.
#[test]
fn no_arguments_are_an_empty_closed_object() {
    assert_eq!(input(vec![]), r#"{"type":"object","properties":{},"additionalProperties":false}"#);
}

#[test]
fn arguments_stand_in_the_order_of_the_parameters() {
    let arguments = vec![
        ArgumentCard { description: "Where to.", ..arg::<String>("to") },
        ArgumentCard { description: "How many.", default: Some(|| json!(3)), ..optional::<u8>("count") },
        optional::<Option<bool>>("again"),
    ];
    let text = input(arguments);
    assert_eq!(
        text,
        concat!(
            r#"{"type":"object","properties":{"to":{"type":"string","description":"Where to."},"#,
            r#""count":{"type":"integer","description":"How many. (0–255, default 3)","minimum":0,"maximum":255,"default":3},"#,
            r#""again":{"type":"boolean"}},"required":["to"],"additionalProperties":false}"#,
        )
    );
    is_valid_by_every_draft(&text);
}

#[test]
fn the_schemas_of_everything_are_valid_by_every_draft_and_portable() {
    for text in [input(vec![arg::<Everything>("it"), optional::<Option<Tree>>("tree")]), output::<Everything>()] {
        is_valid_by_every_draft(&text);
    }
    crate::schema::assert_portable(&[described(vec![arg::<Address>("it"), arg::<Tree>("tree")]).tool]);
}

#[test]
fn properties_of_nested_types_keep_their_order() {
    let text = input(vec![arg::<Everything>("it")]);
    let place = |name: &str| text.find(&format!("\"{name}\":{{")).expect(name);
    let names = ["zebra", "bool", "yak", "class", "second_address", "maybe_list", "any", "flat", "ant"];
    assert!(names.is_sorted_by_key(|name| place(name)), "{text}");
    assert!(place("street") < place("zip") && place("zip") < place("country") && place("country") < place("apartment"));
}

#[test]
fn enums_keep_their_order_and_say_what_variants_mean() {
    assert_eq!(
        schema_of::<Class>(),
        json!({
            "type": "string",
            "description": "How comfortable.\n- premium: Two seats instead of three.\n- first: A bed.",
            "enum": ["economy", "premium", "business", "first"],
        })
    );
    assert_eq!(schema_of::<Colour>()["enum"], json!(["Red", "Green", "Blue"]));
}

#[test]
fn options_say_no_null_where_they_may_be_left_out() {
    let schema: Value = serde_json::from_str(&input(vec![optional::<Option<Address>>("it")])).expect("JSON");
    assert_eq!(schema["properties"]["it"]["type"], "object");
    assert_eq!(schema["properties"]["it"]["properties"]["country"], json!({ "type": "string" }));
    assert_eq!(schema.get("required"), None);
    assert_eq!(
        schema_of::<Vec<Option<bool>>>()["items"],
        json!({ "anyOf": [{ "type": "boolean" }, { "type": "null" }] })
    );
}

#[test]
fn results_say_every_null_that_may_come() {
    let schema: Value = serde_json::from_str(&output::<Option<Point>>()).expect("JSON");
    assert_eq!(schema["anyOf"][1], json!({ "type": "null" }));
    let schema: Value = serde_json::from_str(&output::<Address>()).expect("JSON");
    assert_eq!(schema["properties"]["country"], json!({ "anyOf": [{ "type": "string" }, { "type": "null" }] }));
    assert_eq!(schema["required"], json!(["street", "zip", "country", "colour", "apartment"]));
    assert_eq!(output::<u32>(), r#"{"type":"integer","minimum":0,"maximum":4294967295}"#);
    assert_eq!(output::<Vec<String>>(), r#"{"type":"array","items":{"type":"string"}}"#);
}

#[test]
fn a_type_that_holds_itself_is_a_definition() {
    assert_eq!(
        input(vec![arg::<Tree>("it")]),
        concat!(
            r#"{"type":"object","properties":{"it":{"type":"object","properties":{"#,
            r#""value":{"type":"integer","minimum":-2147483648,"maximum":2147483647},"#,
            r##""children":{"type":"array","description":"default []","items":{"$ref":"#/$defs/Tree"},"default":[]}},"##,
            r#""required":["value"]}},"required":["it"],"additionalProperties":false,"$defs":{"Tree":{"type":"object","#,
            r#""properties":{"value":{"type":"integer","minimum":-2147483648,"maximum":2147483647},"#,
            r##""children":{"type":"array","description":"default []","items":{"$ref":"#/$defs/Tree"},"default":[]}},"##,
            r#""required":["value"]}}}"#,
        )
    );
    assert!(output::<Tree>().starts_with(r#"{"type":"object","#));
}

#[derive(Deserialize, JsonSchema)]
#[expect(dead_code, reason = "only its schema is asked for")]
#[serde(tag = "op")]
enum Expression {
    Sum { left: Box<Expression>, right: Box<Expression> },
    Negate(Box<Negation>),
    Value { value: f64 },
}

#[derive(Deserialize, JsonSchema)]
#[expect(dead_code, reason = "only its schema is asked for")]
struct Negation {
    of: Expression,
    #[serde(default)]
    again: Option<Box<Negation>>,
}

#[test]
fn types_that_hold_each_other_end() {
    let text = input(vec![arg::<Expression>("it"), optional::<Option<Negation>>("negation")]);
    is_valid_by_every_draft(&text);
    crate::schema::assert_portable(&[described(vec![arg::<Expression>("it")]).tool]);
    assert!(text.len() < 20_000, "{}", text.len());
}

#[test]
fn unions_are_any_of_and_tags_are_enums() {
    let schema = schema_of::<Shape>();
    assert_eq!(schema["type"], "object");
    assert_eq!(schema.get("oneOf"), None);
    assert_eq!(
        schema["anyOf"][3],
        json!({
            "type": "object",
            "properties": { "kind": { "type": "string", "enum": ["at"] }, "y": { "type": "integer" }, "x": { "type": "integer" } },
            "required": ["kind", "y", "x"],
        })
    );
}

#[test]
fn tuples_are_lists_of_a_length() {
    assert_eq!(
        schema_of::<(bool, String)>(),
        json!({
            "type": "array",
            "description": "in this order: boolean, string",
            "items": { "anyOf": [{ "type": "boolean" }, { "type": "string" }] },
            "minItems": 2,
            "maxItems": 2,
        })
    );
    assert_eq!(schema_of::<(bool, bool)>()["items"], json!({ "type": "boolean" }));
}

#[test]
fn maps_and_any_values_are_said_so() {
    assert_eq!(
        schema_of::<BTreeMap<String, bool>>(),
        json!({ "type": "object", "additionalProperties": { "type": "boolean" } })
    );
    assert_eq!(schema_of::<Value>(), json!({ "description": "any JSON value" }));
    assert_eq!(schema_of::<BTreeMap<String, Value>>(), json!({ "type": "object", "additionalProperties": true }));
    assert_eq!(schema_of::<Vec<Value>>()["items"], json!({ "description": "any JSON value" }));
}

#[test]
fn formats_of_numbers_become_bounds_and_odd_formats_go() {
    assert_eq!(schema_of::<i64>(), json!({ "type": "integer" }));
    assert_eq!(schema_of::<usize>(), json!({ "type": "integer", "minimum": 0 }));
    assert_eq!(schema_of::<i32>(), json!({ "type": "integer", "minimum": i32::MIN, "maximum": i32::MAX }));
    assert_eq!(schema_of::<f64>(), json!({ "type": "number" }));
    assert_eq!(schema_of::<std::net::Ipv4Addr>()["format"], "ipv4");
    assert_eq!(schema_of::<std::net::IpAddr>().get("format"), None);
}

#[derive(Deserialize, JsonSchema)]
#[expect(dead_code, reason = "only its schema is asked for")]
struct Constrained {
    /// How many.
    #[schemars(range(min = 1, max = 9))]
    #[serde(default = "three")]
    count: u32,
    #[schemars(length(min = 2, max = 40), regex(pattern = "^a+$"))]
    title: String,
    #[schemars(range(min = 0.5))]
    least: f64,
}

fn three() -> u32 {
    3
}

#[test]
fn constraints_and_defaults_are_told_in_words() {
    let schema = schema_of::<Constrained>();
    assert_eq!(schema["properties"]["count"]["description"], "How many. (1–9, default 3)");
    assert_eq!(schema["properties"]["title"]["description"], "2–40 characters, pattern ^a+$");
    assert_eq!(schema["properties"]["least"]["description"], "at least 0.5");
    assert_eq!(schema["properties"]["count"]["maximum"], 9);
}

#[test]
fn the_extra_argument_stands_last_and_is_required() {
    let extra = ExtraArgument { name: "session", description: "The session." };
    let card = tool(vec![arg::<bool>("zoom")]);
    let text = describe(&card, Some(&extra)).expect("portable").tool.input_schema.get().to_owned();
    assert_eq!(
        text,
        concat!(
            r#"{"type":"object","properties":{"zoom":{"type":"boolean"},"session":{"type":"string","description":"The session."}},"#,
            r#""required":["zoom","session"],"additionalProperties":false}"#,
        )
    );
    let error = describe(&tool(vec![arg::<bool>("session")]), Some(&extra)).expect_err("taken");
    assert!(error.contains("`session`") && error.contains("book_flight"), "{error}");
}

#[test]
fn a_verbatim_schema_stays_as_it_is_but_for_the_extra_argument() {
    let extra = ExtraArgument { name: "session", description: "S." };
    let verbatim = |schema: &'static str| verbatim(tool(Vec::new()), schema);
    let schema = r#"{ "type":"object", "$defs": {"a":true}, "properties": { "z": {}, "a":{} } , "required": [ ] }"#;
    assert_eq!(describe(&verbatim(schema), None).expect("an object's").tool.input_schema.get(), schema);
    assert_eq!(
        describe(&verbatim(schema), Some(&extra)).expect("an object's").tool.input_schema.get(),
        concat!(
            r#"{"type":"object","$defs":{"a":true},"properties":{ "z": {}, "a":{},"session":{"type":"string","description":"S."}},"#,
            r#""required":["session"]}"#,
        )
    );
    let bare = describe(&verbatim(r#"{"type":"object"}"#), Some(&extra)).expect("an object's").tool;
    is_valid_by_every_draft(bare.input_schema.get());
    for wrong in ["[]", "{", r#"{"type":"string"}"#, "{}", r#"{"type":"object","required":null}"#] {
        assert!(describe(&verbatim(wrong), None).is_err(), "{wrong}");
    }
}

// Proves: N-06, TL-18.
#[test]
fn abuse_d8_headers_are_checked_when_the_tool_is_declared() {
    let with = |header: &'static str, argument: ArgumentCard| ArgumentCard { header: Some(header), ..argument };
    let refused = |arguments: Vec<ArgumentCard>| describe(&tool(arguments), None).expect_err("refused");
    let text = input(vec![with("Region", arg::<String>("region")), with("Count", optional::<Option<u8>>("count"))]);
    assert!(text.contains(r#""region":{"type":"string","x-mcp-header":"Region"}"#), "{text}");
    assert!(refused(vec![with("My Region", arg::<String>("a"))]).contains("My Region"));
    assert!(refused(vec![with("", arg::<String>("a"))]).contains("no header name"));
    assert!(refused(vec![with("A", arg::<f64>("a"))]).contains("number"));
    assert!(refused(vec![with("A", arg::<Vec<String>>("a"))]).contains("array"));
    assert!(refused(vec![with("A", arg::<Untagged>("a"))]).contains("union"));
    assert!(refused(vec![with("A", arg::<Value>("a"))]).contains("string"));
    assert!(refused(vec![with("A", arg::<u8>("a")), with("a", arg::<u8>("b"))]).contains("twice"));
    let schema: Value = serde_json::from_str(&input(vec![with("N", arg::<i64>("n"))])).expect("JSON");
    assert_eq!(schema["properties"]["n"]["maximum"], 9_007_199_254_740_991_i64);
    assert!(one::<i64>(with("N", arg::<i64>("it")), "9007199254740992", true).is_err());
    assert!(one::<i64>(with("N", arg::<i64>("it")), "9007199254740991", true).is_ok());
}

#[derive(Serialize, JsonSchema)]
struct Ledger {
    id: u64,
    #[serde(with = "crate::as_string")]
    #[schemars(schema_with = "crate::as_string::schema::<u128>")]
    digits: u128,
    #[serde(with = "crate::as_string")]
    #[schemars(schema_with = "crate::as_string::schema::<Option<i64>>")]
    maybe: Option<i64>,
    small: u32,
    #[schemars(range(min = -5, max = 9_007_199_254_740_991_i64))]
    bounded: i64,
    entries: Vec<Entry>,
    totals: BTreeMap<String, i128>,
    tree: Ring,
}

#[derive(Serialize, JsonSchema)]
struct Entry {
    amount: Option<i64>,
    ratio: f64,
}

#[derive(Serialize, JsonSchema)]
struct Ring {
    next: Option<Box<Ring>>,
    #[serde(rename = "odd name")]
    count: usize,
}

#[test]
fn integers_in_results_that_clients_round_are_found() {
    fn found<T: Serialize + JsonSchema>() -> Vec<String> {
        let mut tool = described(Vec::new()).tool;
        tool.output_schema = serde_json::value::RawValue::from_string(output::<T>()).ok();
        crate::schema::inexact_integers(&tool)
    }
    let mut paths = found::<Ledger>();
    paths.sort();
    assert_eq!(paths, ["Ring[\"odd name\"]", "entries[].amount", "id", "totals.*", "tree[\"odd name\"]"]);
    assert_eq!(found::<i64>(), ["(the result)"]);
    assert_eq!(found::<u32>(), Vec::<String>::new());
    assert!(crate::schema::inexact_integers(&described(vec![arg::<u64>("it")]).tool).is_empty());
}

#[test]
fn wide_integers_in_results_can_be_announced_as_digits() {
    let schema: Value = serde_json::from_str(&output::<Ledger>()).expect("JSON");
    assert_eq!(
        schema["properties"]["digits"],
        json!({
            "type": "string",
            "description": "the digits of an integer 0–340282366920938463463374607431768211455",
            "pattern": "^(0|[1-9][0-9]*)$",
        })
    );
    assert_eq!(schema["properties"]["maybe"]["anyOf"][0]["pattern"], "^(0|-?[1-9][0-9]*)$");
    assert_eq!(schema["properties"]["maybe"]["anyOf"][1], json!({ "type": "null" }));
    let ring = Ring { next: None, count: 0 };
    let ledger = Ledger {
        id: 1,
        digits: u128::MAX,
        maybe: None,
        small: 0,
        bounded: 0,
        entries: Vec::new(),
        totals: BTreeMap::new(),
        tree: ring,
    };
    let mut written = serde_json::to_value(&ledger).expect("JSON");
    assert_eq!(written["digits"], "340282366920938463463374607431768211455");
    for maybe in [json!(null), json!("-1"), json!("0")] {
        written["maybe"] = maybe;
        assert!(jsonschema::draft202012::is_valid(&schema, &written), "{written}");
    }
    for wrong in [json!(1), json!("-0"), json!("01"), json!("")] {
        written["maybe"] = wrong;
        assert!(!jsonschema::draft202012::is_valid(&schema, &written), "{written}");
    }
}

macro_rules! shared {
    ($($name:ident { $($field:ident: $type:ty),* })*) => {
        $(#[derive(Deserialize, JsonSchema)]
        #[expect(dead_code, reason = "only its schema is asked for")]
        struct $name { $($field: $type),* })*
    };
}

shared! {
    L0 { a: String, b: String, c: String, d: Class }
    L1 { a: Box<L0>, b: Box<L0>, c: Box<L0>, d: Box<L0>, e: Box<L0> }
    L2 { a: Box<L1>, b: Box<L1>, c: Box<L1>, d: Box<L1>, e: Box<L1> }
    L3 { a: Box<L2>, b: Box<L2>, c: Box<L2>, d: Box<L2>, e: Box<L2> }
    L4 { a: Box<L3>, b: Box<L3>, c: Box<L3>, d: Box<L3>, e: Box<L3> }
    L5 { a: Box<L4>, b: Box<L4>, c: Box<L4>, d: Box<L4>, e: Box<L4> }
    L6 { a: Box<L5>, b: Box<L5>, c: Box<L5>, d: Box<L5>, e: Box<L5> }
}

#[test]
fn types_that_would_explode_stay_definitions() {
    let text = input(vec![arg::<L6>("it")]);
    assert!(text.len() < 10_000, "{}", text.len());
    assert!(text.contains("\"$defs\"") && text.contains("#/$defs/L5"), "{text}");
    is_valid_by_every_draft(&text);
}
