use super::*;

fn strict(schema: &str) -> Strict {
    Strict::of(schema).map_err(|error| panic!("{error}")).unwrap()
}

fn refused(schema: &str) -> String {
    Strict::of(schema).err().expect("refused")
}

#[test]
fn every_mistake_is_told_with_its_place() {
    let strict = strict(
        r#"{"type":"object","properties":{"items":{"type":"array","items":{"type":"object",
            "properties":{"n":{"type":"integer"}}}},"kind":{"oneOf":[{"const":"a"},{"const":"b"}]}},
            "required":["items"],"additionalProperties":false}"#,
    );
    assert!(strict.check("t", r#"{"items":[{"n":1}],"kind":"a"}"#).is_ok());
    let wrong = strict.check("t", r#"{"items":[{"n":1},{"n":"x"}],"kind":"c","more":1}"#).unwrap_err();
    for part in ["Invalid arguments for `t`", "`items[1].n`", "`kind`", "more"] {
        assert!(wrong.message().contains(part), "{part}: {}", wrong.message());
    }
    let missing = strict.check("t", "{}").unwrap_err();
    assert!(missing.message().contains("items"), "{}", missing.message());
}

#[test]
fn what_is_wrong_is_told_in_bounded_words() {
    let strict = strict(r#"{"type":"object","additionalProperties":{"type":"integer"}}"#);
    let many: Vec<String> = (0..5_000).map(|n| format!("\"m{n}\":\"{}\"", "x".repeat(50))).collect();
    let wrong = strict.check("t", &format!("{{{}}}", many.join(","))).unwrap_err();
    assert!(wrong.message().len() <= 2_100, "{}", wrong.message().len());
}

// Proves: SEC-03, TL-04.
#[test]
fn references_lead_nowhere_else() {
    let refused = refused(r#"{"type":"object","properties":{"a":{"$ref":"https://schema.example/a.json"}}}"#);
    assert!(refused.contains("schema.example"), "{refused}");
    Strict::of(r##"{"type":"object","properties":{"a":{"$ref":"file:///etc/passwd"}}}"##).err().expect("refused");
    assert!(
        strict(r##"{"type":"object","properties":{"a":{"$ref":"#/$defs/a"}},"$defs":{"a":{"type":"string"}}}"##)
            .check("t", r#"{"a":1}"#)
            .is_err()
    );
}

// Proves: TL-04.
#[test]
fn schemas_that_hold_themselves_come_to_an_end() {
    let tree = strict(r##"{"type":"object","properties":{"next":{"$ref":"#"}},"additionalProperties":false}"##);
    let deep = (0..100).fold("{}".to_owned(), |inner, _| format!("{{\"next\":{inner}}}"));
    assert!(tree.check("t", &deep).is_ok());
    // A reference to itself and nothing in between says nothing; it may be refused, but it must end.
    for circle in [
        r##"{"type":"object","allOf":[{"$ref":"#"}]}"##,
        r##"{"type":"object","$ref":"#"}"##,
        r##"{"type":"object","anyOf":[{"$ref":"#/$defs/a"}],"$defs":{"a":{"$ref":"#/$defs/b"},"b":{"$ref":"#/$defs/a"}}}"##,
    ] {
        if let Ok(strict) = Strict::of(circle) {
            let _ = strict.check("t", "{}");
        }
    }
}

// Proves: TL-04.
#[test]
fn a_pattern_that_never_ends_gives_up() {
    let strict = strict(r#"{"type":"object","properties":{"a":{"type":"string","pattern":"^(?=(a+)+$)(a|a)*b$"}}}"#);
    let begun = std::time::Instant::now();
    let _ = strict.check("t", &format!("{{\"a\":\"{}!\"}}", "a".repeat(5_000)));
    assert!(begun.elapsed() < std::time::Duration::from_secs(2), "{:?}", begun.elapsed());
}

// Proves: N-06.
#[test]
fn arguments_that_headers_mirror_are_found_at_any_depth() {
    let strict = strict(
        r#"{"type":"object","properties":{"place":{"type":"object","properties":{
            "region":{"type":"string","x-mcp-header":"Region"}}}}}"#,
    );
    let [mirrored] = strict.mirrored.as_slice() else { panic!("{:?}", strict.mirrored) };
    assert_eq!((&*mirrored.header, mirrored.path.len()), ("Region", 2));
    refused(r#"{"type":"object","properties":{"a":{"type":"array","x-mcp-header":"A"}}}"#);
    refused(r#"{"type":"string"}"#);
}

// Proves: TL-03.
#[test]
fn a_dialect_is_one_of_those_that_are_known_or_the_newest() {
    for known in DIALECTS {
        for uri in [format!("https://{known}"), format!("http://{known}#")] {
            strict(&format!(r#"{{"type":"object","$schema":"{uri}"}}"#));
        }
    }
    strict(r#"{"type":"object","properties":{"$schema":{"type":"string"}}}"#);
    for unknown in [r#""https://example.com/dialect""#, r#""http://json-schema.org/draft-03/schema#""#, r#""""#, "7"] {
        let refused = refused(&format!(r#"{{"type":"object","$schema":{unknown}}}"#));
        assert!(refused.contains(&unknown.replace('"', "")) && refused.contains("2020-12"), "{refused}");
        let tool = Tool::new("t", "x", &serde_json::json!({ "type": "object" }));
        let output: Value = serde_json::from_str(&format!(r#"{{"$schema":{unknown}}}"#)).unwrap();
        let output = serde_json::value::to_raw_value(&output).unwrap();
        let refused = check_tool(&Tool { output_schema: Some(output), ..tool }).unwrap_err();
        assert!(refused.starts_with("its output schema"), "{refused}");
    }
}
