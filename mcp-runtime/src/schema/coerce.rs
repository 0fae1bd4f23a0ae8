//! What a model plainly meant: the same value, written as its type wants it.
//!
//! Takes: a [`Form`], JSON text. Gives: other JSON text. Knows: how models misspell values. Must not know: Rust types.
//! No value is ever changed: `"5"` and `5.0` become `5`, `5.7` never does.

use std::borrow::Cow;

use super::{
    check::{Checker, Definitions},
    form::{Form, Kind, Rest},
    walk,
};

/// How deep a value is looked into.
const DEPTH: usize = 64;

/// Integers with more digits than any Rust type has are left alone.
const DIGITS: usize = 40;

/// `text` rewritten to fit `form`; `None` where nothing was to be rewritten.
pub(super) fn coerce(form: &Form, text: &str, definitions: &Definitions) -> Option<String> {
    let rewritten = Coercion { definitions }.value(form, text, 0);
    is_other(&rewritten, text).then(|| rewritten.into_owned())
}

struct Coercion<'a> {
    definitions: &'a Definitions,
}

impl Coercion<'_> {
    fn value<'t>(&self, form: &Form, text: &'t str, depth: usize) -> Cow<'t, str> {
        if depth > DEPTH {
            return Cow::Borrowed(text);
        }
        if let Some(target) = form.reference.as_ref().and_then(|name| self.definitions.get(name)) {
            return self.value(target, text, depth + 1);
        }
        if form.nullable && text == "\"null\"" && form.kind != Some(Kind::String) {
            return Cow::Borrowed("null");
        }
        let rewritten = match (form.kind, text.as_bytes().first()) {
            (Some(Kind::Integer), Some(b'"')) => inner(text).and_then(|inner| integer(&inner)).map(Cow::Owned),
            (Some(Kind::Integer), _) => integer(text).map(Cow::Owned),
            (Some(Kind::String), Some(b'-' | b'0'..=b'9')) if form.digits.is_some() => {
                integer(text).map(|digits| Cow::Owned(format!("\"{digits}\"")))
            }
            (Some(Kind::Number), Some(b'"')) => inner(text).filter(|inner| is_number(inner)).map(Cow::Owned),
            (Some(Kind::Boolean), Some(b'"')) => match text {
                "\"true\"" => Some(Cow::Borrowed("true")),
                "\"false\"" => Some(Cow::Borrowed("false")),
                _ => None,
            },
            (Some(Kind::Object), Some(b'"')) => self.unwrapped(form, text, '{', depth),
            (Some(Kind::Array), Some(b'"')) => self.unwrapped(form, text, '[', depth),
            (Some(Kind::Object), Some(b'{')) => self.object(form, text, depth),
            (Some(Kind::Array), Some(b'[')) => self.array(form, text, depth),
            _ => None,
        };
        match rewritten {
            Some(rewritten) => rewritten,
            None if form.any_of.is_empty() => Cow::Borrowed(text),
            None => self.arm(form, text, depth),
        }
    }

    /// The first arm that takes the value as it is, else the first that takes it rewritten.
    fn arm<'t>(&self, form: &Form, text: &'t str, depth: usize) -> Cow<'t, str> {
        let checker = Checker { definitions: self.definitions };
        let fits = |arm: &Form, text: &str| serde_json::from_str(text).is_ok_and(|value| checker.accepts(arm, &value));
        if form.any_of.iter().any(|arm| fits(arm, text)) {
            return Cow::Borrowed(text);
        }
        let rewritten = form.any_of.iter().find_map(|arm| {
            let rewritten = self.value(arm, text, depth + 1);
            fits(arm, &rewritten).then_some(rewritten)
        });
        rewritten.unwrap_or(Cow::Borrowed(text))
    }

    /// An object or array that came as a string of JSON.
    fn unwrapped(&self, form: &Form, text: &str, bracket: char, depth: usize) -> Option<Cow<'static, str>> {
        let inner = inner(text)?;
        let inner = inner.trim();
        // The walk needs well-formed text, and `Value` refuses what nests too deep.
        let well_formed = inner.starts_with(bracket) && serde_json::from_str::<serde_json::Value>(inner).is_ok();
        well_formed.then(|| Cow::Owned(self.value(form, inner, depth + 1).into_owned()))
    }

    fn object<'t>(&self, form: &Form, text: &'t str, depth: usize) -> Option<Cow<'t, str>> {
        let mut changed = false;
        let mut out = String::from("{");
        for (name, value) in walk::members(text)? {
            let plain = walk::unescape(name);
            let property = form.properties.iter().flatten().find(|(known, _)| *known == plain).map(|(_, form)| form);
            let value = match (property, &form.rest) {
                (Some(form), _) => self.value(form, value, depth + 1),
                (None, Rest::Of(form)) => self.value(form, value, depth + 1),
                (None, _) => Cow::Borrowed(value),
            };
            changed |= is_other(&value, text);
            separate(&mut out);
            out.push_str(&format!("\"{name}\":{value}"));
        }
        out.push('}');
        changed.then_some(Cow::Owned(out))
    }

    fn array<'t>(&self, form: &Form, text: &'t str, depth: usize) -> Option<Cow<'t, str>> {
        let mut changed = false;
        let mut out = String::from("[");
        for (index, value) in walk::elements(text)?.enumerate() {
            let value = match form.tuple.get(index).or(form.items.as_deref()) {
                Some(form) => self.value(form, value, depth + 1),
                None => Cow::Borrowed(value),
            };
            changed |= is_other(&value, text);
            separate(&mut out);
            out.push_str(&value);
        }
        out.push(']');
        changed.then_some(Cow::Owned(out))
    }
}

