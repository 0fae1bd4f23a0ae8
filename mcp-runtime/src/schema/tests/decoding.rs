//! Arguments of calls: what is taken, and what the model is told of the rest.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{types::*, *};
use crate::schema::{Slot, advice, checks::Checks};

/// How many fly.
#[derive(Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
struct Passengers(#[schemars(range(min = 1, max = 9))] u32);

#[derive(Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(extend("format" = "date"))]
struct Date(String);

#[derive(Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "u8")]
struct Even(u8);

impl TryFrom<u8> for Even {
    type Error = String;

    fn try_from(value: u8) -> Result<Self, String> {
        if value.is_multiple_of(2) { Ok(Self(value)) } else { Err(format!("{value} is odd")) }
    }
}

#[derive(Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
struct Pair {
    left: Vec<Even>,
    #[serde(default)]
    right: Option<Even>,
}

#[derive(Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
struct Limits {
    #[schemars(length(min = 1, max = 3))]
    name: String,
    #[schemars(length(max = 2))]
    #[serde(default)]
    list: Vec<u8>,
    #[schemars(extend("multipleOf" = 0.1))]
    #[serde(default)]
    step: f64,
    #[schemars(extend("enum" = ["a", "b"]))]
    letter: String,
}

fn flight() -> Vec<ArgumentCard> {
    vec![
        arg::<Passengers>("passengers"),
        optional::<Option<Class>>("class"),
        arg::<Date>("date"),
        ArgumentCard { default: Some(|| 3.into()), ..optional::<u8>("bags") },
    ]
}

type Flight = (Passengers, Option<Class>, Date, u8);

fn flight_slots() -> (Slot<Passengers>, Slot<Option<Class>>, Slot<Date>, Slot<u8>) {
    (
        const { argument::<Passengers>() }.slot(None),
        const { argument::<Option<Class>>() }.slot(None),
        const { argument::<Date>() }.slot(None),
        const { argument::<u8>() }.slot(Some(|| 3)),
    )
}

fn book(text: &str, lenient: bool) -> Result<Flight, String> {
    let card = tool(flight());
    let described = describe(&card, None).expect("portable");
    book_with(&card, Arguments::new(text, &described.checks).without("session"), lenient)
}

fn book_with(card: &ToolCard, arguments: Arguments<'_>, lenient: bool) -> Result<Flight, String> {
    let (mut passengers, mut class, mut date, mut bags) = flight_slots();
    let slots: &mut [&mut dyn Fill] = &mut [&mut passengers, &mut class, &mut date, &mut bags];
    decode(arguments, &card.function, lenient, slots).map_err(|error| error.message().to_owned())?;
    Ok((passengers.take(), class.take(), date.take(), bags.take()))
}

#[test]
fn arguments_come_in_any_order_with_any_space_and_escapes() {
    let expected: Flight = (Passengers(2), Some(Class::First), Date("2026-12-24".into()), 3);
    for text in [
        r#"{"passengers":2,"class":"first","date":"2026-12-24"}"#,
        "\n{ \"date\" :\t\"2026-12-24\" , \"class\":\"first\",\r\n\"passengers\": 2 }",
        r#"{"d\u0061te":"2026\u002d12-24","passengers":2,"class":"first","bags":null}"#,
        r#"{"session":"kept \"away\" {","passengers":2,"class":"first","date":"2026-12-24"}"#,
    ] {
        assert_eq!(book(text, false).as_ref(), Ok(&expected), "{text}");
    }
}

#[test]
fn an_argument_that_may_be_left_out_may_be_null() {
    let (_, class, _, bags) = book(r#"{"passengers":9,"date":"x","class":null,"bags":null}"#, false).expect("taken");
    assert_eq!((class, bags), (None, 3));
}

#[test]
fn every_problem_is_told_at_once_in_the_order_of_the_parameters() {
    let text = book(r#"{"clas":"first","passengers":"two"}"#, true).expect_err("refused");
    assert_eq!(
        text,
        "Invalid arguments for `book_flight`:\n\
         - `passengers`: expected integer 1–9, got string \"two\"\n\
         - `clas`: unknown field, did you mean `class`?\n\
         - `date`: required, missing (date, e.g. \"2026-12-24\")"
    );
}

#[test]
fn a_misspelt_required_argument_is_told_once() {
    let text = book(r#"{"passengers":1,"Date":"2026-12-24","wholly_else":1}"#, true).expect_err("refused");
    assert_eq!(
        text,
        "Invalid arguments for `book_flight`:\n\
         - `Date`: unknown field, did you mean `date`?\n\
         - `wholly_else`: unknown field, known are `passengers`, `class`, `date`, `bags`"
    );
}

#[test]
fn calls_without_kept_checks_are_decoded_all_the_same() {
    let card = tool(flight());
    let arguments = |text| Arguments { text, reserved: None, checks: None };
    assert!(book_with(&card, arguments(r#"{"passengers":9,"date":"x"}"#), false).is_ok());
    assert!(book_with(&card, arguments(r#"{"passengers":10,"date":"x"}"#), false).is_err());
}

#[test]
fn what_the_schema_announces_holds() {
    assert_eq!(strict(r#""a""#), Ok(Date("a".into())));
    assert_eq!(refused(strict::<Passengers>("10")), ["- `it`: expected integer 1–9, got integer 10"]);
    assert_eq!(refused(strict::<Passengers>("0")), ["- `it`: expected integer 1–9, got integer 0"]);
    let fine = r#"{"name":"äöü","list":[1,2],"step":0.3,"letter":"b"}"#;
    assert!(strict::<Limits>(fine).is_ok());
    assert_eq!(
        refused(strict::<Limits>(r#"{"name":"","list":[1,2,3],"step":0.35,"letter":"c"}"#)),
        [
            "- `it.letter`: expected one of \"a\", \"b\", got string \"c\"",
            "- `it.list`: expected array of integer 0–255 (at most 2 items), got array of 3 items",
            "- `it.name`: expected string (1–3 characters), got string \"\"",
            "- `it.step`: expected number a multiple of 0.1, got number 0.35",
        ]
    );
}

#[test]
fn strings_of_what_was_meant_are_taken_leniently_alone() {
    assert_eq!(lenient(r#""5""#), Ok(5_u8));
    assert_eq!(lenient("5.0"), Ok(5_i64));
    assert_eq!(lenient("-0"), Ok(0_u32));
    assert_eq!(lenient("1.20e1"), Ok(12_u8));
    assert_eq!(lenient("1200e-2"), Ok(12_u8));
    assert_eq!(lenient(r#""true""#), Ok(true));
    assert_eq!(lenient(r#""2.5""#), Ok(2.5_f64));
    assert_eq!(lenient(r#""[1, \"2\"]""#), Ok(vec![1_u8, 2]));
    assert_eq!(lenient(r#""{\"y\": \"1\", \"x\": 2.0}""#), Ok(Point { y: 1, x: 2 }));
    assert_eq!(lenient(r#"{"kind":"square","side":"3"}"#), Ok(Shape::Square { side: 3, filled: false }));
    assert_eq!(one(optional::<Option<u8>>("it"), r#""null""#, true), Ok(None::<u8>));
    assert_eq!(one(optional::<Option<Class>>("it"), r#""null""#, true), Ok(None::<Class>));
    assert_eq!(one(optional::<Option<String>>("it"), r#""null""#, true), Ok(Some("null".to_owned())));
    for text in [r#""5""#, "5.0"] {
        assert!(strict::<u8>(text).is_err(), "{text}");
    }
    assert!(strict::<bool>(r#""true""#).is_err());
    assert!(strict::<Point>(r#""{\"y\":1,\"x\":2}""#).is_err());
}

#[test]
fn no_value_is_ever_changed() {
    assert_eq!(refused(lenient::<i64>("5.7")), ["- `it`: expected integer, got number 5.7"]);
    assert_eq!(refused(lenient::<i64>(r#""5.7""#)), ["- `it`: expected integer, got string \"5.7\""]);
    assert!(lenient::<i64>("57e-1").is_err());
    assert!(lenient::<u8>("300").is_err());
    assert!(lenient::<u8>(r#""300""#).is_err());
    assert!(lenient::<bool>("1").is_err());
    assert!(lenient::<bool>(r#""yes""#).is_err());
    assert!(lenient::<String>("5").is_err());
    assert_eq!(lenient("9007199254740993"), Ok(9_007_199_254_740_993_i64));
    assert_eq!(lenient(r#""9007199254740993""#), Ok(9_007_199_254_740_993_i64));
    assert_eq!(lenient("9007199254740993.0"), Ok(9_007_199_254_740_993_i64));
    assert_eq!(lenient(r#""-9223372036854775808""#), Ok(i64::MIN));
}

#[test]
fn numbers_out_of_range_never_become_infinite() {
    for text in ["1e400", "-1e400", r#""1e400""#, r#""inf""#, r#""NaN""#] {
        assert!(lenient::<f64>(text).is_err(), "{text}");
        assert!(lenient::<f32>(text).is_err(), "{text}");
        assert!(lenient::<i64>(text).is_err(), "{text}");
    }
    assert!(lenient::<Value>("1e400").is_err());
    assert!(lenient::<Untagged>("1e400").is_err());
    assert!(lenient::<f32>("1e39").is_err());
    assert_eq!(lenient("3e38"), Ok(3e38_f32));
    let digits = "9".repeat(10_000);
    assert!(lenient::<i64>(&digits).is_err());
    assert!(lenient::<f64>(&digits).is_err());
}

#[test]
fn problems_inside_values_have_a_path() {
    let address = r#"{"street":"a","zip":"x","colour":"Rot","apartment":40000}"#;
    assert_eq!(
        refused(lenient::<Vec<Address>>(&format!("[{address}]"))),
        [
            "- `it[0].apartment`: expected integer -32768 to 32767, got integer 40000",
            "- `it[0].colour`: expected one of \"Red\", \"Green\", \"Blue\", got string \"Rot\"",
            "- `it[0].zip`: expected integer 0–4294967295, got string \"x\"",
        ]
    );
    assert_eq!(
        refused(lenient::<Closed>(r#"{"ony":"x","a b":1}"#)),
        [
            "- `it.only`: required, missing (string)",
            "- `it[\"a b\"]`: unknown field, known are `only`, `maybe`",
            "- `it.ony`: unknown field, did you mean `only`?",
        ]
    );
    assert_eq!(
        refused(lenient::<Tree>(r#"{"value":1,"children":[{"value":2},{"value":true}]}"#)),
        ["- `it.children[1].value`: expected integer -2147483648 to 2147483647, got boolean true"]
    );
    assert_eq!(
        refused(lenient::<Shape>(r#"{"kind":"circle","radius":"wide"}"#)),
        ["- `it.radius`: expected number, got string \"wide\""]
    );
    assert_eq!(
        refused(lenient::<Untagged>("{}")),
        ["- `it`: expected integer -2147483648 to 2147483647 or string or array of boolean, got object"]
    );
    assert_eq!(
        refused(lenient::<(i32, String)>(r#"["a", 1]"#)),
        [
            "- `it[0]`: expected integer -2147483648 to 2147483647, got string \"a\"",
            "- `it[1]`: expected string, got integer 1",
        ]
    );
}

#[test]
fn what_only_the_type_knows_is_told_at_its_place() {
    assert_eq!(refused(lenient::<Even>("3")), ["- `it`: 3 is odd, got integer 3"]);
    for (text, line) in [
        (r#"{"left": [2, 4, 7], "right": 2}"#, "- `it.left[2]`: 7 is odd, got integer 7"),
        (r#"{"left": [2, 7, 4], "right": 2}"#, "- `it.left[1]`: 7 is odd, got integer 7"),
        ("{\"left\": [2,\n7\n,4]}", "- `it.left[1]`: 7 is odd, got integer 7"),
        (r#"{"left": [7 ]}"#, "- `it.left[0]`: 7 is odd, got integer 7"),
        (r#"{"left": [], "right": 7}"#, "- `it.right`: 7 is odd, got integer 7"),
        (r#"{"right": 7 , "left": []}"#, "- `it.right`: 7 is odd, got integer 7"),
    ] {
        assert_eq!(refused(lenient::<Pair>(text)), [line], "{text}");
    }
}

#[test]
fn the_text_stays_short_whatever_comes() {
    let long = "x".repeat(100_000);
    let many: Vec<String> = (0..500).map(|index| format!("\"{index}{long}\":1")).collect();
    let text = book(&format!("{{{}}}", many.join(",")), true).expect_err("refused");
    assert!(text.len() <= 2_048, "{}", text.len());
    assert!(text.contains("… and "), "{text}");
    let text = book(&format!(r#"{{"passengers":"{long}","date":["`\u0000\n"]}}"#), true).expect_err("refused");
    assert_eq!(
        text,
        format!(
            "Invalid arguments for `book_flight`:\n\
             - `passengers`: expected integer 1–9, got string \"{}…\"\n\
             - `date`: expected string (date), got array of 1 item",
            "x".repeat(40)
        )
    );
}

#[test]
fn odd_names_are_plain_data() {
    for name in ["__proto__", "constructor", "", "\\u0000", "a`b\\n"] {
        let text = book(&format!(r#"{{"{name}":1,"passengers":1,"date":"x"}}"#), true).expect_err("refused");
        assert_eq!(text.lines().count(), 2, "{text:?}");
    }
    let map: std::collections::BTreeMap<String, u8> = strict(r#"{"__proto__":1,"":2}"#).expect("taken");
    assert_eq!(map.len(), 2);
}

#[test]
fn arguments_that_are_no_object_are_missing_arguments() {
    for text in ["[]", "\"x\"", "null", "", "{"] {
        assert!(book(text, true).is_err(), "{text}");
    }
}

#[test]
fn strings_of_bottomless_json_are_refused_and_not_followed() {
    let deep = format!("\"{}{}\"", "[".repeat(200_000), "]".repeat(200_000));
    assert!(lenient::<Vec<Tree>>(&deep).is_err());
    let nested = "{\\\"value\\\":1,\\\"children\\\":[".repeat(50_000);
    assert!(lenient::<Tree>(&format!("\"{nested}\"")).is_err());
}

#[test]
fn a_verbatim_schema_decides_on_unknown_members() {
    let text = r#"{"passengers":1,"date":"x","more":1}"#;
    for (schema, taken) in [
        (r#"{"type":"object"}"#, true),
        (r#"{"type":"object","additionalProperties":true}"#, true),
        (r#"{"type":"object","additionalProperties":false}"#, false),
    ] {
        let card = verbatim(tool(flight()), schema);
        let described = describe(&card, None).expect("an object's");
        let result = book_with(&card, Arguments::new(text, &described.checks), true);
        assert_eq!(result.is_ok(), taken, "{schema}: {result:?}");
    }
}

#[test]
fn more_arguments_than_bits_are_decoded_too() {
    let names: Vec<&'static str> = (0..70).map(|index| &*format!("a{index}").leak()).collect();
    let card = tool(names.iter().map(|name| arg::<u8>(name)).collect());
    let checks = Checks::of(&card.function).expect("portable");
    let text: Vec<String> = names.iter().enumerate().map(|(index, name)| format!("\"{name}\":{index}")).collect();
    let mut slots: Vec<Slot<u8>> = names.iter().map(|_| const { argument::<u8>() }.slot(None)).collect();
    let mut fills: Vec<&mut dyn Fill> = slots.iter_mut().map(|slot| slot as &mut dyn Fill).collect();
    let text = format!("{{{}}}", text.join(","));
    decode(Arguments::new(&text, &checks), &card.function, false, &mut fills).expect("taken");
    assert_eq!(slots.iter_mut().map(Slot::take).collect::<Vec<_>>(), (0..70).collect::<Vec<u8>>());
}

/// What is refused, and how often the advice looked for what was meant.
fn suggestions<T>(refuse: impl FnOnce() -> Result<T, String>) -> (String, usize) {
    let made = || advice::SUGGESTIONS.with(std::cell::Cell::get);
    let before = made();
    let text = refuse().err().expect("refused");
    (text, made() - before)
}

#[test]
fn of_very_many_unknown_arguments_the_first_are_explained_and_the_others_counted() {
    let members: Vec<String> = (0..10_000).map(|index| format!("\"k{index}\":1")).collect();
    let text = format!("{{{},\"passengers\":\"two\"}}", members.join(","));
    let (text, made) = suggestions(|| book(&text, true));
    assert!(made <= 32, "{made}");
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines[1], "- `passengers`: expected integer 1–9, got string \"two\"");
    assert_eq!(lines[2], "- `date`: required, missing (date, e.g. \"2026-12-24\")");
    assert_eq!(lines[3], "- `k0`: unknown field, known are `passengers`, `class`, `date`, `bags`");
    let left = 10_000 - (lines.len() - 4);
    assert_eq!(lines.last().copied(), Some(format!("- … and {left} more").as_str()));
}

#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Strict {
    #[serde(default)]
    a: u8,
}

#[test]
fn of_very_many_mistakes_inside_a_value_the_first_are_explained_and_the_others_counted() {
    let members: Vec<String> = (0..10_000).map(|index| format!("\"key_{index}\":1")).collect();
    let (text, made) = suggestions(|| lenient::<Strict>(&format!("{{{}}}", members.join(","))));
    assert!(made <= 32, "{made}");
    let told = text.lines().filter(|line| line.starts_with("- `it.key_")).count();
    assert!(text.ends_with(&format!("- … and {} more", 10_000 - told)), "{text}");

    let elements = vec!["{\"b\":1}"; 10_000].join(",");
    let (text, made) = suggestions(|| lenient::<Vec<Strict>>(&format!("[{elements}]")));
    assert!(made <= 32, "{made}");
    assert!(text.contains("- `it[0].b`: unknown field, did you mean `a`?"), "{text}");
}

#[test]
fn mistakes_that_the_type_accepts_hide_no_broken_constraint() {
    // The type knows the field by another name than the schema, as often as a peer likes …
    #[derive(Debug, Serialize, Deserialize, JsonSchema)]
    struct Row {
        #[serde(alias = "label")]
        name: String,
    }
    #[derive(Debug, Serialize, Deserialize, JsonSchema)]
    struct Table {
        rows: Vec<Row>,
        size: Passengers,
    }
    let rows = vec!["{\"label\":\"x\"}"; 100].join(",");
    let table = |size: u8| format!("{{\"rows\":[{rows}],\"size\":{size}}}");
    assert!(strict::<Table>(&table(9)).is_ok());
    // … and the constraint behind them holds all the same.
    assert_eq!(refused(strict::<Table>(&table(10))), ["- `it.size`: expected integer 1–9, got integer 10"]);
}

/// A wide integer as `#[arg(as_string)]` has it.
fn digits<T: crate::as_string::AsString>(text: &str, required: bool, lenient: bool) -> Result<T, String> {
    let argument = const { crate::__private::argument_as_string::<T>() };
    let card = tool(vec![ArgumentCard { required, schema: argument.schema(), ..arg::<String>("it") }]);
    let described = describe(&card, None).expect("portable");
    let arguments = format!("{{\"it\":{text}}}");
    let mut slot = argument.slot(None);
    let slots: &mut [&mut dyn Fill] = &mut [&mut slot];
    decode(Arguments::new(&arguments, &described.checks), &card.function, lenient, slots)
        .map_err(|error| error.message().to_owned())?;
    Ok(slot.take())
}

#[test]
fn wide_integers_are_taken_as_digits_and_leniently_as_numbers() {
    for lenient in [false, true] {
        assert_eq!(digits(r#""18446744073709551615""#, true, lenient), Ok(u64::MAX));
        assert_eq!(digits(r#""-9223372036854775808""#, true, lenient), Ok(i64::MIN));
        assert_eq!(digits(&format!("\"{}\"", i128::MIN), true, lenient), Ok(i128::MIN));
        assert_eq!(digits(&format!("\"{}\"", u128::MAX), true, lenient), Ok(u128::MAX));
        assert_eq!(digits(r#""0""#, false, lenient), Ok(Some(0_i64)));
        assert_eq!(digits::<Option<u64>>("null", false, lenient), Ok(None));
    }
    assert_eq!(digits("18446744073709551615", true, true), Ok(u64::MAX));
    assert_eq!(digits("340282366920938463463374607431768211455", true, true), Ok(u128::MAX));
    assert_eq!(digits("-5.0", true, true), Ok(-5_i64));
    assert_eq!(digits(r#""null""#, false, true), Ok(None::<u64>));
    let said = digits::<u64>("5", true, false).expect_err("strictly a string");
    assert!(
        said.contains("expected string (the digits of an integer 0–18446744073709551615), got integer 5"),
        "{said}"
    );
    for wrong in [
        r#""18446744073709551616""#,
        r#""-1""#,
        r#""+5""#,
        r#""007""#,
        r#""-0""#,
        r#""5.0""#,
        r#""1e3""#,
        r#""""#,
        r#"" 5""#,
        r#""five""#,
        "5.5",
        "-1",
        "true",
        "null",
        "[5]",
        "18446744073709551616",
    ] {
        let said = digits::<u64>(wrong, true, true).expect_err(wrong);
        assert!(said.contains("digits of an integer 0–18446744073709551615"), "{wrong}: {said}");
        assert!(said.contains("- `it`: expected"), "{wrong}: {said}");
    }
}

#[test]
fn a_set_is_refused_when_it_has_an_element_twice() {
    use std::collections::{BTreeSet, HashSet};
    assert_eq!(strict::<BTreeSet<i64>>("[2,1]").map(|set| set.len()), Ok(2));
    assert_eq!(strict::<BTreeSet<String>>(r#"["1","2","01"]"#).map(|set| set.len()), Ok(3));
    assert_eq!(strict::<HashSet<Vec<u8>>>("[[1,2],[2,1],[]]").map(|set| set.len()), Ok(3));
    for twice in ["[1,2,1]", "[1,1.0]", r#"[1,"1"]"#] {
        let said = lenient::<BTreeSet<i64>>(twice).expect_err(twice);
        assert!(said.contains("- `it`: expected array of integer (all different), got array of"), "{twice}: {said}");
    }
    assert!(lenient::<HashSet<Vec<u8>>>("[[1,2],[1,2]]").is_err());
    let nested = lenient::<Vec<BTreeSet<String>>>(r#"[["a"],["b","b"]]"#).expect_err("twice");
    assert!(nested.contains("- `it[1]`: expected array of string (all different)"), "{nested}");
    // Linear: a peer chooses the number of elements.
    let many: Vec<String> = (0..200_000).map(|number| number.to_string()).collect();
    let begun = std::time::Instant::now();
    assert_eq!(strict::<BTreeSet<i64>>(&format!("[{}]", many.join(","))).map(|set| set.len()), Ok(200_000));
    assert!(begun.elapsed() < std::time::Duration::from_secs(10), "{:?}", begun.elapsed());
}
