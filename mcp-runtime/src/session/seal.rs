//! Sealed values: what a client carries for the server and can neither read, change nor use for anything else.
//!
//! Takes: a purpose, what the value is bound to, bytes, how long they count. Gives: text, and the bytes back. Knows: one
//! format, exactly. Must not know: what is sealed.

use std::time::Duration;

use aws_lc_rs::{aead, hmac};
use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD as BASE64};

use super::{SigningKeys, clock, jwt::SKEW_SECONDS, keys::RootKey};

/// The first byte of every seal.
const FORMAT: u8 = 1;
/// The random bytes that tell one seal from all others; from them it gets a key of its own.
const SALT: usize = 16;
/// When it was sealed and until when it counts.
const TIMES: usize = 16;
/// The bytes of the authentication tag of AES-GCM.
const TAG: usize = 16;
/// The longest text that is made or opened: 512 KiB.
///
/// # Source
/// Our choice: the longest, what a call remembers between its questions, has 256 KiB before it is sealed.
const LONGEST: usize = 512 * 1024;

/// Seals and opens: whatever the key ring, the first key seals and all open.
pub(crate) struct Seals {
    keys: SigningKeys,
    server: Box<str>,
    binding: Box<[u8]>,
}

impl Seals {
    /// For this server, with subkeys bound to `binding`: a store's identity, or nothing.
    pub(super) fn new(keys: &SigningKeys, server: &str, binding: &[u8]) -> Self {
        Self { keys: keys.clone(), server: server.into(), binding: binding.into() }
    }

    /// A text that only [`open`](Self::open) with the same purpose and context reads, for this long; `None` for a payload
    /// that is too large.
    ///
    /// # Shape
    /// base64url of the format, 16 random bytes, and what AES-256-GCM makes of two times (seconds since 1970, big-endian:
    /// sealed, expires) and the payload, with 16 bytes of tag.
    pub(crate) fn seal(&self, purpose: &str, context: &[&[u8]], payload: &[u8], ttl: Duration) -> Option<String> {
        let bytes = 1 + SALT + TIMES + payload.len() + TAG;
        if bytes > LONGEST / 4 * 3 {
            return None;
        }
        let salt: [u8; SALT] = super::random();
        let key = self.key(self.keys.ring().first()?, purpose, &salt)?;
        let now = clock::now();
        let mut sealed = Vec::with_capacity(bytes);
        sealed.extend_from_slice(&now.to_be_bytes());
        sealed.extend_from_slice(&now.saturating_add(ttl.as_secs()).to_be_bytes());
        sealed.extend_from_slice(payload);
        key.seal_in_place_append_tag(nonce(), self.bound(purpose, context), &mut sealed).ok()?;
        sealed.splice(0..0, [FORMAT].into_iter().chain(salt));
        Some(BASE64.encode(sealed))
    }

    /// The payload behind a text; one `None` for every text that was not sealed here, for this purpose, in this context,
    /// or that counts no more.
    pub(crate) fn open(&self, purpose: &str, context: &[&[u8]], text: &str) -> Option<Vec<u8>> {
        if text.len() > LONGEST {
            return None;
        }
        // The decoder accepts no padding and no stray trailing bits, so each seal has one spelling.
        let bytes = BASE64.decode(text).ok()?;
        let (salt, sealed) = bytes.strip_prefix(&[FORMAT])?.split_first_chunk::<SALT>()?;
        let mut opened = self.keys.ring().iter().find_map(|root| {
            let mut sealed = sealed.to_vec();
            let key = self.key(root, purpose, salt)?;
            let length = key.open_in_place(nonce(), self.bound(purpose, context), &mut sealed).ok()?.len();
            sealed.truncate(length);
            Some(sealed)
        })?;
        let (begins, rest) = opened.split_first_chunk::<8>()?;
        let (expires, _) = rest.split_first_chunk::<8>()?;
        let (begins, expires) = (u64::from_be_bytes(*begins), u64::from_be_bytes(*expires));
        let now = clock::now();
        if now.saturating_add(SKEW_SECONDS) < begins || expires <= now {
            return None;
        }
        opened.drain(..TIMES);
        Some(opened)
    }

    /// The key of one seal. As no two seals have the same, the nonce, which must never be used twice with one key, is
    /// always zero, and the number of seals is not limited by how many random nonces of twelve bytes are safe.
    ///
    /// # Source
    /// RFC 5869 (HKDF) for the subkey of the purpose, HMAC-SHA256 of the random bytes under it for the key; that there is
    /// one for each seal is our choice.
    fn key(&self, root: &RootKey, purpose: &str, salt: &[u8; SALT]) -> Option<aead::LessSafeKey> {
        let subkey = root.derive(&format!("seal {purpose}"), &self.binding);
        let bytes = hmac::sign(&subkey, salt);
        aead::UnboundKey::new(&aead::AES_256_GCM, bytes.as_ref()).ok().map(aead::LessSafeKey::new)
    }

    /// What a seal is bound to, as bytes that differ wherever one of its parts does: each stands behind its length.
    fn bound(&self, purpose: &str, context: &[&[u8]]) -> aead::Aad<Vec<u8>> {
        let mut bytes = vec![FORMAT];
        for part in [self.server.as_bytes(), purpose.as_bytes()].iter().chain(context) {
            bytes.extend_from_slice(&(part.len() as u64).to_be_bytes());
            bytes.extend_from_slice(part);
        }
        aead::Aad::from(bytes)
    }
}

fn nonce() -> aead::Nonce {
    aead::Nonce::assume_unique_for_key([0; aead::NONCE_LEN])
}

#[cfg(test)]
mod tests;
