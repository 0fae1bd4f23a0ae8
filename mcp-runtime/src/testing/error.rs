//! Why a request was not answered with a result.

use std::fmt;

use http::StatusCode;
use serde::Deserialize;
use serde_json::Value;

use crate::exchange::Outbound;

/// A request was answered with an error, or refused before anybody read it.
///
/// A tool that fails is none of this: it is a result, with [`is_error`](super::ToolAnswer::is_error).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RequestError {
    /// The HTTP status; what stdio would have had, were it HTTP.
    pub status: u16,
    /// The code of the JSON-RPC error, for example -32602; `None` for a refusal without one.
    pub code: Option<i32>,
    /// What the error says; for a refusal without text what its status means.
    pub message: String,
    /// What else the error says.
    pub data: Option<Value>,
}

#[derive(Deserialize)]
struct Said {
    code: i32,
    message: String,
    #[serde(default)]
    data: Option<Value>,
}

impl RequestError {
    /// A refusal of this status, in these words.
    pub(super) fn refused(status: StatusCode, message: impl Into<String>) -> Self {
        Self { status: status.as_u16(), code: None, message: message.into(), data: None }
    }

    /// An answer that is not what the protocol says; this is a mistake of the server's, or of this client.
    pub(super) fn unreadable(what: &str, error: &dyn fmt::Display) -> Self {
        Self::refused(StatusCode::OK, format!("{what} can't be read: {error}"))
    }

    /// The result that an answer holds.
    pub(super) fn or_result(outbound: &Outbound) -> Result<Value, Self> {
        let status = outbound.status;
        let said = || status.canonical_reason().unwrap_or_default();
        if outbound.body.is_empty() {
            return Err(Self::refused(status, said()));
        }
        let mut answer: Value =
            serde_json::from_slice(&outbound.body).map_err(|error| Self::unreadable("the answer", &error))?;
        if let Some(result) = answer.get_mut("result") {
            return Ok(result.take());
        }
        let Some(error) = answer.get_mut("error") else { return Err(Self::refused(status, said())) };
        let Said { code, message, data } =
            serde_json::from_value(error.take()).map_err(|error| Self::unreadable("the error", &error))?;
        Err(Self { status: status.as_u16(), code: Some(code), message, data })
    }
}

impl fmt::Display for RequestError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.code {
            Some(code) => write!(formatter, "{code}: {}", self.message),
            None => write!(formatter, "HTTP {}: {}", self.status, self.message),
        }?;
        match &self.data {
            Some(data) => write!(formatter, " ({data})"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for RequestError {}
