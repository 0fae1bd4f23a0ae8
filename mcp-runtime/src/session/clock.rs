//! What time it is, in whole seconds since 1970.
//!
//! Takes: nothing. Gives: seconds. Knows: the system's clock. Must not know: what is timed.
//!
//! Where the crate is built for tests, a pause of tokio's clock pauses this one too, and whoever moves the one moves both:
//! they are read together, so that there is nothing to set, and nothing that two tests in one process could share.

use std::time::{Duration, SystemTime};

/// The seconds since 1970; 0 on a machine whose clock stands before that.
pub(super) fn now() -> u64 {
    let real = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or(Duration::ZERO);
    #[cfg(any(test, feature = "testing"))]
    let real = as_tokio_has_it(real);
    let real = real.as_secs();
    #[cfg(test)]
    let real = real.saturating_add_signed(shifted());
    real
}

/// The time that it would be if as much of it had passed as the clock of this runtime says.
#[cfg(any(test, feature = "testing"))]
fn as_tokio_has_it(real: Duration) -> Duration {
    let (told, truth) = (tokio::time::Instant::now().into_std(), std::time::Instant::now());
    match told.checked_duration_since(truth) {
        Some(ahead) => real.saturating_add(ahead),
        None => real.saturating_sub(truth.saturating_duration_since(told)),
    }
}

#[cfg(test)]
thread_local! {
    static SHIFT: std::cell::Cell<i64> = const { std::cell::Cell::new(0) };
}

#[cfg(test)]
fn shifted() -> i64 {
    SHIFT.get()
}

/// Moves this thread's clock alone, as if this machine's clock had jumped.
#[cfg(test)]
pub(super) fn jump(seconds: i64) {
    SHIFT.set(SHIFT.get() + seconds);
}
