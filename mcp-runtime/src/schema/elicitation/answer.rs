//! What a person answered: checked against the form, and decoded.
//!
//! Takes: an [`ElicitationForm`], the `content` of an answer. Gives: a value, or what is wrong. Knows: that an answer is a
//! peer's. Must not know: how it came.

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::{ElicitationForm, FormProblem};
use crate::schema::check::{Checker, Definitions};

impl ElicitationForm {
    /// Checks an answer against the form, the formats of texts too. Members that the form does not have are passed over,
    /// and `null` is as good as nothing where the field may be left out.
    ///
    /// # Errors
    /// What is wrong, field by field, the first 64 mismatches and each wrong format; fit to be shown to the person or the
    /// model.
    pub fn validate(&self, content: &Map<String, Value>) -> Result<(), Vec<FormProblem>> {
        let definitions = Definitions::new();
        let content = Value::Object(content.clone());
        let found = Checker { definitions: &definitions }.problems(&self.whole(), &content, "");
        let (told, _) = found.into_parts();
        let mut problems: Vec<FormProblem> =
            told.into_iter().map(|problem| FormProblem { path: problem.path, text: problem.text }).collect();
        for field in &self.fields {
            let (Some(format), Some(Value::String(text))) = (&field.form.format, content.get(&field.name)) else {
                continue;
            };
            if !has_format(format, text) {
                let text = format!("expected {}", expected(format));
                problems.push(FormProblem { path: field.name.clone(), text });
            }
        }
        if problems.is_empty() { Ok(()) } else { Err(problems) }
    }

    /// The answer as the type that the form was made of.
    ///
    /// # Errors
    /// What [`ElicitationForm::validate`] finds; or what the type says, where it asks for more than the form.
    pub fn decode<T: DeserializeOwned>(&self, mut content: Map<String, Value>) -> Result<T, Vec<FormProblem>> {
        self.validate(&content)?;
        content.retain(|_, value| !value.is_null());
        serde_json::from_value(Value::Object(content)).map_err(|error| {
            let text = error.to_string().chars().take(200).map(|it| if it.is_control() { ' ' } else { it }).collect();
            vec![FormProblem { path: String::new(), text }]
        })
    }
}

fn expected(format: &str) -> &'static str {
    match format {
        "email" => "an e-mail address, e.g. \"ada@example.com\"",
        "uri" => "an absolute URI, e.g. \"https://example.com\"",
        "date" => "a date, e.g. \"2026-12-24\"",
        _ => "a date and time with its zone, e.g. \"2026-12-24T18:00:00Z\"",
    }
}

/// Whether a text looks like what its format says; whether there is such a mailbox or such a thing is not known here.
fn has_format(format: &str, text: &str) -> bool {
    match format {
        "email" => text
            .rsplit_once('@')
            .is_some_and(|(name, host)| !name.is_empty() && !host.is_empty() && !text.contains(char::is_whitespace)),
        "uri" => text.split_once(':').is_some_and(|(scheme, rest)| {
            scheme.starts_with(|first: char| first.is_ascii_alphabetic())
                && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte))
                && !rest.is_empty()
                && !text.contains(|it: char| it.is_whitespace() || it.is_control())
        }),
        "date" => is_date(text),
        "date-time" => is_date_time(text),
        _ => true,
    }
}

/// `2026-12-24`, a day that there is.
fn is_date(text: &str) -> bool {
    let Some([year, month, day]) = numbers(text, '-', [4, 2, 2]) else { return false };
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let days = match month {
        2 => 28 + u32::from(leap),
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    };
    (1..=12).contains(&month) && (1..=days).contains(&day)
}

/// `2026-12-24T18:00:00.5+01:00`, by RFC 3339.
fn is_date_time(text: &str) -> bool {
    let Some((date, time)) = text.split_once(['T', 't', ' ']) else { return false };
    let clock = time.find(['Z', 'z', '+', '-']).and_then(|zone| time.split_at_checked(zone));
    let Some((clock, zone)) = clock else { return false };
    let (clock, fraction) = clock.split_once('.').unwrap_or((clock, "0"));
    let is_clock = |clock: Option<[u32; 3]>| {
        clock.is_some_and(|[hour, minute, second]| hour <= 23 && minute <= 59 && second <= 60)
    };
    let zone_fits = match zone {
        "Z" | "z" => true,
        zone => is_clock(numbers(&format!("{}:00", zone.get(1..).unwrap_or_default()), ':', [2, 2, 2])),
    };
    is_date(date)
        && is_clock(numbers(clock, ':', [2, 2, 2]))
        && !fraction.is_empty()
        && fraction.bytes().all(|byte| byte.is_ascii_digit())
        && zone_fits
}

/// Three numbers of so many digits each.
fn numbers(text: &str, separator: char, digits: [usize; 3]) -> Option<[u32; 3]> {
    let mut pieces = text.split(separator);
    let mut numbers = [0; 3];
    for (number, digits) in numbers.iter_mut().zip(digits) {
        let piece =
            pieces.next().filter(|piece| piece.len() == digits && piece.bytes().all(|it| it.is_ascii_digit()))?;
        *number = piece.parse().ok()?;
    }
    pieces.next().is_none().then_some(numbers)
}