/// Whether a rewritten value is no slice of the text that it was rewritten from.
fn is_other(value: &str, text: &str) -> bool {
    !text.as_bytes().as_ptr_range().contains(&value.as_ptr())
}

fn separate(out: &mut String) {
    if out.len() > 1 {
        out.push(',');
    }
}

/// What a JSON string says.
fn inner(text: &str) -> Option<String> {
    serde_json::from_str(text).ok()
}

fn is_number(text: &str) -> bool {
    serde_json::from_str::<serde_json::Number>(text).is_ok()
}

/// The digits of a number that is integral though it is not written so: `5.0`, `-0`, `12e2`. Exact at any size.
fn integer(text: &str) -> Option<String> {
    if !is_number(text) || text.len() > DIGITS {
        return None;
    }
    let (sign, digits) = text.strip_prefix('-').map_or(("", text), |digits| ("-", digits));
    let (mantissa, exponent) = digits.split_once(['e', 'E']).unwrap_or((digits, "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let exponent: i32 = exponent.parse().ok()?;
    let fraction = fraction.trim_end_matches('0');
    // The point moves by the exponent; digits that stay behind it must be none.
    let shift = usize::try_from(exponent).ok().filter(|shift| *shift <= DIGITS);
    let digits = match shift {
        Some(shift) if fraction.len() <= shift => format!("{whole}{fraction}{}", "0".repeat(shift - fraction.len())),
        Some(_) => return None,
        None => {
            let behind = usize::try_from(exponent.checked_neg()?).ok()?;
            let kept = whole.len().checked_sub(behind)?;
            let (kept, dropped) = whole.split_at_checked(kept)?;
            if !fraction.is_empty() || dropped.bytes().any(|digit| digit != b'0') {
                return None;
            }
            kept.to_owned()
        }
    };
    let digits = digits.trim_start_matches('0');
    let digits = if digits.is_empty() { "0" } else { digits };
    let sign = if digits == "0" { "" } else { sign };
    let rewritten = format!("{sign}{digits}");
    Some(rewritten)
}
