//! Why a declared server can't run.

use std::fmt;

use crate::store::StoreError;

/// Why a declared server can't run; for the developer.
#[derive(Debug)]
#[non_exhaustive]
pub enum StartError {
    /// Tools borrow session state, and sessions are off.
    StateWithoutSessions {
        /// The first such tool.
        tool: &'static str,
    },
    /// Tools need a session that a cookie names, and nothing is kept between two requests.
    StatelessWithStoredCookies,
    /// A tool that may be a task changes session state, and the cookie that would carry it is given out before the task ends.
    TaskWithSealedState {
        /// The first such tool.
        tool: &'static str,
    },
    /// A tool's schema can't be made portable.
    Schema {
        /// The tool.
        tool: &'static str,
        /// What to change.
        advice: String,
    },
    /// The store does not answer.
    Store(StoreError),
    /// The store is shared by several processes, and what this one signs no other could read.
    KeysOfItsOwn,
    /// The store is shared by several processes, and another one has another key under the same id.
    AnotherKey {
        /// The id.
        kid: String,
    },
    /// The session keys can't be used.
    Keys(crate::session::KeyError),
    /// Something that was to be encoded at the start can't be.
    Encoding(serde_json::Error),
    /// Lists may be kept and shown to others, and who asks decides what is on them.
    PublicAndFiltered,
    /// Servers can't be composed as they are.
    Mount {
        /// What is in the way, and what to change.
        advice: String,
    },
    /// An extension can't be declared.
    Extension {
        /// Its id.
        id: String,
        /// What to change.
        advice: &'static str,
    },
}

impl fmt::Display for StartError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::StateWithoutSessions { tool } => write!(
                formatter,
                "`{tool}` borrows session state, but sessions are off: remove `Sessions::off()`, let clients carry the \
                 state (`Sessions::sealed_cookies()`), or take it out of the tool"
            ),
            Self::StatelessWithStoredCookies => formatter.write_str(
                "the tools need a session, and a stateless server keeps none: let clients carry it \
                 (`Sessions::sealed_cookies()`), or remove `.stateless()` or `require_session`",
            ),
            Self::TaskWithSealedState { tool } => write!(
                formatter,
                "`{tool}` may be a task and changes session state, but sealed cookies carry that, and a task goes on after its \
                 cookie was given out: remove `Sessions::sealed_cookies()`, take `task` away, or borrow the state as `&S`"
            ),
            Self::Schema { tool, advice } => write!(formatter, "the schema of `{tool}` can't be used: {advice}"),
            Self::Store(_) => formatter.write_str("the session store can't be used"),
            Self::KeysOfItsOwn => formatter.write_str(
                "the session store is shared, but this process would sign session ids with a random key of its own: every \
                 other one, and this one after a restart, would take them for foreign. Set \
                 MCP_SESSION_KEYS=\"k1:$(openssl rand -base64 32)\", the same for all that share the store",
            ),
            Self::AnotherKey { kid } => write!(
                formatter,
                "the session key `{kid}` of this instance is another one than that which other instances have under the same \
                 id in this store: each would take the sessions of the other for forged. Give all of them the same keys, and a \
                 new key an id of its own"
            ),
            Self::Keys(_) => formatter.write_str("the session keys can't be used"),
            Self::Mount { advice } => formatter.write_str(advice),
            Self::Extension { id, advice } => write!(formatter, "the extension `{id}` can't be declared: {advice}"),
            Self::PublicAndFiltered => formatter.write_str(
                "`visible` decides by who asks, and a cache of the server is public, so that others would be shown what \
                 they may not know of: leave `public` out, or take the filter away",
            ),
            Self::Encoding(_) => formatter.write_str("the description of the server can't be encoded"),
        }
    }
}

impl std::error::Error for StartError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::StateWithoutSessions { .. }
            | Self::StatelessWithStoredCookies
            | Self::TaskWithSealedState { .. }
            | Self::KeysOfItsOwn
            | Self::AnotherKey { .. }
            | Self::Schema { .. }
            | Self::PublicAndFiltered
            | Self::Mount { .. }
            | Self::Extension { .. } => None,
            Self::Store(error) => Some(error),
            Self::Keys(error) => Some(error),
            Self::Encoding(error) => Some(error),
        }
    }
}
