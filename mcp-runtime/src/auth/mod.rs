//! Who is calling.
//!
//! Takes: the `Authorization` header. Gives: a [`Principal`]. Knows: credentials. Must not know: sessions, tools.

use std::{fmt, future::Future, pin::Pin, sync::Arc};

/// Who is calling: an issuer's subject, through a client.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Principal {
    /// Who vouches for the subject.
    pub issuer: Arc<str>,
    /// The person or machine.
    pub subject: Arc<str>,
    /// The OAuth client that acts for it; empty when unknown.
    pub client: Arc<str>,
}

impl Principal {
    /// A principal of these three names.
    pub fn new(issuer: impl Into<Arc<str>>, subject: impl Into<Arc<str>>, client: impl Into<Arc<str>>) -> Self {
        Self { issuer: issuer.into(), subject: subject.into(), client: client.into() }
    }
}

/// Why a request may not pass.
#[derive(Debug)]
#[non_exhaustive]
pub enum AuthError {
    /// No or wrong credentials: 401 with a challenge.
    Unauthorized,
    /// The authenticator itself failed: 503. The source goes to the log.
    Unavailable(Box<dyn std::error::Error + Send + Sync>),
}

impl fmt::Display for AuthError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Unauthorized => "no or wrong credentials",
            Self::Unavailable(_) => "the authenticator is unavailable",
        })
    }
}

impl std::error::Error for AuthError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Unauthorized => None,
            Self::Unavailable(source) => Some(&**source),
        }
    }
}

/// Turns the credentials of a request into a [`Principal`].
pub trait Authenticator: Send + Sync + 'static {
    /// Checks the value of the `Authorization` header; `None` when there was none.
    ///
    /// # Errors
    /// [`AuthError`]: seen by the peer as 401 or 503 with fixed texts.
    fn authenticate<'a>(
        &'a self,
        authorization: Option<&'a str>,
    ) -> Pin<Box<dyn Future<Output = Result<Principal, AuthError>> + Send + 'a>>;
}

/// Fixed bearer tokens, for development and tests: each token is one principal.
///
/// Not for production: the tokens never expire and stand in the program's configuration.
#[derive(Clone, Default)]
pub struct DevelopmentTokens {
    // (digest of the token, principal): compared by digest, so the time says nothing about the token.
    tokens: Vec<([u8; 32], Principal)>,
}

impl DevelopmentTokens {
    /// No token yet: everything is refused.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Accepts this bearer token as this subject, of the issuer `development`.
    #[must_use]
    pub fn with(mut self, token: &str, subject: &str) -> Self {
        self.tokens.push((digest(token), Principal::new("development", subject, "")));
        self
    }
}

impl fmt::Debug for DevelopmentTokens {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("DevelopmentTokens").field("tokens", &self.tokens.len()).finish()
    }
}

impl Authenticator for DevelopmentTokens {
    fn authenticate<'a>(
        &'a self,
        authorization: Option<&'a str>,
    ) -> Pin<Box<dyn Future<Output = Result<Principal, AuthError>> + Send + 'a>> {
        let principal = authorization
            .and_then(|value| value.split_once(' '))
            .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
            .map(|(_, token)| digest(token.trim()))
            .and_then(|digest| self.tokens.iter().find(|(known, _)| *known == digest))
            .map(|(_, principal)| principal.clone());
        Box::pin(std::future::ready(principal.ok_or(AuthError::Unauthorized)))
    }
}

fn digest(token: &str) -> [u8; 32] {
    let mut bytes = [0; 32];
    bytes.copy_from_slice(aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, token.as_bytes()).as_ref());
    bytes
}
