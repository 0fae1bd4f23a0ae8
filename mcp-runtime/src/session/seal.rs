//! Sealed values: what a client carries for the server and can neither read, change nor pass on to somebody else.
//!
//! Takes: bytes, a purpose, a principal. Gives: text, and the bytes back. Knows: one format, exactly. Must not know: what
//! is sealed.

use std::time::Duration;

use aws_lc_rs::{
    aead::{AES_256_GCM, Aad, Nonce, RandomizedNonceKey},
    hmac,
};
use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD as BASE64};

use super::{SigningKeys, clock, jwt::SKEW_SECONDS, keys::RootKey, principal};
use crate::auth::Principal;

/// The bytes of the nonce, which stand in front.
const NONCE: usize = 12;
/// The longest text that is opened: 512 KiB.
const LONGEST: usize = 512 * 1024;

/// Seals and opens: whatever the key ring, the first key seals and all open.
pub(crate) struct Seals {
    keys: Vec<RandomizedNonceKey>,
}

impl Seals {
    /// With subkeys bound to `binding`: a store's identity, or nothing.
    pub(super) fn new(keys: &SigningKeys, binding: &[u8]) -> Self {
        let key = |root: &RootKey| {
            // What encrypts wants bytes: 32, by the subkey of this purpose.
            let bytes = hmac::sign(&root.derive("seal", binding), b"AES-256-GCM");
            RandomizedNonceKey::new(&AES_256_GCM, bytes.as_ref()).ok()
        };
        Self { keys: keys.ring().iter().filter_map(key).collect() }
    }

    /// A text that only [`open`](Self::open) for the same purpose and principal reads; `None` where nothing can be sealed,
    /// for want of randomness.
    ///
    /// # Shape
    /// base64url of 12 bytes of nonce, the encrypted bytes, 16 of tag (AES-256-GCM).
    pub(crate) fn seal(&self, purpose: &str, principal: Option<&Principal>, bytes: &[u8]) -> Option<String> {
        let mut sealed = bytes.to_vec();
        let around = Aad::from(principal::around(purpose, principal));
        let nonce = self.keys.first()?.seal_in_place_append_tag(around, &mut sealed).ok()?;
        let mut text = nonce.as_ref().to_vec();
        text.append(&mut sealed);
        Some(BASE64.encode(text))
    }

    /// The bytes behind a text; `None` for every text that was not sealed here, for this purpose, for this principal.
    pub(crate) fn open(&self, purpose: &str, principal: Option<&Principal>, text: &str) -> Option<Vec<u8>> {
        let bytes = Some(text).filter(|text| text.len() <= LONGEST).and_then(|text| BASE64.decode(text).ok())?;
        let (nonce, sealed) = bytes.split_at_checked(NONCE)?;
        self.keys.iter().find_map(|key| {
            let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
            let mut sealed = sealed.to_vec();
            let around = Aad::from(principal::around(purpose, principal));
            key.open_in_place(nonce, around, &mut sealed).ok().map(|opened| opened.to_vec())
        })
    }

    /// The same for bytes that count for this long alone; [`open_in_time`](Self::open_in_time) reads it.
    pub(crate) fn seal_for(
        &self,
        purpose: &str,
        principal: Option<&Principal>,
        ttl: Duration,
        bytes: &[u8],
    ) -> Option<String> {
        let now = clock::now();
        let times = [now.to_be_bytes(), now.saturating_add(ttl.as_secs()).to_be_bytes()].concat();
        self.seal(purpose, principal, &[&times, bytes].concat())
    }

    /// The bytes behind a text that still counts, and was not sealed in the future.
    pub(crate) fn open_in_time(&self, purpose: &str, principal: Option<&Principal>, text: &str) -> Option<Vec<u8>> {
        let opened = self.open(purpose, principal, text)?;
        let (sealed, rest) = opened.split_first_chunk::<8>()?;
        let (expires, bytes) = rest.split_first_chunk::<8>()?;
        let now = clock::now();
        let begun = u64::from_be_bytes(*sealed) <= now.saturating_add(SKEW_SECONDS);
        (begun && now < u64::from_be_bytes(*expires)).then(|| bytes.to_vec())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seals() -> Seals {
        Seals::new(&SigningKeys::random(), b"")
    }

    #[test]
    fn what_is_sealed_is_opened_for_the_same_purpose_and_principal_alone() {
        let seals = seals();
        let (one, other) = (Principal::new("i", "one", "c"), Principal::new("i", "other", "c"));
        for principal in [None, Some(&one)] {
            let text = seals.seal("a", principal, b"bytes").unwrap();
            assert_eq!(seals.open("a", principal, &text).as_deref(), Some(&b"bytes"[..]));
            assert_eq!(seals.open("b", principal, &text), None);
            assert_eq!(seals.open("a", Some(&other), &text), None);
            assert!(!text.contains("bytes"));
        }
        let text = seals.seal("a", None, b"bytes").unwrap();
        assert_eq!(seals.open("a", Some(&one), &text), None);
    }

    #[test]
    fn a_changed_text_is_not_opened() {
        let seals = seals();
        let text = seals.seal("a", None, b"bytes").unwrap();
        for position in 0..text.len() {
            let mut bytes = text.clone().into_bytes();
            bytes[position] = if bytes[position] == b'A' { b'B' } else { b'A' };
            let changed = String::from_utf8(bytes).unwrap();
            assert_eq!(seals.open("a", None, &changed), None, "{changed}");
        }
        for cut in 0..text.len() {
            assert_eq!(seals.open("a", None, &text[..cut]), None);
        }
        assert_eq!(super::tests::seals().open("a", None, &text), None);
    }

    #[test]
    fn what_is_sealed_for_a_time_counts_for_that_time() {
        let seals = seals();
        let text = seals.seal_for("a", None, Duration::from_secs(600), b"bytes").unwrap();
        clock::jump(599);
        assert_eq!(seals.open_in_time("a", None, &text).as_deref(), Some(&b"bytes"[..]));
        clock::jump(1);
        assert_eq!(seals.open_in_time("a", None, &text), None);
        clock::jump(-600 - 3600);
        assert_eq!(seals.open_in_time("a", None, &text), None, "sealed in the future");
        clock::jump(3600);
        assert_eq!(seals.open_in_time("a", None, &seals.seal("a", None, b"bytes").unwrap()), None);
    }
}
