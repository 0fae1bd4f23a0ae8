//! Who is calling.
//!
//! Takes: the `Authorization` header. Gives: a [`Principal`]. Knows: credentials. Must not know: sessions, tools.

use std::{
    fmt,
    future::{Future, pending},
    hash::{Hash, Hasher},
    pin::Pin,
    sync::Arc,
    time::{Duration, SystemTime},
};

/// Who is calling: an issuer's subject, through a client. Two are the same if these three are, whenever they expire.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Principal {
    /// Who vouches for the subject.
    pub issuer: Arc<str>,
    /// The person or machine.
    pub subject: Arc<str>,
    /// The OAuth client that acts for it; empty when unknown.
    pub client: Arc<str>,
    /// When its credentials expire; `None` where they do not, or nobody knows.
    pub expires: Option<SystemTime>,
}

impl Principal {
    /// A principal of these three names.
    pub fn new(issuer: impl Into<Arc<str>>, subject: impl Into<Arc<str>>, client: impl Into<Arc<str>>) -> Self {
        Self { issuer: issuer.into(), subject: subject.into(), client: client.into(), expires: None }
    }

    /// The same, whose credentials expire at this time: `SystemTime::UNIX_EPOCH` and the seconds of a token's `exp`. From
    /// then on nothing is answered, and the streams that it opened for news (a GET, `subscriptions/listen`) end; a call that
    /// began before goes on to its answer.
    #[must_use]
    pub fn until(mut self, expires: SystemTime) -> Self {
        self.expires = Some(expires);
        self
    }

    /// How long its credentials are good for yet; `None` where they do not expire.
    pub(crate) fn remaining(&self) -> Option<Duration> {
        Some(remaining(self.expires?))
    }
}

fn remaining(expires: SystemTime) -> Duration {
    expires.duration_since(SystemTime::now()).unwrap_or_default()
}

/// Waits until credentials have expired; for ever where they do not.
pub(crate) async fn expiry(expires: Option<SystemTime>) {
    match expires {
        None => pending().await,
        // Boxed: most have none, and who waits does so for each stream.
        Some(expires) => Box::pin(tokio::time::sleep(remaining(expires))).await,
    }
}

impl PartialEq for Principal {
    fn eq(&self, other: &Self) -> bool {
        (&self.issuer, &self.subject, &self.client) == (&other.issuer, &other.subject, &other.client)
    }
}

impl Eq for Principal {}

impl Hash for Principal {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (&self.issuer, &self.subject, &self.client).hash(state);
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
