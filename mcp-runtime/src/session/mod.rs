//! Sessions: their ids, their keys, and the typed state that hangs on them.
//!
//! Takes: ids and bytes. Gives: session facts, drafts of typed state. Knows: signing, lifetimes, stores. Must not know:
//! header names, the shapes of revisions, tools.

mod ahead;
mod cache;
mod clock;
mod cookies;
mod epochs;
mod finite;
mod handle;
mod jwt;
mod keys;
mod levels;
mod manager;
mod opaque;
mod part;
mod patience;
mod policy;
mod principal;
mod process;
mod revocations;
mod room;
mod seal;
mod sealed;
mod state;
mod turns;
mod witness;

#[cfg(test)]
mod testing;

pub use crate::store::SessionKey;
pub(crate) use ahead::Ahead;
pub use cookies::SessionCookie;
pub(crate) use cookies::{Brought, CookiePolicy, Cookies, FoundCookie};
pub use epochs::RevocationScope;
pub(crate) use finite::Finite;
pub use keys::{KeyError, SigningKeys};
pub(crate) use levels::LogLevels;
pub use manager::{Closed, ProtocolSession, SessionError, SessionFuture, SessionManager};
#[cfg(test)]
pub(crate) use part::Held;
pub use part::{Part, PartCard, PartSlot, PartType, SessionState, part};
pub(crate) use patience::{PATIENCE, answer};
pub(crate) use policy::Policy;
pub use policy::Sessions;
pub(crate) use principal::principal_tag;
pub use process::Process;
pub use revocations::{RevocationError, Revocations};
pub(crate) use room::{Behind, OpenError, SessionRoom};
pub(crate) use state::{Draft, Ended, StateError, StateRoom};

/// Random bytes that nobody can guess.
///
/// # Panics
/// When the operating system has none: going on would mean ids that can be guessed.
pub(crate) fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    match aws_lc_rs::rand::fill(&mut bytes) {
        Ok(()) => bytes,
        Err(_) => panic!("the operating system gives no randomness"),
    }
}
