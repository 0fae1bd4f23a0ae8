use proptest::prelude::*;

use super::{
    Place, UriTemplate, plainly_spelled,
    value::{STEPS, may_stand_where},
};

fn template(text: &str) -> UriTemplate {
    UriTemplate::parse(text).unwrap_or_else(|error| panic!("{error}"))
}

fn matches(text: &str, uri: &str, expected: &[(&str, &str)]) {
    let template = template(text);
    let matched = template.matches(uri).unwrap_or_else(|| panic!("{text} is not for {uri}"));
    let matched: Vec<_> = matched.iter().map(|(name, value)| (*name, value.as_str())).collect();
    assert_eq!(matched, expected, "{text} {uri}");
}

fn differs(text: &str, uri: &str) {
    assert_eq!(template(text).matches(uri), None, "{text} {uri}");
}

/// Fails unless the template is refused with words that hold this.
fn refused(text: &str, words: &str) {
    let error = UriTemplate::parse(text).expect_err(text).to_string();
    assert!(error.contains(words), "{error}");
}

#[test]
fn a_variable_is_one_segment() {
    matches("notes://{id}", "notes://7", &[("id", "7")]);
    matches("notes://{id}", "notes://a%20b%C3%A9", &[("id", "a bé")]);
    matches("notes://{id}", "notes://é@b:c", &[("id", "é@b:c")]);
    for uri in ["notes://", "notes://a/b", "notes://a/", "other://a", "notes:/a", "Notes://a", "", "notes://a?b=c"] {
        differs("notes://{id}", uri);
    }
}

#[test]
fn text_stands_around_variables() {
    matches("test://template/{id}/data", "test://template/123/data", &[("id", "123")]);
    differs("test://template/{id}/data", "test://template/123/data/");
    differs("test://template/{id}/data", "test://template//data");
    matches("a:{x}.json", "a:b.json.json", &[("x", "b.json")]);
    differs("a:{x}.json", "a:.json");
    matches("a:{x}.txt/{y}", "a:b.txt.txt/c", &[("x", "b.txt"), ("y", "c")]);
    differs("a:{x}.txt/{y}", "a:b.md/c");
    matches(
        "a://{user}@{host}:{port}",
        "a://me@b.example:80",
        &[("user", "me"), ("host", "b.example"), ("port", "80")],
    );
}

#[test]
fn other_expressions_are_text_and_variables() {
    matches("a:{x,y}", "a:1,2", &[("x", "1"), ("y", "2")]);
    matches("a:b{/x,y}", "a:b/1/2", &[("x", "1"), ("y", "2")]);
    differs("a:b{/x,y}", "a:b/1");
    matches("a:b{.x}", "a:b.txt", &[("x", "txt")]);
    matches("a:{x}{/y}", "a:1/2", &[("x", "1"), ("y", "2")]);
}

#[test]
fn a_path_is_several_segments() {
    matches("file:///{+path}", "file:///a/b%20c.txt", &[("path", "a/b c.txt")]);
    matches("file:///{+path}", "file:///a", &[("path", "a")]);
    matches(
        "git://{repo}/{+path}/raw{?rev}",
        "git://r/a/raw/raw?rev=1",
        &[("repo", "r"), ("path", "a/raw"), ("rev", "1")],
    );
    for uri in ["file:///", "file:////etc/passwd", "file:///a//b", "file:///a/", "file:///%2Fetc/passwd"] {
        differs("file:///{+path}", uri);
    }
}

#[test]
fn a_query_has_any_order_and_may_be_left_out() {
    let text = "a://{x}{?b,c}";
    matches(text, "a://1", &[("x", "1")]);
    matches(text, "a://1?", &[("x", "1")]);
    matches(text, "a://1?c=2&b=3", &[("x", "1"), ("b", "3"), ("c", "2")]);
    matches(text, "a://1?b=%3D%26+../..&", &[("x", "1"), ("b", "=&+../..")]);
    matches(text, "a://1?b", &[("x", "1"), ("b", "")]);
    matches(text, "a://1?b=x?y=z", &[("x", "1"), ("b", "x?y=z")]);
    for uri in ["a://1?d=1", "a://1?b=1&b=1", "a://1?b=1&c=1&b=1", "a://1?B=1", "a://1?b=%00", "a://1?b=%zz"] {
        differs(text, uri);
    }
    matches("a://all{?b}", "a://all?b=1", &[("b", "1")]);
}

