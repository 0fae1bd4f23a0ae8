//! Stores that are engines of their own: the suites against the real ones, and what happens when one goes down.

mod crashes;
mod elsewhere;
mod engine;
mod fleet;
mod folder;
mod health;
mod outage;
mod own;
mod postgres;
mod redis;
mod revocations;
mod rollback;
mod rotation;
mod sharded;
mod state;
mod streams;

/// A number from the environment.
fn setting(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().and_then(|value| value.parse().ok()).unwrap_or(default)
}
