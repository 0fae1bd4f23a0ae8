//! How a server wants its sessions.
//!
//! Takes: the developer's choices. Gives: a policy and lifetimes. Knows: the defaults. Must not know: how they are kept.

use std::{sync::Arc, time::Duration};

use super::{CookiePolicy, SessionManager, SigningKeys};

/// How a server wants its sessions: signed, custom, optional or off.
#[derive(Clone)]
pub struct Sessions {
    pub(crate) source: Source,
    pub(crate) keys: Option<SigningKeys>,
    pub(crate) policy: Option<Policy>,
    pub(crate) idle: Option<Duration>,
    absolute: Option<Duration>,
    handle: Option<Duration>,
    identity: Option<Duration>,
    pub(crate) by_identity: bool,
    pub(crate) cookies: CookiePolicy,
    // Cookies carry the state itself.
    pub(crate) sealed: bool,
    stored: bool,
    // Whether the program may end sessions.
    revocations: bool,
    pub(crate) lag: Duration,
}

/// How long what lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Lifetimes {
    /// The record of a session with a signed id, without being used.
    pub(crate) idle: Duration,
    /// A signed id, used or not.
    pub(crate) absolute: Duration,
    /// The record behind a handle, without being used.
    pub(crate) handle: Duration,
    /// The record of an identity, without being used.
    pub(crate) identity: Duration,
    /// The record of a stdio process, without being used.
    pub(crate) process: Duration,
}

impl Lifetimes {
    /// Longer than any id that needs a session's word lives.
    pub(crate) fn longest(&self) -> Duration {
        self.absolute.max(self.handle).max(self.idle) + Duration::from_secs(HOUR)
    }
}

const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;
/// How long an instance may not know yet that all sessions of somebody were ended.
///
/// # Source
/// Our choice: short enough for a person who logs out everywhere, long enough that the store is not asked at each request.
const LAG: Duration = Duration::from_secs(5);
/// Longer lifetimes are cut to this, so that no sum of times overflows anywhere.
const LONGEST: Duration = Duration::from_secs(100 * 365 * DAY);

/// Where session ids come from.
#[derive(Clone)]
pub(crate) enum Source {
    /// Our signed tokens.
    Jwt,
    /// Random ids of records in the store.
    Opaque,
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
        Self {
            source: Source::Jwt,
            keys: None,
            policy: None,
            idle: None,
            absolute: None,
            handle: None,
            identity: None,
            by_identity: false,
            cookies: CookiePolicy::Off,
            sealed: false,
            stored: false,
            revocations: false,
            lag: LAG,
        }
    }
}

impl Sessions {
    /// Signed session ids (JWT) that any instance with the same keys and store verifies.
    #[must_use]
    pub fn jwt(keys: SigningKeys) -> Self {
        Self::default().keys(keys)
    }

    /// Session ids that say nothing: 43 random characters, and everything else in the store, from the moment on when a session
    /// is opened. What [`stored`](Self::stored) says holds for them too.
    ///
    /// Shorter than signed ids, and readable by nobody; the price is a write for each `initialize` and a read for each
    /// request. A session whose client does not come back with its id within 30 seconds is gone.
    #[must_use]
    pub fn opaque() -> Self {
        Self { source: Source::Opaque, stored: true, ..Self::default() }
    }

