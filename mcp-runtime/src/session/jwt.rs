//! Signed session ids: mint and verify.
//!
//! Takes: the facts of a session. Gives: a token, and the facts back. Knows: one format, exactly. Must not know: stores,
//! headers, what hangs on a session.

use std::{
    borrow::Cow,
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use aws_lc_rs::hmac;
use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD as BASE64};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, value::RawValue};

use super::{
    SigningKeys,
    keys::{Ed25519, RootKey},
    principal::{self, Tag},
};
use crate::{
    auth::Principal,
    protocol::{ClientCapabilities, Implementation, Version},
};

/// A longer token is not minted: with it, a request's headers stay well below the 8 KiB that proxies allow.
const LONGEST_MINTED: usize = 2 * 1024;
/// A longer token is not read.
const LONGEST_READ: usize = 4 * 1024;
/// A token whose `iat` lies further ahead than this, or whose `exp` further behind, is refused: instances' clocks differ by
/// less.
pub(super) const SKEW_SECONDS: u64 = 60;
/// A client's name and version are kept up to this many bytes together.
const LONGEST_CLIENT: usize = 128;
/// When capabilities must be trimmed, a value longer than this becomes `{}`.
const LONGEST_CAPABILITY: usize = 128;
/// The capabilities that survive trimming: those that the handshake revisions name.
const KNOWN_CAPABILITIES: [&str; 4] = ["elicitation", "roots", "sampling", "tasks"];

/// Mints and verifies the tokens of one server.
pub(super) struct Tokens {
    keys: Vec<TokenKey>,
    audience: Box<str>,
    capabilities: Shared<ClientCapabilities>,
    clients: Shared<Implementation>,
}

/// What one root key gives to tokens.
struct TokenKey {
    // The only header that this key accepts, encoded: algorithm and type are properties of the key, never read.
    header: Box<str>,
    signer: Signer,
    tag: hmac::Key,
    // What a token says of its store, where the key that signs it knows none.
    store: Option<Box<str>>,
}

/// What signs, and checks.
#[expect(clippy::large_enum_variant, reason = "one for each key: a box would be one more step to each token")]
enum Signer {
    Mac(hmac::Key),
    Ed25519(Ed25519),
}

/// What a token says.
pub(super) struct Facts {
    pub(super) sid: [u8; 16],
    pub(super) version: Version,
    pub(super) capabilities: Arc<ClientCapabilities>,
    pub(super) client: Option<Arc<Implementation>>,
    pub(super) issued: u64,
    /// From then on no instance's clock that we trust accepts it: `exp` and the skew.
    pub(super) expires: u64,
}

/// The payload. Unknown, missing and doubled members are refused, and numbers that are no integers.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Claims<'a> {
    /// The server's name.
    #[serde(borrow)]
    aud: Cow<'a, str>,
    /// 16 random bytes.
    #[serde(borrow)]
    sid: Cow<'a, str>,
    /// The revision agreed on.
    #[serde(borrow)]
    v: Cow<'a, str>,
    /// The client's capabilities.
    #[serde(borrow)]
    caps: &'a RawValue,
    /// The client's name and version.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    ci: Option<&'a RawValue>,
    /// The principal's tag.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    p: Option<Cow<'a, str>>,
    /// Of which store, where the signature does not say it.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    st: Option<Cow<'a, str>>,
    iat: u64,
    exp: u64,
}

impl Tokens {
    /// For this server, with subkeys bound to `binding`: a store's identity, or nothing.
    pub(super) fn new(keys: &SigningKeys, audience: &str, binding: &[u8]) -> Self {
        let keys = keys.all().iter().map(|key| TokenKey::new(key, binding));
        Self {
            keys: keys.collect(),
            audience: audience.into(),
            capabilities: Shared::default(),
            clients: Shared::default(),
        }
    }

    /// A token of these facts, or `None` when even the least of them does not fit into it.
    ///
    /// What is too long is left out in this order: the client's name, unknown capabilities, all capabilities.
    pub(super) fn mint(
        &self,
        sid: [u8; 16],
        version: Version,
        capabilities: &ClientCapabilities,
        client: Option<&Implementation>,
        principal: Option<&Principal>,
        (issued, expires): (u64, u64),
    ) -> Option<String> {
        let key = self.keys.first()?;
        let tag = principal.map(|principal| BASE64.encode(principal::tag(&key.tag, principal)));
        let client = client
            .filter(|client| is_short(client))
            .and_then(|client| serde_json::value::to_raw_value(&(&client.name, &client.version)).ok());
        let whole = serde_json::value::to_raw_value(capabilities).ok()?;
        let attempt = |capabilities: &RawValue, client: Option<&RawValue>| {
            let claims = Claims {
                aud: Cow::Borrowed(&self.audience),
                sid: BASE64.encode(sid).into(),
                v: version.as_str().into(),
                caps: capabilities,
                ci: client,
                p: tag.as_deref().map(Cow::Borrowed),
                st: key.store.as_deref().map(Cow::Borrowed),
                iat: issued,
                exp: expires,
            };
            key.sign(&serde_json::to_vec(&claims).ok()?).filter(|token| token.len() <= LONGEST_MINTED)
        };
        attempt(&whole, client.as_deref())
            .or_else(|| attempt(&whole, None))
            .or_else(|| attempt(&serde_json::value::to_raw_value(&trimmed(capabilities)).ok()?, None))
            .or_else(|| attempt(&serde_json::value::to_raw_value(&Map::new()).ok()?, None))
    }

