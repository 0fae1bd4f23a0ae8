//! The corridor: open, dispatch, close.
//!
//! Takes: [`Inbound`]. Gives: an [`Exchange`]. Knows: the order of the rooms. Must not know: what happens in them.

use std::sync::Arc;

use crate::{
    auth::Principal,
    exchange::{EventStream, Exchange, Headers, Inbound, Outbound},
    service::Service,
    session::Process,
};

/// A running server, whatever its transports.
pub struct Engine {
    #[expect(dead_code, reason = "the corridor is being built")]
    service: Arc<dyn Service>,
}

impl Engine {
    /// Answers what came by POST or on a line of stdio.
    pub fn exchange(self: &Arc<Self>, inbound: Inbound) -> Exchange {
        let _ = inbound;
        todo!()
    }

    /// Opens the stream that a client asks for with GET; `Err` is the refusal to send instead.
    ///
    /// # Errors
    /// 400 without a session id, 404 for a dead one, 405 where there are no streams.
    pub async fn listen(
        self: &Arc<Self>,
        headers: Headers,
        principal: Option<Principal>,
    ) -> Result<EventStream, Outbound> {
        let _ = (headers, principal);
        todo!()
    }

    /// Ends the session that a client names with DELETE.
    pub async fn end(self: &Arc<Self>, headers: Headers, principal: Option<Principal>) -> Outbound {
        let _ = (headers, principal);
        todo!()
    }

    /// What a new stdio connection remembers between its lines.
    #[must_use]
    pub fn process(&self) -> Arc<Process> {
        Arc::default()
    }

    /// The server is going down: open streams end, new ones are refused.
    pub fn drain(&self) {
        todo!()
    }

    /// The server's name and version, for what is printed at the start.
    #[must_use]
    pub fn identity(&self) -> (&str, &str) {
        todo!()
    }
}
