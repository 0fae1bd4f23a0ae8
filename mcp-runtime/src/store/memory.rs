//! The store inside the process.

/// Keeps sessions in memory, bounded; they are gone with the process.
#[derive(Debug, Default)]
pub struct MemoryStore {}
