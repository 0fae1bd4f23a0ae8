//! How a server wants its sessions.

use std::{sync::Arc, time::Duration};

use super::{SessionManager, SigningKeys};

/// How a server wants its sessions: signed, custom, optional or off.
#[derive(Clone)]
pub struct Sessions {
    pub(crate) source: Source,
    pub(crate) policy: Option<Policy>,
    pub(crate) idle: Option<Duration>,
    pub(crate) by_identity: bool,
}

/// Where session ids come from.
#[derive(Clone)]
pub(crate) enum Source {
    /// Our signed tokens; without keys, those of `MCP_SESSION_KEYS`, or a random key.
    Jwt(Option<SigningKeys>),
    /// The user's.
    Custom(Arc<dyn SessionManager>),
}

/// Whether requests of revisions with sessions must have one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Policy {
    /// Without one: 400.
    Required,
    /// Without one: tools that borrow session state can't be called, everything else works.
    Optional,
    /// None is minted, ids are ignored.
    Off,
}

impl Default for Sessions {
    /// Signed ids with the keys of `MCP_SESSION_KEYS` or else a random one.
    fn default() -> Self {
        Self { source: Source::Jwt(None), policy: None, idle: None, by_identity: false }
    }
}

impl Sessions {
    /// Signed session ids (JWT) that any instance with the same keys and store verifies.
    #[must_use]
    pub fn jwt(keys: SigningKeys) -> Self {
        Self { source: Source::Jwt(Some(keys)), ..Self::default() }
    }

    /// Session ids of your own making.
    pub fn custom(manager: impl SessionManager) -> Self {
        Self { source: Source::Custom(Arc::new(manager)), ..Self::default() }
    }

    /// No sessions at all: ids are ignored, tools that borrow session state are a start-up error.
    #[must_use]
    pub fn off() -> Self {
        Self { policy: Some(Policy::Off), ..Self::default() }
    }

    /// Requests without a session are served too, except by tools that borrow session state.
    #[must_use]
    pub fn optional(mut self) -> Self {
        self.policy = Some(Policy::Optional);
        self
    }

    /// Requests of revisions that have sessions must have one (the default).
    #[must_use]
    pub fn required(mut self) -> Self {
        self.policy = Some(Policy::Required);
        self
    }

    /// How long a session with state may be idle; without state, how long its id is valid. 30 minutes by default.
    #[must_use]
    pub fn ttl(mut self, idle: Duration) -> Self {
        self.idle = Some(idle);
        self
    }

    /// Where a request has no session id (2026-07-28) and a principal, its state hangs on the principal: one session for
    /// each subject of an issuer, and no handle in the arguments.
    #[must_use]
    pub fn by_identity(mut self) -> Self {
        self.by_identity = true;
        self
    }

    /// Whether there are no sessions at all.
    pub(crate) fn are_off(&self) -> bool {
        self.policy == Some(Policy::Off)
    }
}