    /// What this token says, if one of our keys signed it for this server and this principal, and its time is now.
    pub(super) fn verify(&self, token: &str, principal: Option<&Principal>, now: u64) -> Option<Facts> {
        if token.len() > LONGEST_READ {
            return None;
        }
        let (signed, signature) = token.rsplit_once('.')?;
        let (header, payload) = signed.split_once('.')?;
        // A third dot is caught here too: it is no letter of base64url. The decoder accepts no padding and no stray
        // trailing bits, so each token has one spelling.
        let (payload, signature) = (BASE64.decode(payload).ok()?, BASE64.decode(signature).ok()?);
        // An unknown key id costs the same work as a wrong signature.
        let named = self.keys.iter().find(|key| *key.header == *header);
        let key = named.or(self.keys.first())?;
        if !key.signed(signed.as_bytes(), &signature) {
            return None;
        }
        named?;
        let claims: Claims<'_> = serde_json::from_slice(&payload).ok()?;
        let tag = match &claims.p {
            Some(text) => Some(Tag::try_from(BASE64.decode(&**text).ok()?).ok()?),
            None => None,
        };
        let for_us = *claims.aud == *self.audience && claims.st.as_deref() == key.store.as_deref();
        let for_them = tag == principal.map(|principal| principal::tag(&key.tag, principal));
        let expires = claims.exp.saturating_add(SKEW_SECONDS);
        let begun = claims.iat <= now.saturating_add(SKEW_SECONDS);
        let version = Version::parse(&claims.v).filter(|version| version.has_handshake())?;
        if !(for_us && for_them && begun && now < expires) {
            return None;
        }
        Some(Facts {
            sid: BASE64.decode(&*claims.sid).ok()?.try_into().ok()?,
            version,
            capabilities: self.capabilities.get(claims.caps.get(), |text| serde_json::from_str(text).ok())?,
            client: match claims.ci {
                Some(client) => Some(self.clients.get(client.get(), |text| {
                    let (name, version) = serde_json::from_str(text).ok()?;
                    Some(Implementation { name, version, title: None })
                })?),
                None => None,
            },
            issued: claims.iat,
            expires,
        })
    }
}

impl TokenKey {
    fn new(key: &RootKey, binding: &[u8]) -> Self {
        // A kid needs no escaping: its letters are checked where rings are made.
        let header = |algorithm| {
            let header = format!(r#"{{"alg":"{algorithm}","kid":"{}","typ":"mcp-session+jwt"}}"#, key.kid());
            BASE64.encode(header).into()
        };
        let Some(pair) = key.ed25519() else {
            return Self {
                header: header("HS256"),
                signer: Signer::Mac(key.derive("session", binding)),
                tag: key.derive("principal-tag", binding),
                store: None,
            };
        };
        // Whoever checks a token must be able to check whose it is: this much comes from the public key.
        let public = RootKey::new(key.kid(), pair.public());
        let store = hmac::sign(&public.derive("store", binding), &[]);
        Self {
            header: header("EdDSA"),
            signer: Signer::Ed25519(pair.clone()),
            tag: public.derive("principal-tag", binding),
            store: (!binding.is_empty()).then(|| BASE64.encode(&store.as_ref()[..16]).into()),
        }
    }

    fn signed(&self, text: &[u8], signature: &[u8]) -> bool {
        match &self.signer {
            Signer::Mac(mac) => hmac::verify(mac, text, signature).is_ok(),
            Signer::Ed25519(key) => key.verifies(text, signature),
        }
    }

    fn sign(&self, payload: &[u8]) -> Option<String> {
        // A payload that alone is too long is not worth encoding.
        if payload.len() > LONGEST_MINTED {
            return None;
        }
        let mut token = String::with_capacity(self.header.len() + payload.len() * 4 / 3 + 96);
        token.push_str(&self.header);
        token.push('.');
        BASE64.encode_string(payload, &mut token);
        match &self.signer {
            Signer::Mac(mac) => {
                let tag = hmac::sign(mac, token.as_bytes());
                token.push('.');
                BASE64.encode_string(tag, &mut token);
            }
            Signer::Ed25519(key) => {
                let signature = key.sign(token.as_bytes())?;
                token.push('.');
                BASE64.encode_string(signature, &mut token);
            }
        }
        Some(token)
    }
}

/// Whether a client's name and version are short enough to be kept.
pub(super) fn is_short(client: &Implementation) -> bool {
    client.name.len() + client.version.len() <= LONGEST_CLIENT
}

/// The known capabilities, each with its value if that is short.
pub(super) fn trimmed(capabilities: &ClientCapabilities) -> Map<String, Value> {
    let short = |value: &Value| serde_json::to_string(value).is_ok_and(|text| text.len() <= LONGEST_CAPABILITY);
    capabilities
        .0
        .iter()
        .filter(|(name, value)| KNOWN_CAPABILITIES.contains(&name.as_str()) && value.is_object())
        .map(|(name, value)| (name.clone(), if short(value) { value.clone() } else { Value::Object(Map::new()) }))
        .collect()
}

/// Values that many tokens say alike, kept once.
struct Shared<T>(Mutex<HashMap<Box<str>, Arc<T>>>);

impl<T> Default for Shared<T> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<T> Shared<T> {
    /// At most this many are kept; then it begins again, so that strange clients can't push out the usual ones for good.
    const MOST: usize = 64;
    /// What is longer is not worth keeping.
    const LONGEST: usize = 512;

    fn get(&self, text: &str, decode: impl FnOnce(&str) -> Option<T>) -> Option<Arc<T>> {
        if let Some(known) = self.0.lock().unwrap_or_else(PoisonError::into_inner).get(text) {
            return Some(Arc::clone(known));
        }
        let value = Arc::new(decode(text)?);
        if text.len() <= Self::LONGEST {
            let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            if known.len() >= Self::MOST {
                known.clear();
            }
            known.insert(text.into(), Arc::clone(&value));
        }
        Some(value)
    }
}

#[cfg(test)]
mod tests;
