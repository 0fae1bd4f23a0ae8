//! Request ids.

use std::fmt;

/// The id of a request: `1` and `"1"` are different ids, and each is echoed with its own type.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Id {
    /// An integer from -2⁶³ to 2⁶⁴-1; `1.0` was read as 1.
    Integer(i128),
    /// A string of at most 1 KiB.
    String(Box<str>),
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
