//! What peers may send, and what comes of it.

use std::collections::HashMap;

use proptest::prelude::*;

use super::{scan::Scanner, *};

fn single(text: &str) -> Message {
    match read(text.as_bytes()) {
        Ok(Body::Single(message)) => message,
        other => panic!("{text} was read as {other:?}"),
    }
}

fn request(text: &str) -> Request {
    match single(text) {
        Message::Request(request) => request,
        other => panic!("{text} was read as {other:?}"),
    }
}

fn refused(text: &str) -> (i32, Option<Id>) {
    match read(text.as_bytes()) {
        Err(malformed) => (malformed.code.0, malformed.id),
        other => panic!("{text} was read as {other:?}"),
    }
}

fn with_id(id: &str) -> String {
    format!(r#"{{"jsonrpc":"2.0","id":{id},"method":"ping"}}"#)
}

fn with_params(params: &str) -> String {
    format!(r#"{{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{params}}}"#)
}

#[test]
fn a_request_is_read_with_its_params_and_their_meta() {
    let request = request(
        r#" {"jsonrpc" : "2.0", "id" : 7, "method":"tools\/call", "later": [1, {"a": null}],
            "params": {"name": "a\"dd", "arguments": {"a": 1, "b": [2]}, "_meta": {"x/y": {"z": 1}, "\u0061": 2}} }
        "#,
    );
    assert_eq!(request.id, Id::Integer(7));
    assert_eq!(&*request.method, "tools/call");
    let params = &request.params;
    assert_eq!(params.string("name").as_deref(), Some("a\"dd"));
    assert_eq!(params.string("arguments"), None);
    assert_eq!(params.string("absent"), None);
    assert_eq!(params.get("arguments").map(Raw::as_str), Some(r#"{"a": 1, "b": [2]}"#));
    assert_eq!(params.meta("x/y").map(Raw::as_str), Some(r#"{"z": 1}"#));
    assert_eq!(params.meta("a").map(Raw::as_str), Some("2"));
    assert_eq!(params.meta("name").map(Raw::as_str), None);
    assert!(params.has_meta());
    let keys: Vec<&str> = params.members().iter().map(|(key, _)| key).collect();
    assert_eq!(keys, ["name", "arguments", "_meta"]);
    assert!(params.as_raw().is_some_and(|whole| whole.as_str().starts_with(r#"{"name""#) && whole.is_object()));
    let meta = params.get("_meta").and_then(Raw::members).expect("an object");
    assert_eq!(
        meta.iter().map(|(key, value)| (key, value.as_str())).collect::<Vec<_>>(),
        [("x/y", r#"{"z": 1}"#), ("a", "2")]
    );
}

#[test]
fn absent_params_have_no_members() {
    let params = request(&with_id("1")).params;
    assert!(params.as_raw().is_none());
    assert!(!params.has_meta());
    assert_eq!(params.members().iter().count() + params.meta_members().iter().count(), 0);
}

#[test]
fn a_meta_that_is_no_object_is_an_ordinary_member() {
    let params = request(&with_params(r#"{"_meta":[1]}"#)).params;
    assert!(!params.has_meta());
    assert_eq!(params.get("_meta").map(Raw::as_str), Some("[1]"));
}

#[test]
fn notifications_and_responses_are_told_from_requests() {
    let Message::Notification(notification) = single(r#"{"jsonrpc":"2.0","method":"a\nb","params":{"x":1}}"#) else {
        panic!("no notification")
    };
    assert_eq!((&*notification.method, notification.params.get("x").map(Raw::as_str)), ("a\nb", Some("1")));
    let Message::Response(response) = single(r#"{"jsonrpc":"2.0","id":"a","result":{"x":1}}"#) else {
        panic!("no response")
    };
    assert_eq!(response.id, Some("a".into()));
    assert_eq!(response.outcome.map(|raw| raw.as_str().to_owned()).ok().as_deref(), Some(r#"{"x":1}"#));
    for id in ["", r#""id":null,"#] {
        let text = format!(r#"{{"jsonrpc":"2.0",{id}"error":{{"code":-1,"message":"no"}}}}"#);
        let Message::Response(response) = single(&text) else { panic!("no response") };
        assert_eq!(response.id, None);
        assert!(response.outcome.is_err_and(|error| error.is_object()));
    }
}

#[test]
fn abuse_a1_a2_a3_bytes_that_are_no_json_are_parse_errors() {
    let good = with_id("1");
    for text in [
        r#"{"jsonrpc":"2.0","#,
        "",
        " \t\r\n",
        &format!("\u{feff}{good}"),
        &format!("{good}x"),
        &format!("{good}{good}"),
        &with_params(r#"{"a":1,}"#),
        &with_params(r#"{,}"#),
        &with_params(r#"{"a" 1}"#),
        &with_params(r#"{a:1}"#),
        &with_params("[1 2]"),
        &with_params("[1,]"),
        &with_params("{]"),
        &with_params("tru"),
        &with_params("nul"),
        &with_params("\"\u{1}\""),
        &with_params("\"a\nb\""),
        &with_params(r#""\x""#),
        &with_params(r#""\u12g4""#),
        &with_params(r#""\u+123""#),
        &with_params(r#""\ud800""#),
        &with_params(r#""\ud800\u0041""#),
        &with_params(r#""\udc00""#),
        &with_params(r#""\ud800x""#),
        &with_params(r#"{"\ud800":1}"#),
        &with_params("01"),
        &with_params("-"),
        &with_params("+1"),
        &with_params("1."),
        &with_params(".5"),
        &with_params("1e"),
        &with_params("NaN"),
        "[]x",
        "\"a",
        "nope",
    ] {
        assert_eq!(refused(text), (-32700, None), "{text}");
    }
    for bytes in [&b"\"\xff\""[..], b"\"\xc0\xaf\"", b"\"\xe2\x82\"", b"\xff", b"{\"a\":\"\xed\xa0\x80\"}"] {
        assert_eq!(read(bytes).map(|_| ()).map_err(|malformed| malformed.code), Err(Code::PARSE_ERROR));
    }
}

#[test]
fn abuse_a5_a_member_twice_in_the_envelope_is_refused_without_an_id() {
    for text in [
        r#"{"jsonrpc":"2.0","id":1,"method":"a","method":"b"}"#,
        r#"{"jsonrpc":"2.0","id":1,"id":1,"method":"a"}"#,
        r#"{"jsonrpc":"2.0","jsonrpc":"2.0","id":1,"method":"a"}"#,
        r#"{"jsonrpc":"2.0","id":1,"method":"a","m\u0065thod":"b"}"#,
        r#"{"jsonrpc":"2.0","id":1,"method":"a","params":{},"params":{}}"#,
        r#"{"jsonrpc":"2.0","id":1,"method":"a","params":{},"params":[]}"#,
        r#"{"jsonrpc":"2.0","id":1,"method":"a","x":1,"x":1}"#,
        r#"{"jsonrpc":"2.0","id":1,"result":{"x":1,"x":1}}"#,
    ] {
        assert_eq!(refused(text), (-32600, None), "{text}");
    }
    assert_eq!(refused(r#"{"jsonrpc":"2.0","id":1,"method":"a","x":{"y":1,"y":1}}"#), (-32600, Some(1.into())));
}

// Proves: J-13.
#[test]
fn abuse_a6_a_key_twice_anywhere_inside_params_is_refused_with_the_id() {
    let many: String = (0..40).map(|key| format!(r#""k{key}":0,"#)).collect();
    for params in [
        r#"{"name":"a","name":"b"}"#,
        r#"{"arguments":{"a":1,"a":1}}"#,
        r#"{"arguments":{"a":1,"\u0061":1}}"#,
        r#"{"arguments":{"\/":1,"/":1}}"#,
        r#"{"arguments":[[{"deep":{"a":1,"b":{},"a":2}}]]}"#,
        r#"{"_meta":{"a":1,"a":1}}"#,
        r#"{"_meta":{"a":{"b":1,"b":2}}}"#,
        r#"{"_meta":{},"_meta":{}}"#,
        r#"{"_meta":{},"_meta":1}"#,
        &format!(r#"{{{many}"k0":1}}"#),
        &format!(r#"{{{many}"k39":1}}"#),
        &format!(r#"{{{many}"x":1,"x":1}}"#),
        &format!(r#"{{{many}"x":1,"\u0078":1}}"#),
    ] {
        assert_eq!(refused(&with_params(params)), (-32602, Some(7.into())), "{params}");
    }
    // The same key in different objects is no duplicate, before and behind an object of many keys.
    request(&with_params(&format!(r#"{{"a":{{"a":{{{many}"a":1}}}},"k0":[{{"a":1}},{{"a":1}}],"b":{{"k0":2}}}}"#)));
    let notification = r#"{"jsonrpc":"2.0","method":"a","params":{"x":1,"x":1}}"#;
    assert_eq!(refused(notification), (-32602, None));
}

#[test]
fn abuse_a7_members_in_another_case_are_unknown() {
    for name in ["Method", "METHOD", "m\u{435}thod"] {
        let text = format!(r#"{{"jsonrpc":"2.0","id":1,"{name}":"ping"}}"#);
        assert_eq!(refused(&text), (-32600, Some(1.into())), "{text}");
    }
    let params = request(&with_params(r#"{"to\u212Aen":1,"Name":2}"#)).params;
    assert!(params.get("token").is_none() && params.get("name").is_none());
    assert!(params.get("to\u{212a}en").is_some());
}

#[test]
fn abuse_a9_numbers_beyond_floating_point_are_parse_errors() {
    let digits = "9".repeat(10_000);
    for number in ["1e400", "-1e400", "1E+309", &digits, &format!("-{digits}.5"), &format!("1e{digits}")] {
        assert_eq!(refused(&with_params(&format!("[{number}]"))), (-32700, None), "{number}");
    }
    let long = format!("0.{digits}");
    for number in ["-0", "1e308", "9007199254740993", "0e999", "1e-999", "1.7976931348623157e308", &long] {
        let params = request(&with_params(&format!(r#"{{"n":{number}}}"#))).params;
        assert_eq!(params.get("n").map(Raw::as_str), Some(number));
    }
}

// Proves: J-02.
#[test]
fn abuse_a10_ids_keep_their_type_and_others_are_refused_without_one() {
    for (text, id) in [
        ("1", Id::from(1)),
        ("1.0", 1.into()),
        ("1e0", 1.into()),
        ("10E-1", 1.into()),
        ("0.05e+2", 5.into()),
        ("-0", 0.into()),
        ("0.0e999999999999999999999", 0.into()),
        ("-5", (-5).into()),
        ("-9223372036854775808", i64::MIN.into()),
        ("9223372036854775808", Id::Integer(1 << 63)),
        ("18446744073709551615", Id::Integer(u64::MAX.into())),
        ("18446744073709551615.000", Id::Integer(u64::MAX.into())),
        ("1e19", Id::Integer(10_000_000_000_000_000_000)),
        (r#""1""#, "1".into()),
        (r#""""#, "".into()),
        (r#""\u0061\ud83d\ude00""#, "a😀".into()),
        (&format!("\"{}\"", "x".repeat(1024)), (*"x".repeat(1024)).into()),
    ] {
        assert_eq!(request(&with_id(text)).id, id, "{text}");
    }
    let exact = format!("1.{}", "0".repeat(10_000));
    assert_eq!(request(&with_id(&exact)).id, 1.into());
    for text in [
        "1.5",
        "1e-1",
        "0.1",
        "-9223372036854775809",
        "18446744073709551616",
        "1e20",
        "1e300",
        "1e-99999999999999999999999",
        "170141183460469231731687303715884105728",
        "null",
        "true",
        "false",
        "{}",
        "[]",
        "[1]",
        &format!("\"{}\"", "x".repeat(1025)),
        &format!("\"{}\"", "x".repeat(1_000_000)),
    ] {
        assert_eq!(refused(&with_id(text)), (-32600, None), "{text}");
    }
}

// Proves: J-01.
#[test]
fn abuse_a11_another_version_of_json_rpc_is_refused() {
    for version in [r#""jsonrpc":"1.0","#, r#""jsonrpc":2.0,"#, r#""jsonrpc":"2.00","#, r#""jsonrpc":null,"#, ""] {
        let text = format!(r#"{{{version}"id":"x","method":"ping"}}"#);
        assert_eq!(refused(&text), (-32600, Some("x".into())), "{text}");
    }
    request(r#"{"jsonrpc":"\u0032.0","id":1,"method":"ping"}"#);
}

#[test]
fn abuse_a13_an_array_is_a_batch_that_is_not_looked_into() {
    for text in ["[]", " [ ] ", "[\n]"] {
        assert_eq!(refused(text), (-32600, None), "{text}");
    }
    for text in ["[1]", " [not json", "[", "[}"] {
        let body = read(text.as_bytes());
        let expected = text.trim_start();
        match body {
            Ok(Body::Batch(batch)) => assert_eq!(batch.as_str(), expected),
            Err(malformed) => panic!("{text} was refused: {malformed:?}"),
            Ok(Body::Single(_)) => panic!("{text} was read as one message"),
        }
    }
}

fn batch(text: &str, limit: usize) -> Result<Vec<Result<Message, Malformed>>, Malformed> {
    match read(text.as_bytes()) {
        Ok(Body::Batch(batch)) => read_batch(&batch, limit),
        other => panic!("{text} was read as {other:?}"),
    }
}

#[test]
fn the_messages_of_a_batch_are_read_each_for_itself() {
    let good = with_params(r#"{"name":"a"}"#);
    let twice = with_params(r#"{"a":1,"a":1}"#);
    let read = batch(&format!(" [ {good} , 1, [], {twice},{good}]\n"), 5).expect("JSON");
    assert_eq!(read.len(), 5);
    for index in [0, 4] {
        let Ok(Message::Request(request)) = &read[index] else { panic!("no request") };
        assert_eq!(request.params.string("name").as_deref(), Some("a"));
    }
    let codes: Vec<_> = read[1..4].iter().map(|each| each.as_ref().map_err(|error| error.code.0).err()).collect();
    assert_eq!(codes, [Some(-32600), Some(-32600), Some(-32602)]);
}

#[test]
fn a_batch_that_is_no_json_or_too_long_is_refused_whole() {
    let good = with_id("1");
    for text in [format!("[{good}"), format!("[{good},]"), format!("[{good}]]"), format!("[{good} {good}]")] {
        assert_eq!(batch(&text, 9).map(|_| ()).map_err(|error| error.code.0), Err(-32700), "{text}");
    }
    let long = format!("[{}{good}", format!("{good},").repeat(99_999));
    assert_eq!(batch(&long, 64).map(|_| ()).map_err(|error| error.code.0), Err(-32600));
    assert_eq!(read_batch(&Raw::from("{}"), 64).map(|_| ()).map_err(|error| error.code.0), Err(-32600));
}

#[test]
fn abuse_a14_json_that_is_no_object_is_no_message() {
    for text in [r#""ping""#, "1", "null", "true", " -1.5e3 "] {
        assert_eq!(refused(text), (-32600, None), "{text}");
    }
}

#[test]
fn abuse_a15_params_must_be_an_object() {
    for params in ["[]", "[1]", r#""a""#, "null", "1", "true"] {
        assert_eq!(refused(&with_params(params)), (-32602, Some(7.into())), "{params}");
    }
}

/// The work is linear, whatever the keys.
#[test]
fn abuse_a17_a_million_keys_are_compared_in_linear_work() {
    const KEYS: usize = 1_000_000;
    let mut text = String::from("{");
    for key in 0..KEYS {
        text.push_str(&format!("\"{key:x}\":0,"));
    }
    text.push_str("\"last\":{}}");
    let mut scanner = Scanner::new(&text, 0);
    assert_eq!(scanner.value(), Ok(false));
    assert!(scanner.work <= KEYS + 1 + 16 * 16, "{} comparisons", scanner.work);

    // Many small objects cost each its own few comparisons.
    let small = format!("[{}0]", r#"{"a":1,"b":2,"c":{"a":1}},"#.repeat(10_000));
    let mut scanner = Scanner::new(&small, 0);
    assert_eq!(scanner.value(), Ok(false));
    assert!(scanner.work <= 30_000, "{} comparisons", scanner.work);
}

#[test]
fn abuse_a18_odd_keys_are_plain_data() {
    let params = request(&with_params(r#"{"__proto__":1,"constructor":2,"":3}"#)).params;
    for (key, value) in [("__proto__", "1"), ("constructor", "2"), ("", "3")] {
        assert_eq!(params.get(key).map(Raw::as_str), Some(value));
    }
}

#[test]
fn abuse_a19_any_string_is_a_method_and_nothing_else_is() {
    let long = "m".repeat(1_000_000);
    for method in ["rpc.foo", "", &long, r"a\nb"] {
        let text = format!(r#"{{"jsonrpc":"2.0","id":1,"method":"{method}"}}"#);
        assert_eq!(request(&text).method.len(), method.replace(r"\n", "\n").len());
    }
    for method in ["1", "null", "[]", "{}"] {
        let text = format!(r#"{{"jsonrpc":"2.0","id":1,"method":{method}}}"#);
        assert_eq!(refused(&text), (-32600, Some(1.into())));
    }
}

#[test]
fn a_message_is_exactly_one_of_request_and_response() {
    for text in [
        r#"{"jsonrpc":"2.0","id":1,"result":{},"error":{}}"#,
        r#"{"jsonrpc":"2.0","id":1,"method":"a","result":{}}"#,
        r#"{"jsonrpc":"2.0","id":1,"method":"a","error":{}}"#,
        r#"{"jsonrpc":"2.0","result":{}}"#,
        r#"{"jsonrpc":"2.0","id":null,"result":{}}"#,
        r#"{"jsonrpc":"2.0","id":1,"error":"no"}"#,
        r#"{"jsonrpc":"2.0","id":1.5,"error":{}}"#,
    ] {
        assert_eq!(refused(text), (-32600, None), "{text}");
    }
    assert_eq!(refused(r#"{"jsonrpc":"2.0","id":1}"#), (-32600, Some(1.into())));
    assert_eq!(refused("{}"), (-32600, None));
}

// Proves: J-13.
#[test]
fn nesting_ends_at_128_levels() {
    let nested = |levels: usize| format!("{{\"x\":{}1{}}}", "[".repeat(levels), "]".repeat(levels));
    // The message and its params are two levels.
    request(&with_params(&nested(126)));
    assert_eq!(
        read(with_params(&nested(127)).as_bytes()).map(|_| ()),
        Err(Malformed { id: None, code: Code::PARSE_ERROR, message: "The message is nested too deeply" })
    );
    for open in ["[", "{\"a\":"] {
        let text = with_params(&open.repeat(1_000_000));
        assert_eq!(refused(&text), (-32700, None));
    }
    // Levels that were left don't count.
    request(&with_params(&format!(r#"{{"a":[{}0]}}"#, "[[1]],{\"b\":{}},".repeat(1_000))));
}

#[test]
fn a_piece_knows_its_value() {
    assert_eq!(Raw::from(r#""a\tb""#).string().as_deref(), Some("a\tb"));
    assert_eq!(Raw::from(r#""😀é""#).string().as_deref(), Some("😀é"));
    for text in ["1", "{}", "\"", "", r#""\x""#] {
        assert_eq!(Raw::from(text).string(), None, "{text}");
    }
    assert!(Raw::from("{}").members().is_some_and(|members| members.iter().next().is_none()));
    for text in ["[]", "1", "", "{", r#"{"a":1}x"#, r#"{"a":1,"a":1}"#] {
        assert!(Raw::from(text).members().is_none(), "{text}");
    }
}

fn written(write: impl FnOnce(&mut Vec<u8>)) -> String {
    let mut out = Vec::new();
    write(&mut out);
    String::from_utf8(out).expect("UTF-8")
}

#[test]
fn messages_are_written_with_nothing_to_spare() {
    assert_eq!(
        written(|out| write_result(out, &7.into(), |out| out.extend_from_slice(b"{}"))),
        r#"{"jsonrpc":"2.0","id":7,"result":{}}"#
    );
    assert_eq!(
        written(|out| write_error(out, Some(&"a\"".into()), Code::INVALID_PARAMS, "no\n", Some("[1]"))),
        r#"{"jsonrpc":"2.0","id":"a\"","error":{"code":-32602,"message":"no\n","data":[1]}}"#
    );
    assert_eq!(
        written(|out| write_error(out, None, Code::PARSE_ERROR, "no", None)),
        r#"{"jsonrpc":"2.0","error":{"code":-32700,"message":"no"}}"#
    );
    assert_eq!(
        written(|out| write_notification(out, "a/b", |out| out.extend_from_slice(br#"{"x":1}"#))),
        r#"{"jsonrpc":"2.0","method":"a/b","params":{"x":1}}"#
    );
}

/// JSON of every kind, with an object's keys unique, as text with odd blanks.
fn json() -> impl Strategy<Value = serde_json::Value> {
    use serde_json::Value;
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
    ];
    leaf.prop_recursive(6, 64, 24, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..24).prop_map(Value::from),
            prop::collection::hash_map(".{0,12}", inner, 0..24)
                .prop_map(|members: HashMap<String, Value>| Value::Object(members.into_iter().collect())),
        ]
    })
}

/// Text of pieces that JSON is made of, mostly in no order.
fn jsonish() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        "[\\[\\]{}:, \n\t\"]",
        "-?[0-9]{1,3}",
        "-?[0-9]{0,3}(\\.[0-9]{0,3})?([eE][+-]?[0-9]{0,3})?",
        "\"[a-c\\\\nu0-9é😀]{0,8}\"",
        "\"\\\\u[0-9a-dA-D]{4}(\\\\u[dD][0-9a-f]{3})?\"",
        Just("true".to_owned()),
        Just("null".to_owned()),
        Just("\"k\":1".to_owned()),
    ];
    let flat = prop::collection::vec(piece, 0..8).prop_map(|pieces| pieces.concat());
    // Wrapped, it is more often nearly right.
    flat.prop_recursive(3, 16, 3, |inner| {
        prop_oneof![
            inner.clone().prop_map(|text| format!("[{text}]")),
            inner.clone().prop_map(|text| format!("{{\"k\":{text}}}")),
            (inner.clone(), inner).prop_map(|(one, other)| format!("[{one},{other}]")),
        ]
    })
}

fn scan_whole(text: &str) -> bool {
    let mut scanner = Scanner::new(text, 0);
    scanner.blanks();
    scanner.value().is_ok() && scanner.end().is_ok()
}

proptest! {
    #[test]
    fn what_is_json_for_serde_json_is_json_here(value in json()) {
        for text in [serde_json::to_string(&value), serde_json::to_string_pretty(&value)] {
            let text = text.expect("JSON");
            prop_assert!(scan_whole(&text), "{}", text);
            prop_assert_eq!(Scanner::new(&text, 0).value(), Ok(false));
        }
    }

    #[test]
    fn what_is_no_json_for_serde_json_is_none_here(text in jsonish()) {
        prop_assert_eq!(scan_whole(&text), serde_json::from_str::<serde_json::Value>(&text).is_ok(), "{}", text);
    }

    #[test]
    fn one_changed_byte_is_judged_as_serde_json_does(value in json(), at in any::<prop::sample::Index>(), byte: u8) {
        let mut bytes = serde_json::to_vec(&value).expect("JSON");
        let at = at.index(bytes.len());
        bytes[at] = byte;
        if let Ok(text) = std::str::from_utf8(&bytes) {
            prop_assert_eq!(scan_whole(text), serde_json::from_str::<serde_json::Value>(text).is_ok(), "{}", text);
        }
    }

    #[test]
    fn members_are_what_serde_json_says(value in json()) {
        let text = serde_json::json!({"jsonrpc": "2.0", "method": "m", "params": {"v": value, "_meta": {"w": value}}});
        let Message::Notification(notification) = single(&text.to_string()) else { panic!("no notification") };
        for raw in [notification.params.get("v"), notification.params.meta("w")] {
            let raw = raw.expect("the member");
            prop_assert_eq!(&serde_json::from_str::<serde_json::Value>(raw.as_str()).expect("JSON"), &value);
            assert_eq!(raw.string().as_deref(), value.as_str());
            prop_assert_eq!(raw.is_object(), value.is_object());
            let members = raw.members();
            prop_assert_eq!(members.is_some(), value.is_object());
            for (key, member) in members.iter().flat_map(|members| members.iter()) {
                let member: serde_json::Value = serde_json::from_str(member.as_str()).expect("JSON");
                prop_assert_eq!(Some(&member), value.get(key));
            }
        }
    }

    #[test]
    fn arbitrary_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        if let Ok(Body::Batch(batch)) = read(&bytes) {
            let _ = read_batch(&batch, 4);
        }
    }

    #[test]
    fn damaged_messages_are_read_or_refused(
        at in 0..120usize, bytes in prop::collection::vec(any::<u8>(), 0..4), cut in 0..4usize,
    ) {
        let mut message = with_params(r#"{"name":"é","arguments":{"a":[1.5e3,"\ud83d\ude00"]},"_meta":{"x":{}}}"#).into_bytes();
        let at = at.min(message.len());
        let end = (at + cut).min(message.len());
        message.splice(at..end, bytes);
        let _ = read(&message);
        message.insert(0, b'[');
        if let Ok(Body::Batch(batch)) = read(&message) {
            let _ = read_batch(&batch, 4);
        }
    }

    #[test]
    fn an_id_comes_back_as_it_went_out(id in prop_oneof![
        (i128::from(i64::MIN)..=i128::from(u64::MAX)).prop_map(Id::Integer),
        (-1000i64..1000).prop_map(Id::from),
        any::<String>().prop_map(|text| Id::from(&*text)),
    ]) {
        let text = written(|out| write::write_id(out, &id));
        prop_assert_eq!(request(&with_id(&text)).id, id);
    }

    #[test]
    fn a_string_comes_back_as_it_went_out(text in prop_oneof![any::<String>(), "[\u{0}-\u{7f}\u{2028}]{0,40}"]) {
        let written = written(|out| write_string(out, &text));
        prop_assert_eq!(serde_json::from_str::<String>(&written).expect("JSON"), text.clone());
        assert_eq!(Raw::from(&*written).string().as_deref(), Some(&*text));
        prop_assert!(!written.contains(['\n', '\r']));
    }
}
