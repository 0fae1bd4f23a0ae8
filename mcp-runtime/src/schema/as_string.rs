//! Integers of 64 and 128 bits as strings of digits, for clients that keep numbers as floats.
//!
//! Takes: integers. Gives: their digits, and the schema that announces them. Knows: one spelling for each integer. Must not
//! know: arguments, tools.
//!
//! JavaScript keeps integers exact up to 2^53 − 1 and rounds beyond. An argument is announced and decoded this way by
//! `#[arg(as_string)]`; a field of your own type by this module:
//!
//! ```
//! # use mcp_runtime::prelude::*;
//! #[derive(Serialize, Deserialize, JsonSchema)]
//! struct Account {
//!     #[serde(with = "mcp_runtime::as_string")]
//!     #[schemars(schema_with = "mcp_runtime::as_string::schema::<u64>")]
//!     id: u64,
//! }
//! let account = Account { id: 9_007_199_254_740_993 };
//! assert_eq!(serde_json::to_string(&account)?, r#"{"id":"9007199254740993"}"#);
//! # Ok::<_, serde_json::Error>(())
//! ```
//!
//! # Source
//! Our choice: the form is that of protobuf's JSON, which other tools for schemas know.

use std::borrow::Cow;

use schemars::{Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};

use super::argument::{Argument, argument_of};

/// What can be written as a string of digits: the integers of 64 and 128 bits, and options of these.
#[diagnostic::on_unimplemented(
    message = "`{Self}` can't be written as a string of digits",
    label = "`as_string` is for integers of 64 and 128 bits, and options of these",
    note = "take `u64`, `i64`, `u128` or `i128`, or leave `as_string` out: every client keeps smaller integers exact"
)]
pub trait AsString: Sized + Send + 'static {
    #[doc(hidden)]
    const FORMAT: &'static str;
    #[doc(hidden)]
    const OPTIONAL: bool = false;

    #[doc(hidden)]
    fn of_digits(digits: Option<&str>) -> Result<Self, String>;

    #[doc(hidden)]
    fn to_digits(&self) -> Option<String>;
}

macro_rules! integers {
    ($($type:ty: $format:literal)*) => { $(
        impl AsString for $type {
            const FORMAT: &'static str = $format;

            fn of_digits(digits: Option<&str>) -> Result<Self, String> {
                // Each integer has one spelling, that of the announced pattern: no `+`, no leading zeros, no `-0`.
                digits
                    .and_then(|digits| digits.parse().ok().filter(|value: &Self| value.to_string() == digits))
                    .ok_or_else(|| format!("expected the digits of an integer {}", range($format).unwrap_or_default()))
            }

            fn to_digits(&self) -> Option<String> {
                Some(self.to_string())
            }
        }
    )* };
}

integers! { u64: "uint64" i64: "int64" u128: "uint128" i128: "int128" usize: "uint" isize: "int" }

impl<T: AsString> AsString for Option<T> {
    const FORMAT: &'static str = T::FORMAT;
    const OPTIONAL: bool = true;

    fn of_digits(digits: Option<&str>) -> Result<Self, String> {
        digits.map(|digits| T::of_digits(Some(digits))).transpose()
    }

    fn to_digits(&self) -> Option<String> {
        self.as_ref().and_then(T::to_digits)
    }
}

/// The integers that a format of digits stands for, in words; `None` where the format is another.
pub(super) fn range(format: &str) -> Option<&'static str> {
    Some(match format {
        "int64" | "int" => "-9223372036854775808 to 9223372036854775807",
        "uint64" | "uint" => "0–18446744073709551615",
        "int128" => "-170141183460469231731687303715884105728 to 170141183460469231731687303715884105727",
        "uint128" => "0–340282366920938463463374607431768211455",
        _ => return None,
    })
}

/// Writes an integer as the string of its digits, `None` as `null`.
///
/// # Errors
/// Those of the serializer.
pub fn serialize<T: AsString, S: Serializer>(value: &T, serializer: S) -> Result<S::Ok, S::Error> {
    value.to_digits().serialize(serializer)
}

/// Reads an integer from the string of its digits. A field that is an option needs `#[serde(default)]` to be left out.
///
/// # Errors
/// When it is no string, or other than digits with an optional `-`, or outside of the type's range.
pub fn deserialize<'de, T: AsString, D: Deserializer<'de>>(deserializer: D) -> Result<T, D::Error> {
    let digits: Option<Cow<'de, str>> = Deserialize::deserialize(deserializer)?;
    T::of_digits(digits.as_deref()).map_err(D::Error::custom)
}

/// The schema of an integer as a string of digits, for `#[schemars(schema_with = "…")]`.
#[must_use]
pub fn schema<T: AsString>(_: &mut SchemaGenerator) -> Schema {
    let pattern = if T::FORMAT.starts_with('u') { "^(0|[1-9][0-9]*)$" } else { "^(0|-?[1-9][0-9]*)$" };
    if T::OPTIONAL {
        json_schema!({ "type": ["string", "null"], "format": T::FORMAT, "pattern": pattern })
    } else {
        json_schema!({ "type": "string", "format": T::FORMAT, "pattern": pattern })
    }
}

/// The table entry of an argument with `#[arg(as_string)]`.
#[doc(hidden)]
#[must_use]
pub const fn argument_as_string<T: AsString>() -> Argument<T> {
    argument_of(schema::<T>, |text| serde_json::from_str(text).map(|Digits(value)| value))
}

struct Digits<T>(T);

impl<'de, T: AsString> Deserialize<'de> for Digits<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserialize(deserializer).map(Self)
    }
}
