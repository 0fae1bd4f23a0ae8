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
    // Nothing at first: a limit counts from the first look, never from before.
    last: Option<History>,
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
        entries.lines.insert(number, Entry { line, last: None, unchanged: 0 });
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
            if entry.last != Some(now) {
                entry.last = Some(now);
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

#[cfg(test)]
mod tests {
    use std::{pin::Pin, task::Context};

    use tokio::{
        io::AsyncWrite,
        net::{TcpListener, TcpStream},
    };

    use super::*;
    use crate::transport::http::line::Wire;

    const LIMITS: Limits =
        Limits { head: TICK.saturating_mul(2), idle: TICK.saturating_mul(4), stall: TICK.saturating_mul(3) };

    struct Watched {
        house: Arc<Housekeeping>,
        line: Arc<Line>,
        _place: Place,
        _peer: TcpStream,
    }

    async fn watched() -> Watched {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let peer = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let line = Arc::new(Line::new(listener.accept().await.unwrap().0));
        let house = Housekeeping::new(LIMITS);
        let place = house.admit(line.clone());
        Watched { house, line, _place: place, _peer: peer }
    }

    impl Watched {
        /// What is asked of the connection after this many looks.
        fn after(&self, looks: usize) -> Order {
            for _ in 0..looks {
                self.house.look();
            }
            self.line.poll_order(&mut Context::from_waker(std::task::Waker::noop()))
        }
    }

    #[tokio::test]
    async fn a_head_that_does_not_end_is_cut_off() {
        let watched = watched().await;
        assert_eq!(watched.after(2), Order::None);
        assert_eq!(watched.after(1), Order::Abort);
    }

    #[tokio::test]
    async fn an_idle_connection_is_closed_later_and_gently() {
        let watched = watched().await;
        watched.line.enter(Phase::Idle);
        assert_eq!(watched.after(4), Order::None);
        assert_eq!(watched.after(1), Order::Finish);
    }

    #[tokio::test]
    async fn each_new_phase_starts_the_time_anew_even_if_it_is_the_same_one() {
        let watched = watched().await;
        for _ in 0..10 {
            watched.line.enter(Phase::Idle);
            watched.line.enter(Phase::Head);
            assert_eq!(watched.after(2), Order::None);
        }
    }

    #[tokio::test]
    async fn a_running_call_has_no_limit_here() {
        let watched = watched().await;
        for phase in [Phase::Busy, Phase::Answering] {
            watched.line.enter(phase);
            assert_eq!(watched.after(100), Order::None);
        }
    }

    #[tokio::test]
    async fn a_peer_that_takes_nothing_is_cut_off() {
        let watched = watched().await;
        watched.line.enter(Phase::Answering);
        let mut wire = Wire(watched.line.clone());
        let mut cx = Context::from_waker(std::task::Waker::noop());
        while Pin::new(&mut wire).poll_write(&mut cx, &[0; 1 << 16]).is_ready() {}
        assert_eq!(watched.after(3), Order::None);
        assert_eq!(watched.after(1), Order::Abort);
    }

    #[tokio::test]
    async fn a_connection_that_ended_is_forgotten() {
        let Watched { house, _place: place, .. } = watched().await;
        assert_eq!(house.entries().lines.len(), 1);
        drop(place);
        assert_eq!(house.entries().lines.len(), 0);
    }
}