// Proves: RS-07.
#[test]
fn values_cannot_leave_their_place() {
    let names = [
        ".",
        "..",
        "%2e",
        "%2E%2e",
        ".%2E",
        "%2e%2e%2fetc",
        "a%2fb",
        "a%5cb",
        "a%00",
        "%0a",
        "a%7f",
        "%252e%252e",
        "%25252e.",
        "%2525252e.",
        "a%252fb",
        "a%255c",
        "%2500",
        "%252525252525",
        "%c0%ae",
        "%ff",
        "%",
        "%2",
        "%zz",
        "a%0",
    ];
    for name in names {
        differs("notes://{id}", &format!("notes://{name}"));
        differs("notes://{id}/x", &format!("notes://{name}/x"));
        if !matches!(name, "a%2fb" | "a%252fb") {
            differs("file:///{+path}", &format!("file:///a/{name}"));
            differs("file:///{+path}", &format!("file:///{name}/a"));
        }
    }
    differs("file:///{+path}", "file:///../etc/passwd");
    differs("file:///{+path}", "file:///a/../../etc/passwd");
    differs("file:///{+path}", "file:///a%2f..%2f..%2fetc");
    // Dots are not forbidden where they are names.
    matches("notes://{id}", "notes://...", &[("id", "...")]);
    matches("notes://{id}", "notes://.env", &[("id", ".env")]);
    matches("file:///{+path}", "file:///a..b/..c", &[("path", "a..b/..c")]);
    // What looks encoded and would become harmless stays as it is.
    matches("notes://{id}", "notes://100%25", &[("id", "100%")]);
    matches("notes://{id}", "notes://%2541", &[("id", "%41")]);
}

#[test]
fn a_drive_begins_no_path_where_there_are_drives() {
    for (value, place) in
        [("C:", Place::Segment), ("c:x", Place::Segment), ("C:/x", Place::Path), ("%43:/x", Place::Path)]
    {
        assert!(!may_stand_where(value, place, true), "{value}");
        assert!(may_stand_where(value, place, false), "{value}");
    }
    assert!(may_stand_where("ab:c", Place::Segment, true));
}

#[test]
fn no_uri_matches_with_what_no_uri_may_hold() {
    for uri in
        ["notes://a b", "notes://a\0", "notes://a\n", "notes://a\\b", "notes://{a}", "notes://a#b", "notes://\"a\""]
    {
        differs("notes://{id}", uri);
        differs("notes://{+id}", uri);
    }
}

#[test]
fn what_could_match_in_two_ways_is_refused() {
    refused("a:{x}{y}", "`x` and `y` can't be told apart");
    refused("a:{x}-{y}", "such as `{x}/{y}`");
    refused("a:{x}{.y}", "can't be told apart");
    refused("a:b{.x,y}", "can't be told apart");
    refused("a:{x}{+y}", "can't be told apart");
    refused("a:{+x}/{y}", "put `{y}` before it");
    refused("a:{+x,y}", "must be its last variable");
    refused("a:{+x}{/y}", "must be its last variable");
    refused("a:{x*}", "use `{+x}` for several segments");
    refused(&format!("a:{}", "{/a*}".repeat(50)), "`a*` stands for a list");
    refused("a:{x:3}", "use `{x}`");
    refused("a:{x}/{x}", "`{x}` comes twice");
    refused("a:{?x}{?y}", "such as `{?a,b}`");
    refused("a:{?x}/y", "nothing may follow the query");
    refused("a:b?x={x}", "written `{?name}`");
    refused("a:{#x}", "is not for resources");
    refused("a:b{;x}", "is not for resources");
    refused("a:b{&x}", "is not for resources");
}

