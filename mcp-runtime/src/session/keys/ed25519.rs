//! Keys whose signatures anyone may check: Ed25519.
//!
//! Takes: seeds and public keys from the operator. Gives: signatures, and whether one is right. Knows: one algorithm. Must
//! not know: what is signed.

use std::{fmt, sync::Arc};

use aws_lc_rs::signature::{ED25519, Ed25519KeyPair, KeyPair, UnparsedPublicKey};
use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD as BASE64};
use serde_json::{Value, json};

use super::{KeyError, RootKey, SigningKeys, shown};

/// The bytes of a seed, and of a public key.
const LENGTH: usize = 32;

/// A key that signs and what checks it, or only what checks it.
#[derive(Clone)]
pub(in crate::session) struct Ed25519 {
    pair: Option<Arc<Ed25519KeyPair>>,
    public: [u8; LENGTH],
}

impl fmt::Debug for Ed25519 {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Ed25519")
    }
}

impl Ed25519 {
    fn of_seed(kid: &str, seed: &[u8]) -> Result<Self, KeyError> {
        let wrong = || {
            KeyError(format!(
                "the key {} has {} bytes, a seed of Ed25519 has {LENGTH}; make one with `openssl rand -base64 32`",
                shown(kid),
                seed.len()
            ))
        };
        let pair = Ed25519KeyPair::from_seed_unchecked(seed).map_err(|_| wrong())?;
        let public = pair.public_key().as_ref().try_into().map_err(|_| wrong())?;
        Ok(Self { pair: Some(Arc::new(pair)), public })
    }

    fn of_public(kid: &str, public: &[u8]) -> Result<Self, KeyError> {
        let public = public.try_into().map_err(|_| {
            KeyError(format!("the public key {} has {} bytes, one of Ed25519 has {LENGTH}", shown(kid), public.len()))
        })?;
        Ok(Self { pair: None, public })
    }

    /// What checks its signatures.
    pub(in crate::session) fn public(&self) -> &[u8; LENGTH] {
        &self.public
    }

    /// A signature; `None` where only the public key is known.
    pub(in crate::session) fn sign(&self, text: &[u8]) -> Option<Vec<u8>> {
        self.pair.as_ref().map(|pair| pair.sign(text).as_ref().to_vec())
    }

    /// Whether this key made the signature.
    pub(in crate::session) fn verifies(&self, text: &[u8], signature: &[u8]) -> bool {
        UnparsedPublicKey::new(&ED25519, &self.public).verify(text, signature).is_ok()
    }
}

impl RootKey {
    /// The key of a seed: it signs tokens by Ed25519, everything else as any other key.
    pub(super) fn of_seed(kid: &str, seed: &[u8]) -> Result<Self, KeyError> {
        let key = Self::checked(kid, seed)?;
        let pair = Ed25519::of_seed(kid, seed)?;
        Ok(Self { fingerprint: super::fingerprint(pair.public()), ed25519: Some(pair), ..key })
    }

    /// A public key: it checks tokens, and nothing else can be made of it.
    pub(super) fn of_public(kid: &str, public: &[u8]) -> Result<Self, KeyError> {
        let key = Self::checked(kid, public)?;
        Ok(Self { ed25519: Some(Ed25519::of_public(kid, public)?), ..key })
    }

    /// Whether only signatures can be checked with it.
    pub(super) fn is_public(&self) -> bool {
        self.ed25519.as_ref().is_some_and(|key| key.pair.is_none())
    }
}

impl SigningKeys {
    /// One key that signs session ids by Ed25519 (EdDSA), so that a gateway that knows only its public key can check them:
    /// from a seed of 32 random bytes. In a list it is written `kid:ed25519:base64`.
    ///
    /// Signing and checking take longer than with the other keys; an instance remembers what it checked. Handles, and what
    /// is sealed, are still made with a secret that comes from the seed.
    ///
    /// # Errors
    /// [`KeyError`] as [`SigningKeys::new`], and when the seed has not 32 bytes.
    ///
    /// # Source
    /// RFC 8037 (EdDSA in JOSE), RFC 8032 (Ed25519).
    pub fn ed25519(kid: &str, seed: impl AsRef<[u8]>) -> Result<Self, KeyError> {
        Self::of(vec![RootKey::of_seed(kid, seed.as_ref())?])
    }

    /// The same with one more public key at the end, 32 bytes: session ids that its owner signed are taken, none are made.
    /// In a list it is written `kid:ed25519-public:base64`. Handles, and what its owner sealed, can't be read with it.
    ///
    /// # Errors
    /// [`KeyError`] as [`SigningKeys::new`], and when the id or the key is there already.
    pub fn and_verify_public(self, kid: &str, public: impl AsRef<[u8]>) -> Result<Self, KeyError> {
        self.and(RootKey::of_public(kid, public.as_ref())?)
    }

    /// The public keys of the ring as a set of JSON web keys: what a gateway needs to check session ids. Empty where no key
    /// is one of Ed25519.
    ///
    /// # Source
    /// RFC 7517 §5 (JWK Set), RFC 8037 §2 (`OKP`).
    #[must_use]
    pub fn public_keys(&self) -> Value {
        let keys = self.all.iter().filter_map(|key| {
            let x = BASE64.encode(key.ed25519.as_ref()?.public());
            Some(json!({ "kty": "OKP", "crv": "Ed25519", "alg": "EdDSA", "use": "sig", "kid": key.kid, "x": x }))
        });
        json!({ "keys": keys.collect::<Vec<_>>() })
    }
}
