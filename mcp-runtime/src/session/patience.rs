//! How long a store is waited for.
//!
//! Takes: a store's future. Gives: its answer, or an error when it takes too long. Knows: the limit. Must not know: what
//! was asked.

use std::{
    future::{Future, poll_fn},
    pin::Pin,
    task::Poll,
    time::Duration,
};

use crate::store::{StoreError, StoreFuture};

/// A store that has not answered by then counts as down.
///
/// # Source
/// Our choice, because a client that gets a 503 after two seconds can still try again before its own timeout.
pub(crate) const PATIENCE: Duration = Duration::from_secs(2);

/// The store's answer, if it comes in time. A store that answers at once costs no timer.
pub(crate) fn answer<T>(
    mut asked: StoreFuture<'_, T>,
    patience: Duration,
) -> impl Future<Output = Result<T, StoreError>> {
    let mut timer: Option<Pin<Box<tokio::time::Sleep>>> = None;
    poll_fn(move |cx| {
        if let Poll::Ready(answer) = Pin::new(&mut asked).poll(cx) {
            return Poll::Ready(answer);
        }
        let timer = timer.get_or_insert_with(|| Box::pin(tokio::time::sleep(patience)));
        timer.as_mut().poll(cx).map(|()| Err(StoreError::Unavailable("the store did not answer in time".into())))
    })
}