#[test]
fn what_is_no_template_is_refused() {
    refused("{x}", "begins with a scheme");
    refused("{x}://a", "begins with a scheme");
    refused("notes/{x}", "begins with a scheme");
    refused("1a:{x}", "begins with a scheme");
    refused("a:{x", "a `{` has no `}`");
    refused("a:x}{y}", "a `}` has no `{`");
    refused("a:{}", "found `{}`");
    refused("a:{x,}", "found `{}`");
    refused("a:{1x}", "named like a parameter");
    refused("a:{x-y}", "named like a parameter");
    refused("a:{+é}", "named like a parameter");
    refused("a:{é}", "named like a parameter");
    refused("a:{{x}}", "named like a parameter");
    refused("a:é/{x}", "write it `%C3%A9`");
    refused("a:b c/{x}", "write it `%20`");
    refused("a:%zz/{x}", "two hexadecimal digits");
    refused(&format!("a:{}{{x}}", "b".repeat(3_000)), "at most 2048");
}

#[test]
fn a_uri_without_variables_has_a_scheme_and_something_after_it_and_matches_itself() {
    for uri in ["notes://all", "file:///", "file:///a%20b", "urn:isbn:0451450523", "https://example.com/a?b=c#d", "a:b"]
    {
        matches(uri, uri, &[]);
        assert!(!template(uri).has_variables());
        differs(uri, &format!("{uri}/"));
        differs(uri, &uri.to_uppercase());
    }
    refused("notes", "begins with a scheme");
    refused("/a/b", "begins with a scheme");
    refused("", "begins with a scheme");
    refused("no tes://a", "write it `%20`");
    refused("notes://", "such as `notes://all`");
    refused("notes:", "something must follow");
    refused("notes://é", "write it `%C3%A9`");
    refused("notes://a%", "two hexadecimal digits");
}

#[test]
fn a_variable_of_the_query_can_be_added() {
    let with = |text: &str| template(text).with_query("session").map(|template| template.as_str().to_owned());
    assert_eq!(with("a:b").as_deref(), Ok("a:b{?session}"));
    assert_eq!(with("a:{b}").as_deref(), Ok("a:{b}{?session}"));
    assert_eq!(with("a:b{?c}").as_deref(), Ok("a:b{?c,session}"));
    matches("a:b{?session}", "a:b?session=1", &[("session", "1")]);
    for (text, words) in [("a:{session}", "comes twice"), ("a:b?c=d", "written `{?name}`"), ("a:b#c", "no fragment")] {
        let error = with(text).expect_err(text).to_string();
        assert!(error.contains(words), "{error}");
    }
}

#[test]
fn variables_are_listed_those_of_the_path_first() {
    let template = template("a://{x}/{+y}{?z}");
    assert_eq!(template.variables().collect::<Vec<_>>(), ["x", "y", "z"]);
    assert!(template.has_variables());
    assert_eq!(template.as_str(), "a://{x}/{+y}{?z}");
}

#[test]
fn values_make_a_uri() {
    let template = template("a://{x}/{+y}{?z,w}");
    let uri = template.expand(&[("y", "b/c d?#%41"), ("x", "é:@"), ("w", "&="), ("z", "")]);
    assert_eq!(uri.as_deref(), Ok("a://%C3%A9%3A%40/b/c%20d%3F%23%2541?z=&w=%26%3D"));
    let refusal = |values: &[(&str, &str)]| template.expand(values).expect_err("refused").to_string();
    assert!(refusal(&[("x", "1")]).contains("`y` has no value"));
    assert!(refusal(&[("x", "1"), ("y", "..")]).contains("`y` must be segments"));
    assert!(refusal(&[("x", "a/b"), ("y", "1")]).contains("`x` must be one segment"));
    assert!(refusal(&[("x", "1"), ("x", "2")]).contains("two values"));
    assert!(refusal(&[("v", "1")]).contains("no variable `v`"));
}

