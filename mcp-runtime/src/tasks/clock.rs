//! What time it is, in milliseconds, and how clients read it.

use std::time::{Duration, SystemTime};

/// The milliseconds since 1970; 0 on a machine whose clock stands before that.
pub(super) fn now() -> u64 {
    milliseconds(SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or(Duration::ZERO))
}

pub(super) fn milliseconds(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

/// A time as ISO 8601, for example `2026-07-28T12:00:00.000Z`.
pub(crate) fn iso(milliseconds: u64) -> String {
    // Years of more than four digits are no concern of ours; a clock that says so gives the last moment before them.
    let time = SystemTime::UNIX_EPOCH + Duration::from_millis(milliseconds.min(253_402_300_799_999));
    humantime::format_rfc3339_millis(time).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_written_as_clients_read_it() {
        assert_eq!(iso(0), "1970-01-01T00:00:00.000Z");
        assert_eq!(iso(1_785_240_000_123), "2026-07-28T12:00:00.123Z");
        assert_eq!(iso(u64::MAX), "9999-12-31T23:59:59.999Z");
    }
}
