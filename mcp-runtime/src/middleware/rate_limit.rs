//! So many operations in so much time, for each caller.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use serde_json::json;
use tokio::time::Instant;

use super::{Answer, Middleware, Next};
use crate::{
    call::{Context, Fault},
    service::BoxFuture,
    wire::Code,
};

/// So many callers are remembered; beyond, new ones share what is left for those who are nobody in particular.
const MOST_CALLERS: usize = 10_000;
/// No bucket takes longer to be full: no sum of times overflows.
const LONGEST: Duration = Duration::from_secs(365 * 24 * 60 * 60);
/// The code of the error.
const TOO_MANY: Code = Code(429);

/// Lets each caller have so many operations in so much time, and refuses more: a token bucket, which is full at first.
///
/// A caller is the principal, through whatever client; without authorization the session; without either, everybody
/// together. A client without authorization can open more sessions, so a limit on the open internet needs
/// [`Server::authorize`](crate::Server::authorize) or a proxy.
///
/// A refused tool is a result with `isError`, because it is the model that decides whether to go on, and it reads when that
/// makes sense. Everything else is refused with the error 429 and `data.retryAfterMs`.
///
/// # Source
/// 2026-07-28 server/tools §Security Considerations: "Servers MUST rate limit tool invocations". The code is our choice:
/// outside the range that JSON-RPC reserves, and known from HTTP.
#[derive(Debug)]
pub struct RateLimit {
    calls: f64,
    per_second: f64,
    callers: Mutex<Callers>,
}

/// The callers of whom something is known: all that could not take as many as there are at once.
#[derive(Debug, Default)]
struct Callers {
    buckets: HashMap<Caller, Bucket>,
    /// By when their buckets are full again, and by turn: the first is the first to be as good as unknown.
    full: BTreeMap<(Instant, u64), Caller>,
    next_turn: u64,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Caller {
    Principal(Arc<str>, Arc<str>),
    Session(Arc<str>),
    Anybody,
}

#[derive(Clone, Copy, Debug)]
struct Bucket {
    tokens: f64,
    at: Instant,
    /// Its place among the others.
    full: (Instant, u64),
}

impl RateLimit {
    /// So many operations in a second, as many at once.
    #[must_use]
    pub fn per_second(calls: u32) -> Self {
        Self::per(Duration::from_secs(1), calls)
    }

    /// So many operations in a minute, as many at once.
    #[must_use]
    pub fn per_minute(calls: u32) -> Self {
        Self::per(Duration::from_secs(60), calls)
    }

    /// So many operations in this time, as many at once; at least one, in at least a millisecond.
    #[must_use]
    pub fn per(time: Duration, calls: u32) -> Self {
        let calls = f64::from(calls.max(1));
        Self { calls, per_second: calls / time.as_secs_f64().max(0.001), callers: Mutex::default() }
    }

    /// Takes a token; `Err` is how long to wait for the next one.
    fn take(&self, caller: Caller, now: Instant) -> Result<(), Duration> {
        let mut callers = self.callers.lock().unwrap_or_else(PoisonError::into_inner);
        let mut caller = caller;
        if callers.buckets.len() >= MOST_CALLERS && !callers.buckets.contains_key(&caller) && !callers.forget_one(now) {
            caller = Caller::Anybody;
        }
        let tokens = callers.buckets.get(&caller).map_or(self.calls, |bucket| self.refilled(*bucket, now));
        let (left, taken) =
            if tokens >= 1.0 { (tokens - 1.0, Ok(())) } else { (tokens, Err(self.time_for(1.0 - tokens))) };
        callers.put(caller, left, now, self.time_for(self.calls - left));
        taken
    }

    /// How long so many tokens take.
    fn time_for(&self, tokens: f64) -> Duration {
        Duration::try_from_secs_f64(tokens / self.per_second).unwrap_or(LONGEST).min(LONGEST)
    }

    fn refilled(&self, bucket: Bucket, now: Instant) -> f64 {
        let since = now.saturating_duration_since(bucket.at).as_secs_f64();
        self.per_second.mul_add(since, bucket.tokens).min(self.calls)
    }
}

impl Callers {
    /// Forgets one whose bucket is full; `false` where there is none.
    fn forget_one(&mut self, now: Instant) -> bool {
        let Some(first) = self.full.first_entry().filter(|first| first.key().0 <= now) else { return false };
        self.buckets.remove(&first.remove());
        true
    }

