//! The time limits of all connections.
//!
//! Takes: connections. Gives: orders to those whose time is up. Knows: the limits. Must not know: HTTP.
//!
//! One task looks at every connection at each tick and counts the ticks in which nothing moved. So no request sets a
//! timer or reads a clock, and a limit is kept to within a tick.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use super::line::{History, Line, Order, Phase};

// Limits are kept to within this much.
const TICK: Duration = Duration::from_millis(2500);

/// How long a peer may take. Our choice: the usual limits of front proxies.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    /// For the head of a request, from its first byte; of the first request, from the connection on.
    pub(super) head: Duration,
    /// Between two requests.
    pub(super) idle: Duration,
    /// For taking any of what is sent to it.
    pub(super) stall: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self { head: Duration::from_secs(10), idle: Duration::from_secs(75), stall: Duration::from_secs(30) }
    }
}

/// All connections.
pub(super) struct Housekeeping {
    limits: Limits,
    entries: Mutex<Entries>,
}

#[derive(Default)]
struct Entries {
    next: u64,
    lines: HashMap<u64, Entry>,
}

struct Entry {
    line: Arc<Line>,
    last: History,
    unchanged: u32,
}

/// A connection's place in the books, given back by dropping it.
pub(super) struct Place {
    house: Arc<Housekeeping>,
    number: u64,
}

impl Drop for Place {
    fn drop(&mut self) {
        self.house.entries().lines.remove(&self.number);
    }
}

impl Housekeeping {
    pub(super) fn new(limits: Limits) -> Arc<Self> {
        Arc::new(Self { limits, entries: Mutex::default() })
    }

    fn entries(&self) -> MutexGuard<'_, Entries> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Watches a connection.
    pub(super) fn admit(self: &Arc<Self>, line: Arc<Line>) -> Place {
        let mut entries = self.entries();
        let number = entries.next;
        entries.next += 1;
        let last = line.history();
        entries.lines.insert(number, Entry { line, last, unchanged: 0 });
        Place { house: self.clone(), number }
    }

    /// Gives every connection the same order.
    pub(super) fn order(&self, order: Order) {
        for entry in self.entries().lines.values() {
            entry.line.order(order);
        }
    }

    /// Keeps the limits for ever.
    pub(super) async fn run(self: Arc<Self>) {
        let mut ticks = tokio::time::interval(TICK);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            self.look();
        }
    }

    fn look(&self) {
        for entry in self.entries().lines.values_mut() {
            let now = entry.line.history();
            if now != entry.last {
                entry.last = now;
                entry.unchanged = 0;
                continue;
            }
            entry.unchanged = entry.unchanged.saturating_add(1);
            let unchanged = TICK * entry.unchanged;
            if now.blocked() && unchanged >= self.limits.stall
                || now.phase() == Phase::Head && unchanged >= self.limits.head
            {
                entry.line.order(Order::Abort);
            } else if now.phase() == Phase::Idle && unchanged >= self.limits.idle {
                entry.line.order(Order::Finish);
            }
        }
    }
}
