//! Hashing of session keys.
//!
//! Takes: a key. Gives: eight of its bytes. Knows: that nobody chooses keys. Must not know: records.

use std::hash::{BuildHasher, Hasher};

/// Takes the eight bytes before a key's last, which chose its shard, for its hash: keys are random or keyed digests, so that no peer can choose keys
/// that collide, and hashing them once more would make nothing safer.
#[derive(Clone, Copy, Default)]
pub(super) struct ByItsEnd;

/// The hash of one key.
#[derive(Default)]
pub(super) struct End(u64);

impl BuildHasher for ByItsEnd {
    type Hasher = End;

    fn build_hasher(&self) -> End {
        End::default()
    }
}

impl Hasher for End {
    fn write(&mut self, bytes: &[u8]) {
        if let Some([end @ .., _]) = bytes.last_chunk::<9>() {
            self.0 = u64::from_ne_bytes(*end);
        }
    }

    // The length of the key, which is the same for all.
    fn write_usize(&mut self, _: usize) {}

    fn finish(&self) -> u64 {
        self.0
    }
}