    /// A caller has so many tokens left, and all of them again after this time.
    fn put(&mut self, caller: Caller, tokens: f64, at: Instant, until_full: Duration) {
        self.next_turn += 1;
        let full = (at + until_full, self.next_turn);
        self.full.insert(full, caller.clone());
        if let Some(before) = self.buckets.insert(caller, Bucket { tokens, at, full }) {
            self.full.remove(&before.full);
        }
    }
}

impl Caller {
    fn of(cx: &Context) -> Self {
        match (cx.principal(), cx.session_id()) {
            (Some(principal), _) => Self::Principal(principal.issuer.clone(), principal.subject.clone()),
            (None, Some(session)) => Self::Session(session.into()),
            (None, None) => Self::Anybody,
        }
    }
}

impl Middleware for RateLimit {
    fn handle<'a>(&'a self, next: Next<'a>) -> BoxFuture<'a, Result<Answer, Fault>> {
        match self.take(Caller::of(next.context()), Instant::now()) {
            Ok(()) => next.run(),
            Err(wait) => {
                let of_tool = next.method() == "tools/call";
                Box::pin(async move {
                    let milliseconds = u64::try_from(wait.as_millis()).unwrap_or(u64::MAX).max(1);
                    if of_tool {
                        let seconds = milliseconds.div_ceil(1_000);
                        let text = format!("Too many calls: nothing was done. Try again in {seconds} s");
                        return Ok(Answer::tool_error(text));
                    }
                    let fault = Fault::new(TOO_MANY, "Too many requests");
                    Err(fault.with_data(json!({ "retryAfterMs": milliseconds })))
                })
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn session(name: &str) -> Caller {
        Caller::Session(name.into())
    }

    #[test]
    fn a_bucket_is_full_at_first_and_fills_again() {
        let limit = RateLimit::per(Duration::from_secs(10), 2);
        let now = Instant::now();
        assert!(limit.take(session("a"), now).is_ok() && limit.take(session("a"), now).is_ok());
        assert_eq!(limit.take(session("a"), now), Err(Duration::from_secs(5)));
        assert!(limit.take(session("b"), now).is_ok(), "another caller has a bucket of its own");
        assert!(limit.take(session("a"), now + Duration::from_millis(5_100)).is_ok());
        let later = now + Duration::from_secs(3_600);
        assert!((0..2).all(|_| limit.take(session("a"), later).is_ok()) && limit.take(session("a"), later).is_err());
    }

    #[test]
    fn callers_are_remembered_in_bounded_memory() {
        let limit = RateLimit::per_minute(1);
        let now = Instant::now();
        for number in 0..MOST_CALLERS {
            assert!(limit.take(session(&number.to_string()), now).is_ok());
        }
        // Nobody is idle, so the next ones share one bucket.
        assert!(limit.take(session("x"), now).is_ok() && limit.take(session("y"), now).is_err());
        let remembered = || {
            let callers = limit.callers.lock().unwrap();
            assert_eq!(callers.buckets.len(), callers.full.len());
            callers.buckets.len()
        };
        assert!(remembered() <= MOST_CALLERS + 1);
        // When some are idle, there is room again: one leaves for each who comes.
        let later = now + Duration::from_secs(61);
        for name in ["z", "y", "x"] {
            assert!(limit.take(session(name), later).is_ok() && limit.take(session(name), later).is_err());
        }
        assert!(remembered() <= MOST_CALLERS + 1);
    }

    #[test]
    fn whoever_is_new_where_all_are_busy_costs_no_look_at_the_others() {
        let limit = RateLimit::per_minute(2);
        let now = Instant::now();
        for number in 0..MOST_CALLERS {
            assert!(limit.take(session(&number.to_string()), now).is_ok());
        }
        let begun = std::time::Instant::now();
        for number in 0..20_000 {
            let _ = limit.take(session(&format!("new-{number}")), now);
        }
        // One look at ten thousand takes a hundred microseconds and more.
        let took = begun.elapsed();
        assert!(took < Duration::from_secs(1), "{took:?}");
        // One who took a single call has its bucket full again before the others.
        let soon = now + Duration::from_secs(31);
        assert!(limit.take(session("a"), soon).is_ok() && limit.take(session("a"), soon).is_ok());
        assert!(limit.take(session("a"), soon).is_err() && limit.take(session("b"), soon).is_ok());
    }

    #[test]
    fn the_longest_time_is_no_overflow() {
        let limit = RateLimit::per(Duration::MAX, 1);
        let now = Instant::now();
        assert!(limit.take(session("a"), now).is_ok());
        assert_eq!(limit.take(session("a"), now), Err(LONGEST));
    }
}
