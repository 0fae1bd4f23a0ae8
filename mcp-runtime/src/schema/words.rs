//! What a form says, in words: for descriptions, because many clients keep nothing else, and for advice to the model.
//!
//! Takes: a [`Form`], a value. Gives: text. Knows: which keywords clients drop. Must not know: calls, Rust types.

use serde_json::{Number, Value};

use super::form::{Form, Kind, Rest};

/// The longest piece of a peer's text that is said back to it, in characters.
const SHORT: usize = 40;

/// The longest default that a description repeats, in bytes.
const LONGEST_DEFAULT: usize = 100;

/// The description with constraints and default folded into it: `How many (1–9, default 3)`.
pub(super) fn description(form: &Form) -> String {
    let mut notes = constraints(form, false);
    if form.is_anything() {
        notes.insert(0, "any JSON value".to_owned());
    }
    if let Some(default) = &form.default {
        let default = default.to_string();
        if default.len() <= LONGEST_DEFAULT {
            notes.push(format!("default {default}"));
        }
    }
    let mut text = form.description.trim().to_owned();
    let notes = notes.join(", ");
    if !notes.is_empty() {
        text = if text.is_empty() { notes } else { format!("{text} ({notes})") };
    }
    for (name, meaning) in &form.variants {
        if !text.is_empty() {
            text.push('\n');
        }
        // One line per variant, whatever line breaks its doc comment has.
        text.push_str(&format!("- {name}: {}", meaning.split_whitespace().collect::<Vec<_>>().join(" ")));
    }
    text
}

/// What the keywords demand beyond the type; with `all`, also the bounds that every integer of its size has.
fn constraints(form: &Form, all: bool) -> Vec<String> {
    let mut notes = Vec::new();
    if let Some(format) = &form.format {
        notes.push(format.clone());
    }
    notes.extend(range(form, all));
    if let Some(factor) = &form.multiple_of {
        notes.push(format!("a multiple of {factor}"));
    }
    notes.extend(count(form.min_length, form.max_length, "character"));
    if let Some(range) = form.digits {
        // The pattern says no more than this, in a language that fewer read.
        notes.push(format!("the digits of an integer {range}"));
    } else if let Some(pattern) = &form.pattern {
        notes.push(format!("pattern {pattern}"));
    }
    if form.tuple.is_empty() {
        notes.extend(count(form.min_items, form.max_items, "item"));
    } else {
        notes.push(format!("in this order: {}", form.tuple.iter().map(expected).collect::<Vec<_>>().join(", ")));
    }
    if form.unique_items {
        notes.push("all different".to_owned());
    }
    notes
}

fn range(form: &Form, all: bool) -> Option<String> {
    // The bounds of wide types are no news in a description, and the answer to a value beyond them.
    let news = |_: &&Number| all || !form.wide;
    let minimum = form.minimum.as_ref().filter(news);
    let maximum = form.maximum.as_ref().filter(news);
    let least = minimum
        .map(|minimum| format!("at least {minimum}"))
        .or_else(|| form.exclusive_minimum.as_ref().map(|minimum| format!("more than {minimum}")));
    let most = maximum
        .map(|maximum| format!("at most {maximum}"))
        .or_else(|| form.exclusive_maximum.as_ref().map(|maximum| format!("less than {maximum}")));
    match (minimum, maximum) {
        (Some(minimum), Some(maximum)) => Some(between(minimum, maximum)),
        _ => {
            Some([least, most].into_iter().flatten().collect::<Vec<_>>().join(" and ")).filter(|text| !text.is_empty())
        }
    }
}

fn between(minimum: &Number, maximum: &Number) -> String {
    let (minimum, maximum) = (minimum.to_string(), maximum.to_string());
    if minimum.starts_with('-') || maximum.starts_with('-') {
        format!("{minimum} to {maximum}")
    } else {
        format!("{minimum}–{maximum}")
    }
}

fn count(least: Option<u64>, most: Option<u64>, what: &str) -> Option<String> {
    let plural = |count: u64| if count == 1 { "" } else { "s" };
    match (least.filter(|least| *least > 0), most) {
        (Some(least), Some(most)) if least == most => Some(format!("{least} {what}{}", plural(least))),
        (Some(least), Some(most)) => Some(format!("{least}–{most} {what}s")),
        (Some(least), None) => Some(format!("at least {least} {what}{}", plural(least))),
        (None, Some(most)) => Some(format!("at most {most} {what}{}", plural(most))),
        (None, None) => None,
    }
}

