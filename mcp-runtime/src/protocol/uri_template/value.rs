//! Values of variables: how they are written, and what they must not hold.
//!
//! Takes: a value or its text in a URI. Gives: the other one. Knows: percent-encoding, paths. Must not know: templates.

/// Where a variable stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// One segment of the path.
    Segment,
    /// Segments of the path.
    Path,
    /// The query.
    Query,
}

impl Place {
    /// What it asks of a value, as the end of a sentence.
    pub(super) const fn demand(self) -> &'static str {
        match self {
            Self::Segment => "must be one segment: not empty, `.` or `..`, without `/`, `\\` and control characters",
            Self::Path => {
                "must be segments with `/` between: none of them empty, `.` or `..`, without `\\` and control characters"
            }
            Self::Query => "must be without NUL",
        }
    }
}

/// How often a value is decoded again to see what would become of it.
const ROUNDS: usize = 3;

#[cfg(test)]
thread_local! {
    /// How many bytes this thread looked at one by one.
    pub(super) static STEPS: std::cell::Cell<usize> = const { std::cell::Cell::new(0) };
}

/// The same bytes; tests count them.
pub(super) fn steps<'a>(bytes: impl Iterator<Item = u8> + 'a) -> impl Iterator<Item = u8> + 'a {
    #[cfg(test)]
    let bytes = bytes.inspect(|_| STEPS.with(|steps| steps.set(steps.get() + 1)));
    bytes
}

/// The value of this text; `None` where its percent-encoding is broken or makes no UTF-8.
pub(super) fn decode(raw: &str) -> Option<String> {
    let (bytes, whole) = decoded(raw.as_bytes());
    String::from_utf8(bytes).ok().filter(|_| whole)
}

/// The bytes after one round of decoding, and whether every `%` began two hexadecimal digits; others stay.
fn decoded(raw: &[u8]) -> (Vec<u8>, bool) {
    let digit = |byte: Option<&u8>| byte.and_then(|byte| char::from(*byte).to_digit(16));
    let mut bytes = Vec::with_capacity(raw.len());
    let mut whole = true;
    let mut skip = 0;
    for (position, byte) in steps(raw.iter().copied()).enumerate() {
        if skip > 0 {
            skip -= 1;
            continue;
        }
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        match (digit(raw.get(position + 1)), digit(raw.get(position + 2))) {
            (Some(high), Some(low)) => {
                // Two hexadecimal digits fit a byte.
                bytes.push((high * 16 + low) as u8);
                skip = 2;
            }
            _ => {
                bytes.push(byte);
                whole = false;
            }
        }
    }
    (bytes, whole)
}

/// Whether a value may stand there.
pub(super) fn may_stand(value: &str, place: Place) -> bool {
    may_stand_where(value, place, cfg!(windows))
}

/// The same, where paths may begin with a drive or where they can't.
pub(super) fn may_stand_where(value: &str, place: Place, drives: bool) -> bool {
    if place == Place::Query {
        return !value.contains('\0');
    }
    let mut bytes = value.as_bytes().to_vec();
    for _ in 0..=ROUNDS {
        if !is_harmless(&bytes, place, drives) {
            return false;
        }
        let (again, _) = decoded(&bytes);
        if again == bytes {
            return true;
        }
        bytes = again;
    }
    false
}

fn is_harmless(value: &[u8], place: Place, drives: bool) -> bool {
    let stays = |segment: &[u8]| !matches!(segment, b"" | b"." | b"..");
    let plain = steps(value.iter().copied()).all(|byte| byte != b'\\' && !byte.is_ascii_control());
    let drive = drives && value.get(1) == Some(&b':') && value.first().is_some_and(u8::is_ascii_alphabetic);
    plain
        && !drive
        && match place {
            Place::Segment => !value.contains(&b'/') && stays(value),
            Place::Path => value.split(|byte| *byte == b'/').all(stays),
            Place::Query => true,
        }
}

/// Writes a value so that [`decode`] gives it back and no character of it is taken for one of the template.
pub(super) fn encode(out: &mut String, value: &str, place: Place) {
    const HEXADECIMAL: &[u8; 16] = b"0123456789ABCDEF";
    for byte in value.bytes() {
        let unreserved = byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
        // RFC 6570 leaves more of `{+path}` as it is: `?` and `#`, which would end the path, and what looks encoded.
        let kept = place == Place::Path && b"/:@!$&'()*+,;=[]".contains(&byte);
        if unreserved || kept {
            out.push(char::from(byte));
        } else {
            out.push('%');
            for digit in [byte >> 4, byte & 15] {
                out.push(char::from(HEXADECIMAL[usize::from(digit)]));
            }
        }
    }
}
