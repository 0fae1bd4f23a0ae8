//! Request ids.

use std::fmt;

use super::Raw;

/// How long the string in an id may be, in bytes.
const MAX_LENGTH: usize = 1024;

/// The id of a request: `1` and `"1"` are different ids, and each is echoed with its own type.
///
/// # Source
/// JSON-RPC 2.0 §4. MCP forbids `null`; the limits are our choice, because an id is kept as long as its request runs.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Id {
    /// An integer from -2⁶³ to 2⁶⁴-1; `1.0` was read as 1.
    Integer(i128),
    /// A string of at most 1 KiB.
    String(Box<str>),
}

/// Why JSON text is no id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum IdError {
    /// It is `null`.
    Null,
    /// It is of another type, no integer, out of range or too long.
    Other,
}

impl Id {
    /// The id in this valid JSON text.
    pub(super) fn read(raw: &Raw) -> Result<Self, IdError> {
        let text = raw.as_str();
        match text.as_bytes().first() {
            Some(b'"') => match raw.string() {
                Some(id) if id.len() <= MAX_LENGTH => Ok(Self::String(id.into())),
                _ => Err(IdError::Other),
            },
            Some(b'-' | b'0'..=b'9') => integer(text)
                .filter(|id| (i128::from(i64::MIN)..=i128::from(u64::MAX)).contains(id))
                .map(Self::Integer)
                .ok_or(IdError::Other),
            Some(b'n') => Err(IdError::Null),
            _ => Err(IdError::Other),
        }
    }
}

/// The integer that this JSON number is, however it is written; `None` if it is none or does not fit.
fn integer(text: &str) -> Option<i128> {
    if let Ok(integer) = text.parse::<i64>() {
        return Some(integer.into());
    }
    let (negative, text) = text.strip_prefix('-').map_or((false, text), |text| (true, text));
    let (mantissa, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = || whole.bytes().chain(fraction.bytes());
    // All digits make one whole number, of which the zeros at its end move into the exponent.
    let Some(dropped) = digits().rev().position(|digit| digit != b'0') else { return Some(0) };
    let kept = whole.len() + fraction.len() - dropped;
    let exponent: i64 = exponent.parse().ok()?;
    let shift = exponent.checked_sub(i64::try_from(fraction.len()).ok()?)?.checked_add(i64::try_from(dropped).ok()?)?;
    let mut integer = 0i128;
    for digit in digits().take(kept) {
        integer = integer.checked_mul(10)?.checked_add(i128::from(digit - b'0'))?;
    }
    let integer = integer.checked_mul(10i128.checked_pow(u32::try_from(shift).ok()?)?)?;
    Some(if negative { -integer } else { integer })
}

impl From<i64> for Id {
    fn from(id: i64) -> Self {
        Self::Integer(id.into())
    }
}

impl From<&str> for Id {
    fn from(id: &str) -> Self {
        Self::String(id.into())
    }
}

impl fmt::Display for Id {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Integer(id) => id.fmt(formatter),
            Self::String(id) => write!(formatter, "{id:?}"),
        }
    }
}
