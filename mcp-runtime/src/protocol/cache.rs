//! How long results may be kept.

use std::time::Duration;

/// How long and by whom a result may be kept.
///
/// # Source
/// 2026-07-28 server/utilities/caching (`ttlMs`, `cacheScope`); older revisions are told nothing. By default nobody keeps
/// anything: our choice, because what a function returns may depend on who calls it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CacheHint {
    /// How long it may be kept; sent in whole milliseconds.
    pub ttl: Duration,
    /// Whether others than who asked may be given it.
    pub public: bool,
}

impl CacheHint {
    /// Nobody keeps anything.
    pub const NONE: Self = Self { ttl: Duration::ZERO, public: false };
}