    /// The keys of signed ids and of all else that clients carry: handles, and what is sealed. Without them, those of
    /// `MCP_SESSION_KEYS`, or a random one.
    #[must_use]
    pub fn keys(mut self, keys: SigningKeys) -> Self {
        self.keys = Some(keys);
        self
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
    ///
    /// An id is taken for up to a minute longer, because the clocks of instances differ; so it is with
    /// [`max_age`](Sessions::max_age).
    ///
    /// Seconds count, fractions do not; less than one is one.
    #[must_use]
    pub fn ttl(mut self, idle: Duration) -> Self {
        self.idle = Some(idle);
        self
    }

    /// How long the id of a session with state is valid, however busy it is. 24 hours by default, or
    /// [`ttl`](Sessions::ttl) if that is longer.
    ///
    /// An id can't be renewed: a client whose id has ended begins a new session.
    #[must_use]
    pub fn max_age(mut self, absolute: Duration) -> Self {
        self.absolute = Some(absolute);
        self
    }

    /// How long a handle, which carries state on 2026-07-28, may be idle. 24 hours by default.
    #[must_use]
    pub fn handle_ttl(mut self, idle: Duration) -> Self {
        self.handle = Some(idle);
        self
    }

    /// How long the session of an identity may be idle. 30 days by default.
    #[must_use]
    pub fn identity_ttl(mut self, idle: Duration) -> Self {
        self.identity = Some(idle);
        self
    }

    /// Where a request has no session id (2026-07-28) and a principal, its state hangs on the principal: one session for
    /// each subject of an issuer, and no handle in the arguments.
    #[must_use]
    pub fn by_identity(mut self) -> Self {
        self.by_identity = true;
        self
    }

    /// Sessions are carried by a cookie, too: `_meta["mcp/session"]`, in every revision and over both transports. Where a
    /// request has one, it comes before whatever else carries state; it lives as long as [`ttl`](Self::ttl) says.
    ///
    /// The client makes a session with `session/create`, so that one client can have several, and find one again in
    /// another session of the protocol.
    ///
    /// # Source
    /// The experimental data-layer sessions, version 2, announced as `experimental.session`.
    #[must_use]
    pub fn cookies(mut self) -> Self {
        self.cookies = CookiePolicy::Accepted;
        self
    }

    /// The same, and a call of a tool that comes without a cookie, or with a dead one, begins a session: its cookie comes
    /// with the result. Nothing else carries state then.
    #[must_use]
    pub fn cookies_on_demand(mut self) -> Self {
        self.cookies = CookiePolicy::OnDemand;
        self
    }

    /// Cookies carry the state itself, sealed, and no store keeps anything of it: any instance with the same keys takes them.
    /// Nothing else carries state then. With [`cookies_on_demand`](Self::cookies_on_demand), a call without one begins a
    /// session; else the client does, with `session/create`.
    ///
    /// For preferences, positions and steps of a form; not for balances, quotas and permissions. A client can bring an older
    /// value until that expires ([`ttl`](Self::ttl) after it was given out), two calls at once each go on from what they
    /// brought, and nothing can be ended, listed or deleted before its time, other than with its key. All parts together have
    /// at most 16 KiB: a call that would leave more fails and changes nothing. A tool that changes state can't be a task.
    ///
    /// # Source
    /// Our choice, over the cookies of the experimental data-layer sessions, version 2; only `create` of its features is
    /// announced.
    #[must_use]
    pub fn sealed_cookies(mut self) -> Self {
        if self.cookies == CookiePolicy::Off {
            self.cookies = CookiePolicy::Accepted;
        }
        self.sealed = true;
        self
    }

    /// Sessions live in the store also where no tool borrows state: they end when they are idle for longer than
    /// [`ttl`](Self::ttl), can be ended by DELETE and by [`Revocations`](super::Revocations) on every instance, and end with
    /// the store. Where tools borrow state, this is so anyway.
    ///
    /// A session costs no write when it is opened, and one when it has been in use for a minute.
    #[must_use]
    pub fn stored(mut self) -> Self {
        self.stored = true;
        self
    }

    /// How long another instance may go on taking sessions after
    /// [`Revocations::revoke_all`](super::Revocations::revoke_all); 5 seconds by default. With zero, each request of a
    /// principal asks the store one question more. In a store that is not shared it is always zero.
    #[must_use]
    pub fn revocation_lag(mut self, lag: Duration) -> Self {
        self.lag = lag;
        self
    }

    /// The program may end sessions.
    pub(crate) fn revocable(mut self, revocable: bool) -> Self {
        self.revocations |= revocable;
        self
    }

    /// Whether the store says of each session whether it lives.
    pub(crate) fn are_stored(&self) -> bool {
        self.stored
    }

    /// Whether all sessions of somebody may have been ended.
    pub(crate) fn are_revocable(&self) -> bool {
        self.revocations || self.stored
    }

    /// None but those that are sealed, with the same keys for what else is.
    pub(crate) fn turned_off(self) -> Self {
        let cookies = if self.sealed { self.cookies } else { CookiePolicy::Off };
        Self { policy: Some(Policy::Off), cookies, by_identity: false, stored: false, ..self }
    }

    /// Whether there are no sessions at all.
    pub(crate) fn are_off(&self) -> bool {
        self.policy == Some(Policy::Off)
    }

    /// How long what lives, for a server with or without tools that borrow session state.
    pub(crate) fn lifetimes(&self, stateful: bool) -> Lifetimes {
        let chosen = |chosen: Option<Duration>, seconds: u64| {
            chosen.unwrap_or(Duration::from_secs(seconds)).clamp(Duration::from_secs(1), LONGEST)
        };
        let idle = chosen(self.idle, 30 * MINUTE);
        Lifetimes {
            idle,
            absolute: match self.absolute {
                Some(absolute) => chosen(Some(absolute), DAY),
                None if stateful => idle.max(Duration::from_secs(DAY)),
                None => idle,
            },
            handle: chosen(self.handle, DAY),
            identity: chosen(self.identity, 30 * DAY),
            // As good as for ever, yet a store that outlives the process is not littered for ever.
            process: Duration::from_secs(60 * DAY),
        }
    }
}