#[test]
fn matching_looks_at_each_byte_a_bounded_number_of_times() {
    /// Decoding, then looking and decoding again for each round, and looking for the end.
    const TIMES: usize = 12;
    let count = |template: &UriTemplate, uri: &str| {
        STEPS.with(|steps| steps.set(0));
        let _ = template.matches(uri);
        STEPS.with(std::cell::Cell::get)
    };
    let names: Vec<String> = (0..50).map(|index| format!("{{/a{index}}}")).collect();
    let many = template(&format!("a:b{}", names.concat()));
    let dotted = template("a:{x}.a.a.a.a/{y}.a.a.a.a");
    let path = template("a:{+x}/a/a/a/a");
    for size in [1_000, 10_000, 100_000] {
        for piece in ["/a", "/", "a", "%2e", "%25", ".a", "/a.a", "%", "?", "&"] {
            let uri = format!("a:b{}", piece.repeat(size));
            for template in [&many, &dotted, &path] {
                let steps = count(template, &uri);
                assert!(steps <= TIMES * uri.len(), "{template} {piece}×{size}: {steps}");
            }
        }
    }
}

/// Templates from pieces, most of which are refused; the variables have numbers for names.
fn any_template() -> impl Strategy<Value = String> {
    let piece = prop::sample::select(vec![
        "{#}", "{#}", "{#,#}", "{/#}", "{/#,#}", "{.#}", "{+#}", "{?#}", "{?#,#}", "/", "/", "-", ".", "x", "%20", ":",
        ",", "@a", ".js",
    ]);
    prop::collection::vec(piece, 1..6).prop_map(|pieces| {
        let mut number = 0;
        let mut text = "a:".to_owned();
        for letter in pieces.concat().chars() {
            if letter == '#' {
                number += 1;
                text.push_str(&format!("v{number}"));
            } else {
                text.push(letter);
            }
        }
        text
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn what_is_expanded_matches_with_the_same_values(
        text in any_template(),
        values in prop::collection::vec("[a-zé0-9 ./%:?#&=+,@~_\\-]{0,8}", 12),
    ) {
        let Ok(template) = UriTemplate::parse(&text) else { return Ok(()) };
        let pairs: Vec<(&str, &str)> = template.variables().zip(values.iter().map(String::as_str)).collect();
        let Ok(uri) = template.expand(&pairs) else { return Ok(()) };
        prop_assert!(UriTemplate::parse(&uri).is_ok_and(|uri| !uri.has_variables()), "{}", uri);
        let matched = template.matches(&uri);
        let expected = pairs.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
        prop_assert_eq!(matched, Some(expected), "{} {}", text, uri);
    }

    #[test]
    fn no_text_makes_it_panic(text in any::<String>(), uri in any::<String>(), shaped in "a:[{}a/?,+*.%]{0,20}") {
        let _ = UriTemplate::parse(&text);
        if let Ok(template) = UriTemplate::parse(&shaped) {
            let _ = template.matches(&uri);
            let _ = template.matches(&shaped);
        }
        let _ = template("a:{x}{/y}{?z}").matches(&format!("a:{uri}"));
        let _ = template("a:{+x}").matches(&format!("a:{uri}"));
    }

    // Proves: RS-07.
    #[test]
    fn no_value_of_a_path_leaves_its_folder(uri in "a:[a./%2eE5cCfF]{0,12}") {
        for text in ["a:{x}", "a:{+x}"] {
            let template = template(text);
            let Some(values) = template.matches(&uri) else { continue };
            let [(_, value)] = values.as_slice() else { panic!("one variable, {values:?}") };
            let path = std::path::Path::new("/folder").join(value);
            prop_assert!(path.starts_with("/folder") && path != std::path::Path::new("/folder"));
            let normal = |part| matches!(part, std::path::Component::Normal(_));
            prop_assert!(path.components().skip(1).all(normal), "{}", value);
        }
    }
}

#[test]
fn a_uri_has_one_spelling_whatever_was_escaped() {
    for (written, plain) in [
        ("file:///%73ecret/a", "file:///secret/a"),
        ("notes://%61lice/%7E1", "notes://alice/~1"),
        ("a://b%2fc%2F%c3%a9", "a://b%2Fc%2F%C3%A9"),
        ("a://100%/%zz/%4", "a://100%/%zz/%4"),
        ("a://%2573", "a://%2573"),
        ("a://é%é", "a://é%é"),
    ] {
        assert_eq!(plainly_spelled(written), plain);
        assert_eq!(plainly_spelled(plain), plain);
    }
}
