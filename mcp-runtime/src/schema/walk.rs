//! A walk over JSON text that is known to be well-formed: members and elements as slices, nothing decoded.
//!
//! Takes: JSON text. Gives: slices of it. Knows: JSON's grammar, and relies on it. Must not know: schemas, Rust types.
//! On text that is not well-formed the walk ends early; it never panics.

use std::borrow::Cow;

/// The members of an object, in the order of the text: the name between its quotes as written, and the value's text.
pub(super) struct Members<'a> {
    text: &'a str,
    at: usize,
}

/// The elements of an array, as text.
pub(super) struct Elements<'a> {
    text: &'a str,
    at: usize,
}

/// The members of the object that `text` is; `None` when it is no object.
pub(super) fn members(text: &str) -> Option<Members<'_>> {
    let at = skip_space(text.as_bytes(), 0);
    (text.as_bytes().get(at) == Some(&b'{')).then_some(Members { text, at: at + 1 })
}

/// The elements of the array that `text` is; `None` when it is no array.
pub(super) fn elements(text: &str) -> Option<Elements<'_>> {
    let at = skip_space(text.as_bytes(), 0);
    (text.as_bytes().get(at) == Some(&b'[')).then_some(Elements { text, at: at + 1 })
}

/// A member's name as it reads, from what [`Members`] gives.
pub(super) fn unescape(name: &str) -> Cow<'_, str> {
    if !name.contains('\\') {
        return Cow::Borrowed(name);
    }
    serde_json::from_str(&format!("\"{name}\"")).map_or(Cow::Borrowed(name), Cow::Owned)
}

impl<'a> Iterator for Members<'a> {
    type Item = (&'a str, &'a str);

    fn next(&mut self) -> Option<Self::Item> {
        let bytes = self.text.as_bytes();
        let quote = skip_separators(bytes, self.at);
        if bytes.get(quote) != Some(&b'"') {
            return None;
        }
        let after_name = string_end(bytes, quote + 1);
        let name = self.text.get(quote + 1..after_name.checked_sub(1)?)?;
        let start = skip_separators(bytes, after_name);
        let end = value_end(bytes, start);
        self.at = end;
        Some((name, self.text.get(start..end)?))
    }
}

impl<'a> Iterator for Elements<'a> {
    type Item = &'a str;

    fn next(&mut self) -> Option<Self::Item> {
        let bytes = self.text.as_bytes();
        let start = skip_separators(bytes, self.at);
        if matches!(bytes.get(start), None | Some(b']')) {
            return None;
        }
        let end = value_end(bytes, start);
        self.at = end;
        // Nothing where a value must be: not well-formed, and no end in sight.
        self.text.get(start..end).filter(|value| !value.is_empty())
    }
}

/// One step on the way to a value.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// Into a member.
    Member(String),
    /// Into an element.
    Element(usize),
}

/// The way to the innermost value whose text ends at or spans `offset`, a byte offset into `text`, and that value's text.
pub(super) fn way_to(text: &str, offset: usize) -> (Vec<Step>, &str) {
    let mut way = Vec::new();
    let mut here = text;
    let base = text.as_ptr().addr();
    let spans = |piece: &str| {
        let start = piece.as_ptr().addr() - base;
        start < offset && offset <= start + piece.len()
    };
    loop {
        let inner = if let Some(mut members) = members(here) {
            members.find(|(_, value)| spans(value)).map(|(name, value)| (Step::Member(unescape(name).into()), value))
        } else if let Some(elements) = elements(here) {
            elements.enumerate().find(|(_, value)| spans(value)).map(|(index, value)| (Step::Element(index), value))
        } else {
            None
        };
        let Some((step, value)) = inner else { return (way, here) };
        way.push(step);
        here = value;
    }
}

fn skip_space(bytes: &[u8], mut at: usize) -> usize {
    while matches!(bytes.get(at), Some(b' ' | b'\t' | b'\n' | b'\r')) {
        at += 1;
    }
    at
}

/// The text is well-formed, so a comma or colon is where it must be and can be treated as space.
fn skip_separators(bytes: &[u8], mut at: usize) -> usize {
    while matches!(bytes.get(at), Some(b' ' | b'\t' | b'\n' | b'\r' | b',' | b':')) {
        at += 1;
    }
    at
}

/// The offset behind the value that starts at `start`.
fn value_end(bytes: &[u8], start: usize) -> usize {
    match bytes.get(start) {
        Some(b'"') => string_end(bytes, start + 1),
        Some(b'{' | b'[') => nested_end(bytes, start + 1),
        _ => {
            let mut at = start;
            while !matches!(bytes.get(at), None | Some(b',' | b'}' | b']' | b' ' | b'\t' | b'\n' | b'\r')) {
                at += 1;
            }
            at
        }
    }
}

/// The offset behind the object or array whose first character after the bracket is at `at`.
fn nested_end(bytes: &[u8], mut at: usize) -> usize {
    let mut depth = 1_usize;
    while let Some(byte) = bytes.get(at) {
        at += 1;
        match byte {
            b'"' => at = string_end(bytes, at),
            b'{' | b'[' => depth += 1,
            b'}' | b']' => {
                depth -= 1;
                if depth == 0 {
                    return at;
                }
            }
            _ => {}
        }
    }
    at
}

/// The offset behind the closing quote of the string whose first character is at `at`.
fn string_end(bytes: &[u8], mut at: usize) -> usize {
    loop {
        // Eight bytes at a time: most strings hold neither quotes nor backslashes for long.
        while let Some(chunk) = bytes.get(at..).and_then(<[u8]>::first_chunk::<8>) {
            let word = u64::from_le_bytes(*chunk);
            let found = zero_bytes(word ^ repeated(b'"')) | zero_bytes(word ^ repeated(b'\\'));
            if found != 0 {
                at += (found.trailing_zeros() / 8) as usize;
                break;
            }
            at += 8;
        }
        match bytes.get(at) {
            None => return at,
            Some(b'"') => return at + 1,
            Some(b'\\') => at += 2,
            Some(_) => at += 1,
        }
    }
}

const fn repeated(byte: u8) -> u64 {
    u64::from_ne_bytes([byte; 8])
}

/// The high bit of every byte that is zero; bytes above the lowest such one may be marked falsely.
const fn zero_bytes(word: u64) -> u64 {
    word.wrapping_sub(repeated(0x01)) & !word & repeated(0x80)
}
