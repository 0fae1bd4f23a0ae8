//! The key ring in a store that several instances share: the same id must name the same key everywhere.
//!
//! Takes: the fingerprints of a ring. Gives: the id of a key that another instance has otherwise. Knows: one record in the
//! store for each id. Must not know: keys.

use std::time::Duration;

use aws_lc_rs::hmac;

use super::session_key;
use crate::{
    session::{
        SigningKeys,
        patience::{PATIENCE, answer},
        principal, random,
    },
    store::{Blob, Commit, Operation, Owner, StateStore, StoreError, Write},
};

/// The first byte of the key of a record that tells a key of the ring.
const KIND: u8 = 8;
/// The one part of such a record: the fingerprint.
const PART: &str = "fingerprint";
/// How long an id stands for its key after the last start of an instance that has it.
const KEPT: Duration = Duration::from_secs(60 * 24 * 60 * 60);

/// The id of a key that is another one on another instance. Ids that nobody used yet are taken.
pub(super) async fn differing(
    store: &dyn StateStore,
    names: &hmac::Key,
    keys: &SigningKeys,
) -> Result<Option<String>, StoreError> {
    for (kid, fingerprint) in keys.fingerprints() {
        let key = session_key(KIND, principal::named(names, &[kid]));
        // Of two that come at once, one is first, and the other one reads what it wrote.
        loop {
            let loaded = answer(store.load(key, &[PART], KEPT), PATIENCE).await?;
            match loaded.parts.into_iter().next().flatten() {
                Some((there, _)) if there.bytes() == fingerprint => break,
                Some(_) => return Ok(Some(kid.to_owned())),
                None => {}
            }
            let write = Write { key: PART, expected: 0, value: Blob::from_bytes(fingerprint.to_vec()) };
            let commit =
                Commit { operation: Operation(random()), owner: Owner::default(), idle: KEPT, writes: vec![write] };
            answer(store.commit(key, commit), PATIENCE).await?;
        }
    }
    Ok(None)
}
