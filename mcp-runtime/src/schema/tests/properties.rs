//! Portable schemas and serde agree: what serde gives, the schema accepts; what the schema accepts, serde takes.

use std::{collections::BTreeMap, sync::LazyLock};

use jsonschema::Validator;
use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::{absent::without_absent, types::*, *};

/// Shrinking stops early: each attempt makes its schemas anew.
fn config(cases: u32) -> ProptestConfig {
    ProptestConfig { cases, max_shrink_iters: 100, failure_persistence: None, ..ProptestConfig::default() }
}

fn validator(schema: &str) -> Validator {
    jsonschema::draft202012::new(&serde_json::from_str(schema).expect("JSON")).expect("a schema")
}

fn draft7(schema: &str) -> Validator {
    jsonschema::draft7::new(&serde_json::from_str(schema).expect("JSON")).expect("a schema")
}

/// Both laws for one value.
///
/// *Results*: what serde gives is accepted as it is, with every null.
///
/// *Arguments*: `null` is no value that a model should learn, so a member that may be left out is announced without it;
/// what serde gives is accepted without the members that are `None`. Decoding takes them left out and as `null`.
fn agree<T: ArgumentType + Serialize + PartialEq + std::fmt::Debug>(value: &T) {
    let serialised = serde_json::to_value(value).expect("JSON");
    let without_absent = without_absent(value);
    accepts(&output::<T>(), &serialised);
    accepts(&input(vec![arg::<T>("it")]), &json!({ "it": without_absent.clone() }));
    for given in [serialised, without_absent] {
        assert_eq!(strict::<T>(&given.to_string()).as_ref(), Ok(value));
    }
}

/// In both drafts that clients know.
fn accepts(schema: &str, instance: &Value) {
    for validator in [validator(schema), draft7(schema)] {
        if let Err(error) = validator.validate(instance) {
            panic!("{instance}\nis refused by\n{schema}:\n{error} at {}", error.instance_path());
        }
    }
}

proptest! {
    #![proptest_config(config(32))]

    #[test]
    fn what_serde_gives_the_schemas_accept(value in everything()) {
        agree(&value);
    }

    #[test]
    fn what_serde_gives_the_schemas_of_its_parts_accept(
        tree in tree(), shape in shape(), external in external(), untagged in untagged(), flat in flat(),
        class in class(), addresses in proptest::collection::vec(address(), 0..3), adjacent in adjacent(),
        maybes in maybes(),
    ) {
        agree(&maybes);
        agree(&tree);
        agree(&shape);
        agree(&external);
        agree(&untagged);
        agree(&flat);
        agree(&class);
        agree(&addresses);
        agree(&adjacent);
    }
}

