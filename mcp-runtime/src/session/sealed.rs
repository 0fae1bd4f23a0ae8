//! Sealed cookies: sessions of which the server keeps nothing, because their client carries all of it.
//!
//! Takes: what a session says of itself and the parts of its state. Gives: text, and both back. Knows: one format, how much
//! may travel. Must not know: stores, tools, where in a message a cookie stands.

use std::{collections::BTreeMap, time::Duration};

use super::{PartCard, principal::Tag, seal::Seals};
use crate::store::{Blob, Loaded, Presence, SessionKey, Write};

/// What the seals are for.
const PURPOSE: &str = "cookie";
/// How much state travels, in bytes: the parts and their names, before they are sealed.
///
/// # Source
/// Our choice: it comes and goes with every call, so that it must be small beside what calls say.
pub(super) const LARGEST: usize = 16 * 1024;

/// The state of a session, as its client carries it: the bytes of each part.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Carried(BTreeMap<Box<str>, Vec<u8>>);

impl Carried {
    /// These parts, as a store would give them.
    pub(super) fn loaded(&self, parts: &[PartCard]) -> Loaded {
        // Nobody else writes them: there is one revision.
        let part = |card: &PartCard| self.0.get(card.part.key).map(|bytes| (Blob::from_bytes(bytes.clone()), 1));
        Loaded { presence: Presence::Live, parts: parts.iter().map(part).collect() }
    }

    /// The same after these writes; how many bytes that would be where it is too much.
    pub(super) fn with(mut self, writes: Vec<Write>) -> Result<Self, usize> {
        for Write { key, value, .. } in writes {
            self.0.insert(key.into(), value.bytes());
        }
        let bytes = self.0.iter().map(|(key, bytes)| key.len() + bytes.len()).sum();
        if bytes > LARGEST { Err(bytes) } else { Ok(self) }
    }
}

/// The text that carries a session, for its owner alone and for this long.
///
/// # Shape
/// A seal of fields, each behind its length (4 bytes, big-endian): what the session says of itself, as JSON, then name and
/// bytes of each part.
pub(super) fn seal(
    seals: &Seals,
    (session, by): (SessionKey, Option<Tag>),
    data: &BTreeMap<String, String>,
    Carried(parts): &Carried,
    ttl: Duration,
) -> Option<String> {
    let mut payload = Vec::with_capacity(1024);
    write(&mut payload, &serde_json::to_vec(data).ok()?)?;
    for (key, bytes) in parts {
        write(&mut payload, key.as_bytes())?;
        write(&mut payload, bytes)?;
    }
    seals.seal(PURPOSE, &[&session.0, &by.unwrap_or_default()], &payload, ttl)
}

/// What this text carries; `None` for every text that was not sealed for this session and its owner, or that counts no more.
pub(super) fn open(
    seals: &Seals,
    (session, by): (SessionKey, Option<Tag>),
    text: &str,
) -> Option<(BTreeMap<String, String>, Carried)> {
    let payload = seals.open(PURPOSE, &[&session.0, &by.unwrap_or_default()], text)?;
    let mut rest = payload.as_slice();
    let data = serde_json::from_slice(read(&mut rest)?).ok()?;
    let mut parts = BTreeMap::new();
    while !rest.is_empty() {
        let key = std::str::from_utf8(read(&mut rest)?).ok()?;
        parts.insert(key.into(), read(&mut rest)?.to_vec());
    }
    Some((data, Carried(parts)))
}

fn write(out: &mut Vec<u8>, field: &[u8]) -> Option<()> {
    out.extend_from_slice(&u32::try_from(field.len()).ok()?.to_be_bytes());
    out.extend_from_slice(field);
    Some(())
}

fn read<'a>(rest: &mut &'a [u8]) -> Option<&'a [u8]> {
    let (length, fields) = rest.split_first_chunk::<4>()?;
    let (field, fields) = fields.split_at_checked(usize::try_from(u32::from_be_bytes(*length)).ok()?)?;
    *rest = fields;
    Some(field)
}

#[cfg(test)]
mod tests;
