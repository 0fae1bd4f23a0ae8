//! What time it is, in whole seconds since 1970.
//!
//! Takes: nothing. Gives: seconds. Knows: the system's clock. Must not know: what is timed.

use std::time::{Duration, SystemTime};

/// The seconds since 1970; 0 on a machine whose clock stands before that.
pub(super) fn now() -> u64 {
    let real = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or(Duration::ZERO).as_secs();
    #[cfg(test)]
    let real = real.saturating_add_signed(shifted());
    real
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