/// Any value that a schema accepts, made from the schema alone.
fn instance(schema: &Value, definitions: &Map<String, Value>, depth: usize) -> BoxedStrategy<Value> {
    if let Some(name) = schema["$ref"].as_str() {
        let name = name.strip_prefix("#/$defs/").expect("a definition");
        return instance(&definitions[name], definitions, depth);
    }
    let arms: Vec<_> =
        schema["anyOf"].as_array().into_iter().flatten().map(|arm| instance(arm, definitions, depth)).collect();
    let arms = (!arms.is_empty()).then(|| proptest::strategy::Union::new(arms).boxed());
    if let Some(values) = schema["enum"].as_array() {
        return proptest::sample::select(values.clone()).boxed();
    }
    match (schema["type"].as_str(), arms) {
        (Some("object"), arms) => object(schema, definitions, depth, arms),
        (None, Some(arms)) => arms,
        (None, None) => {
            prop_oneof![Just(json!(null)), any::<bool>().prop_map(Value::from), Just(json!([{}, "x"]))].boxed()
        }
        (Some("string"), _) => {
            let (least, most) = (schema["minLength"].as_u64().unwrap_or(0), schema["maxLength"].as_u64().unwrap_or(6));
            proptest::collection::vec(any::<char>(), least as usize..=most as usize)
                .prop_map(|letters| letters.into_iter().collect::<String>().into())
                .boxed()
        }
        (Some("integer"), _) => {
            let least = schema["minimum"].as_i64().unwrap_or(i64::MIN);
            let most = schema["maximum"].as_i64().unwrap_or(i64::MAX);
            // `5.0` is an integer to JSON Schema.
            let exact = least.max(-1_000)..=most.min(1_000);
            prop_oneof![(least..=most).prop_map(Value::from), exact.prop_map(|number| Value::from(number as f64))]
                .boxed()
        }
        (Some("number"), _) => {
            prop_oneof![any::<i32>().prop_map(Value::from), (-1e30..1e30).prop_map(Value::from)].boxed()
        }
        (Some("boolean"), _) => any::<bool>().prop_map(Value::from).boxed(),
        (Some("null"), _) => Just(Value::Null).boxed(),
        (Some("array"), _) => {
            let least = schema["minItems"].as_u64().unwrap_or(0) as usize;
            let most = schema["maxItems"].as_u64().map_or(if depth > 4 { 0 } else { 3 }, |most| most as usize);
            proptest::collection::vec(instance_of_items(schema, definitions, depth, most), least..=most)
                .prop_map(Value::from)
                .boxed()
        }
        other => panic!("{other:?} in {schema}"),
    }
}

fn instance_of_items(
    schema: &Value,
    definitions: &Map<String, Value>,
    depth: usize,
    most: usize,
) -> BoxedStrategy<Value> {
    // Recursive types end where their lists are empty.
    if most == 0 { Just(Value::Null).boxed() } else { instance(&schema["items"], definitions, depth + 1) }
}

fn object(
    schema: &Value,
    definitions: &Map<String, Value>,
    depth: usize,
    arms: Option<BoxedStrategy<Value>>,
) -> BoxedStrategy<Value> {
    let required: Vec<&str> = schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let mut members: Vec<BoxedStrategy<Option<(String, Value)>>> = Vec::new();
    for (name, property) in schema["properties"].as_object().into_iter().flatten() {
        let name = name.clone();
        let always = required.contains(&name.as_str());
        let member = instance(property, definitions, depth).prop_map(move |value| Some((name.clone(), value)));
        members.push(if always { member.boxed() } else { prop_oneof![Just(None), member].boxed() });
    }
    let rest: BoxedStrategy<BTreeMap<String, Value>> = match &schema["additionalProperties"] {
        Value::Object(_) if depth <= 4 => {
            let values = instance(&schema["additionalProperties"], definitions, depth + 1);
            proptest::collection::btree_map("[a-z]{0,3}", values, 0..3).boxed()
        }
        // Open objects: serde must not mind what it does not know.
        Value::Null => proptest::collection::btree_map("zz_[a-z]{3}", Just(json!([0])), 0..2).boxed(),
        _ => Just(BTreeMap::new()).boxed(),
    };
    let arms = arms.unwrap_or_else(|| Just(json!({})).boxed());
    (members, rest, arms)
        .prop_map(|(members, rest, arm)| {
            let mut whole: Map<String, Value> = rest.into_iter().collect();
            whole.extend(arm.as_object().cloned().unwrap_or_default());
            whole.extend(members.into_iter().flatten());
            Value::Object(whole)
        })
        .boxed()
}

#[derive(Debug, PartialEq, Serialize, serde::Deserialize, JsonSchema)]
enum Mixed {
    Plain,
    Documented(u16),
    Named { beta: bool, alpha: Option<Colour> },
}

