//! `format`: what becomes a bound, what stays, what goes.
//!
//! Takes: a format's name. Gives: keywords of a [`Form`]. Knows: Rust's number types, the formats of every draft. Must not
//! know: other keywords.

use serde_json::Number;

use super::{
    as_string,
    form::{Form, Kind},
};

/// The formats that validators of every draft know; others make some clients warn, or drop the tool.
const FORMATS: [&str; 9] = ["date-time", "date", "time", "duration", "email", "hostname", "uri", "ipv4", "ipv6"];

/// Formats of numbers become bounds, where they say something; formats that some client does not know are dropped.
pub(super) fn bounds(format: Option<&str>, form: &mut Form) {
    if form.kind == Some(Kind::String)
        && let Some(range) = format.and_then(as_string::range)
    {
        form.digits = Some(range);
        return;
    }
    let implied: (Option<i64>, Option<i64>) = match format {
        Some("int8") => (Some(i8::MIN.into()), Some(i8::MAX.into())),
        Some("int16") => (Some(i16::MIN.into()), Some(i16::MAX.into())),
        Some("int32") => (Some(i32::MIN.into()), Some(i32::MAX.into())),
        Some("uint8") => (Some(0), Some(u8::MAX.into())),
        Some("uint16") => (Some(0), Some(u16::MAX.into())),
        Some("uint32") => (Some(0), Some(u32::MAX.into())),
        Some("uint" | "uint64" | "uint128") => (Some(0), None),
        _ => (None, None),
    };
    let mut narrower = false;
    for (bound, implied) in [(&mut form.minimum, implied.0), (&mut form.maximum, implied.1)] {
        let implied = implied.map(Number::from);
        match (&*bound, &implied) {
            (Some(said), Some(implied)) if as_float(said) == as_float(implied) => *bound = Some(implied.clone()),
            (Some(_), _) => narrower = true,
            (None, _) => *bound = implied,
        }
    }
    if format == Some("float") {
        // Beyond them, decoding would make an infinity of a number.
        for (bound, limit) in [(&mut form.minimum, f32::MIN), (&mut form.maximum, f32::MAX)] {
            if bound.is_none() {
                *bound = Number::from_f64(limit.into());
                form.checked = true;
            }
        }
    }
    form.wide = !narrower && !matches!(format, Some("int8" | "uint8" | "int16" | "uint16"));
    form.checked |= narrower
        || form.exclusive_minimum.is_some()
        || form.exclusive_maximum.is_some()
        || form.multiple_of.is_some()
        || form.min_length.is_some()
        || form.max_length.is_some();
    let textual = form.kind.is_none_or(|kind| kind == Kind::String);
    form.format = format.filter(|format| textual && is_portable_format(format)).map(str::to_owned);
}

pub(super) fn is_portable_format(format: &str) -> bool {
    FORMATS.contains(&format) || format == "uuid"
}

fn as_float(number: &Number) -> Option<f64> {
    number.as_f64()
}
