//! Sessions: their ids, their keys, and the typed state that hangs on them.
//!
//! Takes: ids and bytes. Gives: session facts, drafts of typed state. Knows: signing, lifetimes, stores. Must not know:
//! header names, the shapes of revisions, tools.

mod handle;
mod jwt;
mod keys;
mod manager;
mod part;
mod policy;
mod process;
mod room;
mod state;
mod turns;

pub use crate::store::SessionKey;
pub use keys::{KeyError, SigningKeys};
pub use manager::{Closed, ProtocolSession, SessionError, SessionFuture, SessionManager};
pub use part::{Part, PartCard, PartSlot, PartType, SessionState, part};
pub(crate) use policy::Policy;
pub use policy::Sessions;
pub use process::Process;
pub(crate) use room::SessionRoom;
pub(crate) use state::{Draft, Ended, StateError, StateRoom};