/// What a value must be: `integer 1–9`, `one of "a", "b"`, `array of string`.
pub(super) fn expected(form: &Form) -> String {
    if !form.allowed.is_empty() {
        let values: Vec<String> = form.allowed.iter().take(20).map(Value::to_string).collect();
        let more = form.allowed.len().saturating_sub(values.len());
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        return match values.as_slice() {
            [only] => only.clone(),
            values => format!("one of {}{more}", values.join(", ")),
        };
    }
    let Some(kind) = form.kind.filter(|_| form.any_of.is_empty()) else {
        let mut arms: Vec<String> = Vec::new();
        for arm in form.any_of.iter().map(expected) {
            if !arms.contains(&arm) {
                arms.push(arm);
            }
        }
        return match (arms.is_empty(), &form.reference) {
            (false, _) => arms.join(" or "),
            (true, Some(name)) => name.clone(),
            (true, None) => "any JSON value".to_owned(),
        };
    };
    let notes = constraints(form, true).join(", ");
    match kind {
        Kind::Integer | Kind::Number if !notes.is_empty() => format!("{} {notes}", kind.name()),
        Kind::Array if form.tuple.is_empty() => match form.items.as_deref().filter(|items| !items.is_anything()) {
            Some(items) => parenthesised(&format!("array of {}", expected(items)), &notes),
            None => parenthesised("array", &notes),
        },
        Kind::Object => match &form.rest {
            Rest::Of(form) if !form.is_anything() => format!("object with values of {}", expected(form)),
            _ => "object".to_owned(),
        },
        _ => parenthesised(kind.name(), &notes),
    }
}

fn parenthesised(text: &str, notes: &str) -> String {
    if notes.is_empty() { text.to_owned() } else { format!("{text} ({notes})") }
}

/// What is missing: `date, e.g. "2026-12-24"`.
pub(super) fn missing(form: &Form) -> String {
    let example = form.extra.iter().find(|(key, _)| key == "examples" || key == "example").and_then(|(_, value)| {
        let example = value.as_array().map_or(Some(value), |examples| examples.first())?.to_string();
        (example.len() <= LONGEST_DEFAULT).then_some(example)
    });
    let what = match &form.format {
        Some(format) if form.kind == Some(Kind::String) => format.clone(),
        _ => expected(form),
    };
    match example.or_else(|| form.format.as_deref().and_then(format_example).map(|example| format!("\"{example}\""))) {
        Some(example) => format!("{what}, e.g. {example}"),
        None => what,
    }
}

fn format_example(format: &str) -> Option<&'static str> {
    Some(match format {
        "date-time" => "2026-12-24T18:30:00Z",
        "date" => "2026-12-24",
        "time" => "18:30:00Z",
        "duration" => "PT30M",
        "email" => "name@example.com",
        "hostname" => "example.com",
        "uri" => "https://example.com/",
        "ipv4" => "192.0.2.1",
        "ipv6" => "2001:db8::1",
        "uuid" => "6f1c7a52-0d3e-4b6a-9c1e-2f4a8b7d9e10",
        _ => return None,
    })
}

/// What came: its type, and the value when it is short.
pub(super) fn got(value: &Value) -> String {
    match value {
        Value::Null => "null".to_owned(),
        Value::Bool(value) => format!("boolean {value}"),
        Value::Number(number) if number.is_f64() => format!("number {}", short(&number.to_string())),
        Value::Number(number) => format!("integer {}", short(&number.to_string())),
        Value::String(text) => format!("string {}", quoted(text)),
        Value::Array(elements) => match elements.len() {
            0 => "an empty array".to_owned(),
            1 => "array of 1 item".to_owned(),
            length => format!("array of {length} items"),
        },
        Value::Object(_) => "object".to_owned(),
    }
}

/// What came, where it is JSON that no [`Value`] can hold, such as `1e400`.
pub(super) fn got_text(text: &str) -> String {
    serde_json::from_str(text).map_or_else(|_| short(text.trim()), |value| got(&value))
}

/// A peer's text in quotes, cut and with everything escaped that is no plain letter.
pub(super) fn quoted(text: &str) -> String {
    let cut: String = text.chars().take(SHORT).collect();
    let more = if cut.len() < text.len() { "…" } else { "" };
    format!("\"{}{more}\"", cut.escape_debug().to_string().replace("\\'", "'"))
}

/// A peer's text, cut.
pub(super) fn short(text: &str) -> String {
    let mut cut: String = text.chars().take(SHORT).flat_map(char::escape_debug).collect();
    if text.chars().nth(SHORT).is_some() {
        cut.push('…');
    }
    cut.replace("\\'", "'").replace("\\\"", "\"")
}