#[derive(Debug, PartialEq, Serialize, serde::Deserialize, JsonSchema)]
struct Family {
    address: Address,
    tree: Tree,
    shape: Shape,
    adjacent: Adjacent,
    untagged: Untagged,
    flat: Flat,
    closed: Closed,
    mixed: Vec<Mixed>,
    class: Option<Class>,
    triple: [u8; 3],
    holes: Vec<Option<u8>>,
    map: BTreeMap<String, Option<Point>>,
    single: f32,
    char: char,
    any: Value,
    text: Option<Box<str>>,
    non_zero: std::num::NonZeroU16,
    wide: i64,
    unit: (),
}

#[test]
fn what_the_schema_accepts_serde_takes() {
    let card = tool(vec![arg::<Family>("it")]);
    let described = describe(&card, None).expect("portable");
    let schema = described.tool.input_schema.get();
    let validator = validator(schema);
    let parsed: Value = serde_json::from_str(schema).expect("JSON");
    let definitions = parsed["$defs"].as_object().cloned().unwrap_or_default();
    let mut runner = proptest::test_runner::TestRunner::new(config(128));
    let strategy = instance(&parsed["properties"]["it"], &definitions, 0);
    runner
        .run(&strategy, |value| {
            prop_assert!(validator.is_valid(&json!({ "it": value.clone() })), "the generator made {value}");
            let taken = one_described::<Family>(&card, &described, &value.to_string(), true);
            prop_assert!(taken.is_ok(), "{value}\n{taken:?}");
            Ok(())
        })
        .expect("agreement");
}

/// Every place in a value that holds neither members nor elements.
fn leaves(value: &Value, at: &str, found: &mut Vec<String>) {
    match value {
        Value::Object(members) => members.iter().for_each(|(name, value)| {
            let name = name.replace('~', "~0").replace('/', "~1");
            leaves(value, &format!("{at}/{name}"), found);
        }),
        Value::Array(elements) => {
            elements.iter().enumerate().for_each(|(index, value)| leaves(value, &format!("{at}/{index}"), found));
        }
        _ => found.push(at.to_owned()),
    }
}

fn any_leaf() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(json!(null)),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        (-300_i64..300).prop_map(Value::from),
        (-2e9..2e9).prop_map(Value::from),
        "[a-z]{0,2}".prop_map(Value::from),
        Just(json!("Red")),
        Just(json!("circle")),
        Just(json!([])),
        Just(json!({})),
    ]
}

proptest! {
    #![proptest_config(config(128))]

    #[test]
    fn a_changed_value_is_taken_if_the_schema_accepts_it(
        value in everything(), place in any::<proptest::sample::Index>(), leaf in any_leaf(),
    ) {
        static EVERYTHING: LazyLock<(ToolCard, Described, Validator)> = LazyLock::new(|| {
            let card = tool(vec![arg::<Everything>("it")]);
            let described = describe(&card, None).expect("portable");
            let validator = validator(described.tool.input_schema.get());
            (card, described, validator)
        });
        let (card, described, validator) = &*EVERYTHING;
        let mut value = without_absent(&value);
        let mut places = Vec::new();
        leaves(&value, "", &mut places);
        // A tuple's elements are only told apart by words: the profile has no keyword for them.
        places.retain(|place| !place.starts_with("/pair/") && !place.starts_with("/external/Tuple/"));
        let place = place.get(&places);
        *value.pointer_mut(place).expect("a place") = leaf;
        let accepted = validator.is_valid(&json!({ "it": value.clone() }));
        let taken = one_described::<Everything>(card, described, &value.to_string(), true);
        if accepted {
            prop_assert!(taken.is_ok(), "{place}: {taken:?}");
        }
        if let Err(text) = taken {
            prop_assert!(text.len() <= 2_048);
            prop_assert!(text.lines().count() > 1);
        }
    }

    #[test]
    fn any_json_is_decoded_or_refused_with_advice(text in "[\\[\\]{}\",:0-9eE.+a-z\\\\ -]{0,40}") {
        // The walk relies on well-formed text; on anything else it must still end without a panic.
        let _ = lenient::<Shape>(&text);
    }
}
