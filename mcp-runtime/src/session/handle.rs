//! Handles: names of sessions that a model copies from one call to the next.
//!
//! Takes: random bytes, a time, a principal. Gives: 38 characters, and the bytes back. Knows: one format, exactly. Must
//! not know: stores, lifetimes, arguments.

use aws_lc_rs::{constant_time, hmac};
use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD as BASE64};

use super::{
    SigningKeys,
    principal::{self, Tag},
};
use crate::auth::Principal;

/// How many characters a handle has: models must copy it, so it is short.
const LENGTH: usize = 38;
/// 16 random bytes and 4 of mint time.
const NAMED: usize = 20;
/// The bytes of the keyed tag. Eight are enough, because guessing one means asking this server, and because the random
/// bytes can't be guessed at all.
const TAG: usize = 8;

/// Mints and reads handles.
pub(super) struct Handles {
    keys: Vec<HandleKey>,
}

struct HandleKey {
    mac: hmac::Key,
    tag: hmac::Key,
}

/// What a handle says.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Named {
    pub(super) sid: [u8; 16],
    pub(super) minted: u64,
}

impl Handles {
    /// With subkeys bound to `binding`: a store's identity, or nothing.
    pub(super) fn new(keys: &SigningKeys, binding: &[u8]) -> Self {
        let keys = keys
            .ring()
            .iter()
            .map(|key| HandleKey { mac: key.derive("handle", binding), tag: key.derive("principal-tag", binding) });
        Self { keys: keys.collect() }
    }

    /// A handle of these bytes for this principal.
    ///
    /// # Shape
    /// base64url of 16 bytes of session, 4 of mint time (seconds since 1970, big-endian, good until 2106), 8 of tag.
    pub(super) fn mint(&self, sid: [u8; 16], principal: Option<&Principal>, now: u64) -> String {
        let mut bytes = [0; NAMED + TAG];
        bytes[..16].copy_from_slice(&sid);
        bytes[16..NAMED].copy_from_slice(&u32::try_from(now).unwrap_or(u32::MAX).to_be_bytes());
        if let Some(key) = self.keys.first() {
            let tag = key.tag(&bytes[..NAMED], principal);
            bytes[NAMED..].copy_from_slice(&tag);
        }
        BASE64.encode(bytes)
    }

    /// What this handle says, if one of our keys tagged it for this principal.
    pub(super) fn read(&self, handle: &str, principal: Option<&Principal>) -> Option<Named> {
        if handle.len() != LENGTH {
            return None;
        }
        let bytes: [u8; NAMED + TAG] = BASE64.decode(handle).ok()?.try_into().ok()?;
        let (named, tag) = bytes.split_at(NAMED);
        let right = |key: &HandleKey| constant_time::verify_slices_are_equal(&key.tag(named, principal), tag).is_ok();
        self.keys.iter().any(right).then(|| {
            let (mut sid, mut minted) = ([0; 16], [0; 4]);
            sid.copy_from_slice(&named[..16]);
            minted.copy_from_slice(&named[16..]);
            Named { sid, minted: u32::from_be_bytes(minted).into() }
        })
    }
}

impl HandleKey {
    fn tag(&self, named: &[u8], principal: Option<&Principal>) -> [u8; TAG] {
        let mut context = hmac::Context::with_key(&self.mac);
        context.update(named);
        // Nobody in particular adds nothing, a principal adds 16 bytes: the two can't be mistaken for each other.
        if let Some(principal) = principal {
            let tag: Tag = principal::tag(&self.tag, principal);
            context.update(&tag);
        }
        let mut short = [0; TAG];
        short.copy_from_slice(&context.sign().as_ref()[..TAG]);
        short
    }
}

#[cfg(test)]
mod tests;
