//! Witnesses: what a client saw of a session, so that a store that lost some of it is found out.
//!
//! Takes: revisions of parts. Gives: text that only the session's own client can use, and what it says. Knows: one format,
//! exactly. Must not know: stores, the rest of a cookie.

use aws_lc_rs::{constant_time, digest, hmac};
use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD as BASE64};

use super::{clock, jwt::SKEW_SECONDS, principal::Tag};
use crate::store::{Revision, SessionKey};

/// The bytes of the time until which the session was promised.
const UNTIL: usize = 4;
/// What stands for a part: of its key's digest, enough for no two parts of a server to have the same.
const NAME: usize = 8;
/// The bytes of a part's revision.
const REVISION: usize = 4;
/// The bytes of the keyed tag.
const TAG: usize = 16;
/// A text that is longer is not read: a server has not so many kinds of state.
const LONGEST: usize = 4 * 1024;

/// Writes and reads witnesses, with a key of the store: they outlive processes and changes of the ring, as cookies do.
pub(super) struct Witnesses(pub(super) hmac::Key);

/// Which revision a client saw of each part.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Seen(Vec<([u8; NAME], u32)>);

/// What a witness says.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Witness {
    /// What the client saw.
    pub(super) seen: Seen,
    /// Until when the session lives at least, in seconds since 1970.
    pub(super) until: u64,
}

impl Witness {
    /// Whether the session's time may have passed: the clocks of instances and of the store differ.
    pub(super) fn may_be_over(&self) -> bool {
        self.until <= clock::now().saturating_add(SKEW_SECONDS)
    }
}

impl Seen {
    /// The newest revision that was seen of this part; 0 for none.
    pub(super) fn of(&self, key: &str) -> Revision {
        let name = name(key);
        self.0.iter().find(|(part, _)| *part == name).map_or(0, |(_, revision)| (*revision).into())
    }

    /// This part was seen, too.
    pub(super) fn note(&mut self, key: &str, revision: Revision) {
        let name = name(key);
        // A revision beyond four bytes is a witness of less than was seen, never of more.
        let revision = u32::try_from(revision).unwrap_or(u32::MAX);
        match self.0.iter_mut().find(|(part, _)| *part == name) {
            Some((_, seen)) => *seen = revision.max(*seen),
            None if revision > 0 => self.0.push((name, revision)),
            None => {}
        }
    }
}

fn name(key: &str) -> [u8; NAME] {
    let mut name = [0; NAME];
    name.copy_from_slice(&digest::digest(&digest::SHA256, key.as_bytes()).as_ref()[..NAME]);
    name
}

impl Witnesses {
    /// What goes with the cookie of this session to its owner.
    ///
    /// # Shape
    /// base64url of the time until which the session lives (4 bytes, seconds since 1970), for each part 8 bytes that stand
    /// for it and 4 of its revision, 16 of tag; numbers are big-endian.
    pub(super) fn write(&self, session: SessionKey, by: Option<Tag>, witness: &Witness) -> String {
        let Witness { seen: Seen(parts), until } = witness;
        let mut bytes = Vec::with_capacity(UNTIL + parts.len() * (NAME + REVISION) + TAG);
        bytes.extend_from_slice(&u32::try_from(*until).unwrap_or(u32::MAX).to_be_bytes());
        for (part, revision) in parts {
            bytes.extend_from_slice(part);
            bytes.extend_from_slice(&revision.to_be_bytes());
        }
        let tag = self.tag(session, by, &bytes);
        bytes.extend_from_slice(&tag);
        BASE64.encode(bytes)
    }

    /// What this text says, if it was written for this session and its owner.
    pub(super) fn read(&self, session: SessionKey, by: Option<Tag>, text: &str) -> Option<Witness> {
        if text.len() > LONGEST {
            return None;
        }
        let bytes = BASE64.decode(text).ok()?;
        let (said, tag) = bytes.split_last_chunk::<TAG>()?;
        constant_time::verify_slices_are_equal(&self.tag(session, by, said), tag).ok()?;
        let (until, parts) = said.split_first_chunk::<UNTIL>()?;
        let mut seen = Seen::default();
        for part in parts.chunks_exact(NAME + REVISION) {
            let (name, revision) = part.split_first_chunk::<NAME>()?;
            seen.0.push((*name, u32::from_be_bytes(revision.try_into().ok()?)));
        }
        Some(Witness { seen, until: u32::from_be_bytes(*until).into() })
    }

    fn tag(&self, session: SessionKey, by: Option<Tag>, said: &[u8]) -> Tag {
        let mut context = hmac::Context::with_key(&self.0);
        context.update(&session.0);
        // Nobody in particular and a principal can't be mistaken for each other.
        match by {
            Some(by) => {
                context.update(&[1]);
                context.update(&by);
            }
            None => context.update(&[0]),
        }
        context.update(said);
        let mut tag = Tag::default();
        tag.copy_from_slice(&context.sign().as_ref()[..TAG]);
        tag
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SESSION: SessionKey = SessionKey([6; 17]);

    fn witnesses() -> Witnesses {
        Witnesses(hmac::Key::new(hmac::HMAC_SHA256, b"a key"))
    }

    fn witness() -> Witness {
        let mut seen = Seen::default();
        seen.note("notes", 3);
        seen.note("counter", 7);
        seen.note("untouched", 0);
        Witness { seen, until: 1_800_000_000 }
    }

    #[test]
    fn a_witness_says_what_was_seen() {
        let text = witnesses().write(SESSION, None, &witness());
        let read = witnesses().read(SESSION, None, &text).unwrap();
        assert_eq!(read, witness());
        assert_eq!(["notes", "counter", "untouched", "other"].map(|key| read.seen.of(key)), [3, 7, 0, 0]);
        assert_eq!(text.len(), 59, "it stays short");
    }

    #[test]
    fn what_was_seen_never_gets_older() {
        let Witness { mut seen, .. } = witness();
        for (revision, expected) in [(2, 3), (4, 4), (u64::MAX, u64::from(u32::MAX)), (5, u64::from(u32::MAX))] {
            seen.note("notes", revision);
            assert_eq!(seen.of("notes"), expected);
        }
    }

    #[test]
    fn a_witness_is_of_one_session_one_owner_and_one_store() {
        let (alice, bob) = (Some([1; 16]), Some([2; 16]));
        let text = witnesses().write(SESSION, alice, &witness());
        assert!(witnesses().read(SESSION, alice, &text).is_some());
        assert!(witnesses().read(SESSION, bob, &text).is_none());
        assert!(witnesses().read(SESSION, None, &text).is_none());
        assert!(witnesses().read(SessionKey([7; 17]), alice, &text).is_none());
        let other = Witnesses(hmac::Key::new(hmac::HMAC_SHA256, b"another"));
        assert!(other.read(SESSION, alice, &text).is_none());
    }

    #[test]
    fn no_character_of_a_witness_can_be_another() {
        let text = witnesses().write(SESSION, None, &witness());
        for position in 0..text.len() {
            for other in ["A", "B", "_", "=", "é", ""] {
                let changed = format!("{}{other}{}", &text[..position], &text[position + 1..]);
                let read = witnesses().read(SESSION, None, &changed);
                assert!(changed == text || read.is_none(), "{changed}");
            }
        }
        assert!(witnesses().read(SESSION, None, &"A".repeat(LONGEST + 1)).is_none());
        assert!(witnesses().read(SESSION, None, "").is_none());
    }
}
