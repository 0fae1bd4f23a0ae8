//! Stores that are engines of their own: the suites against the real ones, and what happens when one goes down.

mod crashes;
mod engine;
mod fleet;
mod postgres;
mod postgres_fleet;
mod postgres_streams;
mod redis;
mod redis_streams;
mod revocations;
mod rollback;
mod rotation;
