//! Writes sessions into a store through its trait, many at once: what sessions weigh there is measured from outside.
//!
//! Usage: `fill --store URL --sessions NUMBER --bytes NUMBER --revision NUMBER [--owned]`; `--revision` is how often each
//! was written before, `--owned` gives ten sessions each to one owner.

use std::{sync::Arc, time::Duration};

use mcp_runtime::store::{
    Blob, Commit, Committed, Operation, Owner, PostgresStore, RedisStore, SessionKey, StateStore, StoreError, Write,
};

/// How long the sessions live: longer than anything that is measured.
const IDLE: Duration = Duration::from_secs(24 * 60 * 60);
/// How many are written at once.
const AT_ONCE: u64 = 32;

/// What is written.
#[derive(Clone, Copy)]
struct Plan {
    sessions: u64,
    bytes: usize,
    revision: u64,
    owned: bool,
}

impl Plan {
    /// Numbers as keys that lie as random ones do.
    fn commit(self, number: u64) -> (SessionKey, Commit) {
        let spread = number.wrapping_mul(0x9e37_79b9_7f4a_7c15).to_be_bytes();
        let mut key = [1; 17];
        key[1..9].copy_from_slice(&spread);
        key[9..].copy_from_slice(&number.wrapping_mul(0xc2b2_ae3d_27d4_eb4f).to_be_bytes());
        let mut operation = [0; 16];
        operation[..8].copy_from_slice(&spread);
        operation[8..].copy_from_slice(&self.revision.to_be_bytes());
        let mut owner = [0; 16];
        if self.owned {
            owner[..8].copy_from_slice(&(number / 10).wrapping_mul(0x9e37_79b9_7f4a_7c15).to_be_bytes());
            owner[8] = 1;
        }
        // Letters that no engine makes much smaller.
        let letters =
            (0..self.bytes as u64).map(|at| b'a' + ((number ^ at).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 60) as u8);
        let write = Write { key: "Served", expected: self.revision, value: Blob::from_bytes(letters.collect()) };
        let commit = Commit { operation: Operation(operation), owner: Owner(owner), idle: IDLE, writes: vec![write] };
        (SessionKey(key), commit)
    }
}

async fn fill(store: Arc<dyn StateStore>, plan: Plan) -> Result<(), StoreError> {
    // The schema is made by the first who asks.
    store.identity().await?;
    let writers = (0..AT_ONCE).map(|first| {
        let store = Arc::clone(&store);
        tokio::spawn(async move {
            for number in (first..plan.sessions).step_by(AT_ONCE as usize) {
                let (session, commit) = plan.commit(number);
                let committed = store.commit(session, commit).await?;
                assert_eq!(committed, Committed::Saved, "session {number} at revision {}", plan.revision);
            }
            Ok(())
        })
    });
    for writer in writers.collect::<Vec<_>>() {
        writer.await.map_err(|error| StoreError::Unavailable(error.into()))??;
    }
    Ok(())
}

fn main() -> mcp_runtime::Result {
    let words: Vec<_> = std::env::args().skip(1).collect();
    let after = |name: &str| words.iter().skip_while(|word| *word != name).nth(1);
    let number = |name: &str| after(name).and_then(|number| number.parse::<u64>().ok());
    let (Some(url), Some(sessions), Some(bytes), Some(revision)) =
        (after("--store"), number("--sessions"), number("--bytes"), number("--revision"))
    else {
        eprintln!("usage: fill --store URL --sessions NUMBER --bytes NUMBER --revision NUMBER [--owned]");
        std::process::exit(2)
    };
    let owned = words.iter().any(|word| word == "--owned");
    let plan = Plan { sessions, bytes: usize::try_from(bytes)?, revision, owned };
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    runtime.block_on(async {
        let store: Arc<dyn StateStore> = if url.starts_with("redis:") {
            Arc::new(RedisStore::open(url)?)
        } else {
            Arc::new(PostgresStore::open(url)?)
        };
        Ok(fill(store, plan).await?)
    })
}
