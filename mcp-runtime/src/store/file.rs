//! The embedded store that survives a restart.

/// Keeps sessions in one file.
#[derive(Debug)]
pub struct FileStore {}
