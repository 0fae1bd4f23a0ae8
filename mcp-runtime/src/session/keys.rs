//! The key ring.

use std::fmt;

/// The keys that sign session ids and handles: the first mints, all verify.
///
/// # Shape
/// `MCP_SESSION_KEYS` is a comma-separated list of `kid:base64`; a kid is 1 to 8 of `[A-Za-z0-9_-]`, a key at least 32
/// bytes.
#[derive(Clone)]
pub struct SigningKeys {
    _todo: (),
}

/// Why keys can't be used; for the operator.
#[derive(Debug)]
#[non_exhaustive]
pub struct KeyError(pub(crate) String);

impl fmt::Display for KeyError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl std::error::Error for KeyError {}

impl SigningKeys {
    /// A random key, gone with the process.
    #[must_use]
    pub fn random() -> Self {
        todo!()
    }

    /// The keys in this environment variable.
    ///
    /// # Errors
    /// [`KeyError`] when the variable is not set or can't be read as keys.
    pub fn from_env(variable: &str) -> Result<Self, KeyError> {
        let _ = variable;
        todo!()
    }
}
