//! Why a server can't start.

use std::fmt;

/// What `main` returns.
pub type Result<T = (), E = Error> = std::result::Result<T, E>;

/// Why a server can't start or had to stop; for the operator.
///
/// Every error converts into it with `?`, so it is what a `main` with other things to do may return too.
pub struct Error(Box<dyn std::error::Error + Send + Sync>);

impl Error {
    /// An error of this cause, or this text.
    pub fn new(cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self(cause.into())
    }
}

// `Error` itself is no `std::error::Error`: it could not be converted from every other one then.
impl<E: std::error::Error + Send + Sync + 'static> From<E> for Error {
    fn from(cause: E) -> Self {
        Self(Box::new(cause))
    }
}

impl fmt::Display for Error {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, formatter)
    }
}

/// As `main` prints it: the text and its causes.
impl fmt::Debug for Error {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, formatter)?;
        let mut cause = self.0.source();
        while let Some(error) = cause {
            write!(formatter, "\n  because: {error}")?;
            cause = error.source();
        }
        Ok(())
    }
}
