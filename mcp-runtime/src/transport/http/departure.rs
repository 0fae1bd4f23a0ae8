//! Whether the peer of a waiting call is still there.
//!
//! Takes: a connection. Gives: the moment when its peer is gone. Knows: how TCP says so. Must not know: what is then done.
//!
//! A peer that closed its socket and one that only finished sending look the same: both send FIN, nothing else. The first
//! must cancel its call (2026-07-28), the second still waits for its answer. They differ in what happens to bytes sent
//! to them: the kernel of the first answers with a reset. So, after a FIN, something harmless is sent: before the head of
//! the response the interim response `100 Continue`, of which RFC 9110 §15.2 lets a client read any number; inside an
//! event stream a comment. Only clients that stop sending before their answer came ever see it.
//!
//! HTTP/1.0 has no interim responses, and its clients do not finish sending before they have read: there a FIN is the
//! end, once a quick answer had its time. The usual peer of this kind is a proxy that asks in
//! HTTP/1.0 whatever its own client speaks, and that closes its connection when this client goes. An event stream is
//! probed as ever.

use std::{future::Future, pin::Pin, sync::Arc, time::Duration};

use tokio::time::{sleep, timeout};

use super::line::Line;

/// Ends when the peer is gone.
pub(super) type Departure = Pin<Box<dyn Future<Output = ()> + Send>>;

// How long an answer may still take before a peer that stopped sending is probed.
const GRACE: Duration = Duration::from_millis(50);
// How often a peer that only stopped sending is probed again.
const AGAIN: Duration = Duration::from_secs(15);

/// Ends when the peer of a call is gone that waits for the head of its response. `interim` says that it can be sent
/// interim responses.
pub(super) fn before_head(line: Arc<Line>, interim: bool) -> Departure {
    Box::pin(async move {
        line.peer_finished().await;
        sleep(GRACE).await;
        while interim && line.probe(b"HTTP/1.1 100 Continue\r\n\r\n") {
            if timeout(AGAIN, line.peer_gone()).await.is_ok() {
                return;
            }
        }
    })
}

/// Ends when the peer stopped sending: probe it by the stream's own means, then ask [`gone`].
pub(super) fn finished(line: Arc<Line>) -> Departure {
    Box::pin(async move { line.peer_finished().await })
}

/// Ends when the peer is gone.
pub(super) fn gone(line: Arc<Line>) -> Departure {
    Box::pin(async move { line.peer_gone().await })
}
