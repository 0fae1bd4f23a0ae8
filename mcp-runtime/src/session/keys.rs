//! The key ring.
//!
//! Takes: root keys from the operator. Gives: subkeys, one per purpose. Knows: what a usable key looks like. Must not
//! know: what is signed.

mod ed25519;

use std::{fmt, sync::Arc};

use aws_lc_rs::{hkdf, hmac};
pub(super) use ed25519::Ed25519;

use base64::{
    Engine as _,
    alphabet::{STANDARD, URL_SAFE},
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};

/// A root key has at least as many bytes as the digest of HMAC-SHA256.
///
/// # Source
/// RFC 7518 §3.2: "A key of the same size as the hash output or larger MUST be used".
const SHORTEST_KEY: usize = 32;
/// A random key of 32 bytes has about 30 different ones; one with fewer than this was typed, not drawn.
const FEWEST_DIFFERENT_BYTES: usize = 8;
/// The longest key id, so that tokens stay short.
const LONGEST_KID: usize = 8;

/// What every refusal ends with.
const HOW_TO_MAKE_ONE: &str = "make a key with `openssl rand -base64 32`";

/// The keys that sign session ids and handles: the first mints, all verify.
///
/// # Shape
/// `MCP_SESSION_KEYS` is a comma-separated list of `kid:base64`, standard or URL-safe, with or without padding; a kid is
/// 1 to 8 of `[A-Za-z0-9_-]`, a key at least 32 bytes (`openssl rand -base64 32`). `kid:ed25519:base64` is the seed of a key
/// whose signatures others may check, `kid:ed25519-public:base64` a public key of that kind.
///
/// # Rotation
/// Add the new key at the end on every instance, then move it to the front on every instance, then, when the longest
/// lifetime of a session has passed, remove the old one: `old` → `old,new` → `new,old` → `new`. No session is lost on
/// the way. Removing a key ends all sessions that it signed.
#[derive(Clone)]
pub struct SigningKeys {
    // What something can be made with.
    ring: Arc<[RootKey]>,
    // And the public ones between them.
    all: Arc<[RootKey]>,
    random: bool,
}

/// One entry of the ring.
pub(super) struct RootKey {
    kid: Box<str>,
    root: hkdf::Prk,
    // Tells two roots apart without keeping them: a digest, never shown.
    fingerprint: [u8; 32],
    // What signs tokens in the place of a subkey.
    ed25519: Option<Ed25519>,
}

/// Why keys can't be used; for the operator.
#[derive(Debug)]
#[non_exhaustive]
pub struct KeyError(pub(crate) String);

impl fmt::Display for KeyError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl std::error::Error for KeyError {}

impl fmt::Debug for SigningKeys {
    /// The key ids, never the keys.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_list().entries(self.all.iter().map(|key| &key.kid)).finish()
    }
}

impl SigningKeys {
    /// A random key, gone with the process: no session outlives it, and no other instance verifies its sessions.
    ///
    /// # Panics
    /// When the operating system has no randomness to give; nothing could be signed safely then.
    #[must_use]
    pub fn random() -> Self {
        let secret: [u8; 32] = super::random();
        let ring: Arc<[RootKey]> = Arc::new([RootKey::new("random", &secret)]);
        Self { all: ring.clone(), ring, random: true }
    }

    /// The keys in this environment variable: `kid:base64`, comma-separated.
    ///
    /// # Errors
    /// [`KeyError`] when the variable is not set or can't be read as keys.
    pub fn from_env(variable: &str) -> Result<Self, KeyError> {
        match std::env::var(variable) {
            Ok(list) => Self::parse(&list).map_err(|KeyError(why)| KeyError(format!("{variable}: {why}"))),
            Err(std::env::VarError::NotPresent) => Err(KeyError(format!(
                "{variable} is not set: set it to `kid:base64`, for example \
                 {variable}=\"k1:$(openssl rand -base64 32)\""
            ))),
            Err(std::env::VarError::NotUnicode(_)) => {
                Err(KeyError(format!("{variable} is not text: it holds `kid:base64`; {HOW_TO_MAKE_ONE}")))
            }
        }
    }

    /// The keys in a comma-separated list of `kid:base64`.
    pub(super) fn parse(list: &str) -> Result<Self, KeyError> {
        let mut keys = Vec::new();
        for entry in list.split(',').map(str::trim).filter(|entry| !entry.is_empty()) {
            let Some((kid, encoded)) = entry.split_once(':') else {
                return Err(KeyError(format!(
                    "key number {} has no id: write `kid:base64`, for example `k1:…`; {HOW_TO_MAKE_ONE}",
                    keys.len() + 1
                )));
            };
            let (algorithm, encoded) = encoded.split_once(':').unwrap_or(("", encoded));
            let kid = kid.trim();
            let secret = decode(encoded.trim())
                .ok_or_else(|| KeyError(format!("the key {} is not base64; {HOW_TO_MAKE_ONE}", shown(kid))))?;
            keys.push(match algorithm.trim() {
                "" => RootKey::checked(kid, &secret)?,
                "ed25519" => RootKey::of_seed(kid, &secret)?,
                "ed25519-public" => RootKey::of_public(kid, &secret)?,
                other => {
                    return Err(KeyError(format!(
                        "the key {} is of the kind {}: write `kid:base64`, `kid:ed25519:base64` or \
                         `kid:ed25519-public:base64`",
                        shown(kid),
                        shown(other)
                    )));
                }
            });
        }
        Self::of(keys)
    }

    /// One key of these bytes, at least 32; its id is derived from them. For a secret that is text or bytes of any
    /// form, such as the value of `SESSION_SIGNING_KEY`.
    ///
    /// # Errors
    /// [`KeyError`] when it is too short, or a known example.
    pub fn from_secret(secret: impl AsRef<[u8]>) -> Result<Self, KeyError> {
        let secret = secret.as_ref();
        let [a, b, c, d, ..] = fingerprint(secret);
        Self::new(&format!("{a:02x}{b:02x}{c:02x}{d:02x}"), secret)
    }

    /// One key with this id: 1 to 8 of `[A-Za-z0-9_-]`.
    ///
    /// # Errors
    /// [`KeyError`] when the id has another form, or the key is too short or a known example.
    pub fn new(kid: &str, key: impl AsRef<[u8]>) -> Result<Self, KeyError> {
        Self::of(vec![RootKey::checked(kid, key.as_ref())?])
    }

    /// The same with one more key at the end, which verifies but does not mint.
    ///
    /// # Errors
    /// [`KeyError`] as [`SigningKeys::new`], and when the id or the key is there already.
    pub fn and_verify(self, kid: &str, key: impl AsRef<[u8]>) -> Result<Self, KeyError> {
        self.and(RootKey::checked(kid, key.as_ref())?)
    }

    fn and(self, key: RootKey) -> Result<Self, KeyError> {
        let keys = self.all.iter().map(RootKey::copy).chain([key]).collect();
        Ok(Self { random: self.random, ..Self::of(keys)? })
    }

    fn of(keys: Vec<RootKey>) -> Result<Self, KeyError> {
        if keys.is_empty() {
            return Err(KeyError(format!("there is no key: write `kid:base64`; {HOW_TO_MAKE_ONE}")));
        }
        for (position, key) in keys.iter().enumerate() {
            let earlier = &keys[..position];
            if earlier.iter().any(|other| other.kid == key.kid) {
                return Err(KeyError(format!("two keys have the id {}: give each its own", shown(&key.kid))));
            }
            if let Some(other) = earlier.iter().find(|other| other.fingerprint == key.fingerprint) {
                return Err(KeyError(format!(
                    "the keys {} and {} are the same: remove one, or {HOW_TO_MAKE_ONE}",
                    shown(&other.kid),
                    shown(&key.kid)
                )));
            }
        }
        if keys[0].is_public() {
            return Err(KeyError(format!(
                "the first key mints, and {} is a public one: put a key before it that signs; {HOW_TO_MAKE_ONE}",
                shown(&keys[0].kid)
            )));
        }
        let ring = keys.iter().filter(|key| !key.is_public()).map(RootKey::copy).collect();
        Ok(Self { ring, all: keys.into(), random: false })
    }

    /// Whether the minting key dies with the process.
    pub(super) fn is_random(&self) -> bool {
        self.random
    }

    /// The keys, the minting one first.
    pub(super) fn ring(&self) -> &[RootKey] {
        &self.ring
    }

    /// The keys that check tokens: the same and the public ones.
    pub(super) fn all(&self) -> &[RootKey] {
        &self.all
    }

    /// The id of each key with four bytes by which it is told apart.
    pub(super) fn fingerprints(&self) -> impl Iterator<Item = (&str, [u8; 4])> {
        self.all.iter().map(|key| {
            let [a, b, c, d, ..] = key.fingerprint;
            (&*key.kid, [a, b, c, d])
        })
    }

    /// What tells this ring from others, for operators to compare between instances: for each key its id and eight
    /// hexadecimal digits, the minting one first; `random` for a key of the process's own. It says nothing of the keys.
    ///
    /// # Shape
    /// `k2:9f86d081 k1:2c26b46b`
    #[must_use]
    pub fn fingerprint(&self) -> String {
        if self.random {
            return "random".to_owned();
        }
        let shown = self.fingerprints().map(|(kid, digest)| format!("{kid}:{:08x}", u32::from_be_bytes(digest)));
        shown.collect::<Vec<_>>().join(" ")
    }
}

impl RootKey {
    /// A key whose form was checked, or needs no check because it was drawn.
    pub(super) fn new(kid: &str, secret: &[u8]) -> Self {
        let root = hkdf::Salt::new(hkdf::HKDF_SHA256, b"mcp-runtime").extract(secret);
        Self { kid: kid.into(), root, fingerprint: fingerprint(secret), ed25519: None }
    }

    fn checked(kid: &str, secret: &[u8]) -> Result<Self, KeyError> {
        let well_formed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
        if kid.is_empty() || kid.len() > LONGEST_KID || !kid.bytes().all(well_formed) {
            return Err(KeyError(format!(
                "a key id is 1 to {LONGEST_KID} of A-Z a-z 0-9 _ -, for example `k1`; {} is not",
                shown(kid)
            )));
        }
        if secret.len() < SHORTEST_KEY {
            return Err(KeyError(format!(
                "the key {} has {} bytes, at least {SHORTEST_KEY} are needed; {HOW_TO_MAKE_ONE}",
                shown(kid),
                secret.len()
            )));
        }
        if is_guessable(secret) {
            return Err(KeyError(format!(
                "the key {} is an example or a pattern that anyone can guess; {HOW_TO_MAKE_ONE}",
                shown(kid)
            )));
        }
        Ok(Self::new(kid, secret))
    }

    fn copy(&self) -> Self {
        Self {
            kid: self.kid.clone(),
            root: self.root.clone(),
            fingerprint: self.fingerprint,
            ed25519: self.ed25519.clone(),
        }
    }

    /// What signs tokens in the place of a subkey.
    pub(super) fn ed25519(&self) -> Option<&Ed25519> {
        self.ed25519.as_ref()
    }

    /// The id of the key, as tokens name it.
    pub(super) fn kid(&self) -> &str {
        &self.kid
    }

    /// The subkey for one purpose, and for one store where what is signed is worth nothing without its state: an empty
    /// `binding` binds to nothing.
    ///
    /// # Source
    /// RFC 5869 (HKDF): `info` separates uses of one key. The form of `info`, purpose, a zero byte, binding, is our choice.
    pub(super) fn derive(&self, purpose: &str, binding: &[u8]) -> hmac::Key {
        let info = [purpose.as_bytes(), &[0], binding];
        match self.root.expand(&info, hmac::HMAC_SHA256) {
            Ok(material) => material.into(),
            // Only a request for more than 8160 bytes fails; this one asks for 32.
            Err(_) => unreachable!("HKDF-SHA256 gives 32 bytes"),
        }
    }
}

/// A digest by which a key is told apart, from which it can't be found.
fn fingerprint(secret: &[u8]) -> [u8; 32] {
    let mut digest = [0; 32];
    let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, secret), b"mcp-runtime fingerprint");
    digest.copy_from_slice(tag.as_ref());
    digest
}

/// Base64 in either alphabet, with or without padding.
fn decode(text: &str) -> Option<Vec<u8>> {
    let lenient = GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
    let alphabet = if text.contains(['-', '_']) { &URL_SAFE } else { &STANDARD };
    GeneralPurpose::new(alphabet, lenient).decode(text).ok()
}

/// An id that is safe to print: what an operator mistook for an id may be a key, so only its beginning is shown.
fn shown(kid: &str) -> String {
    let beginning: String = kid.chars().take(LONGEST_KID).flat_map(char::escape_default).collect();
    if kid.chars().count() > LONGEST_KID { format!("`{beginning}…`") } else { format!("`{beginning}`") }
}

/// Whether these bytes were made up rather than drawn: too few different ones, a repeated or running pattern, or words
/// that stand in examples. A drawn key fails this with a chance below 2⁻⁶⁴.
fn is_guessable(secret: &[u8]) -> bool {
    let mut seen = [false; 256];
    secret.iter().for_each(|&byte| seen[usize::from(byte)] = true);
    if seen.iter().filter(|&&seen| seen).count() < FEWEST_DIFFERENT_BYTES {
        return true;
    }
    let repeats = (1..=secret.len() / 2).any(|period| secret.iter().zip(&secret[period..]).all(|(a, b)| a == b));
    let step = secret[1].wrapping_sub(secret[0]);
    let runs = secret.windows(2).all(|pair| pair[1].wrapping_sub(pair[0]) == step);
    let lower = secret.to_ascii_lowercase();
    let spells = |word: &&[u8]| lower.windows(word.len()).any(|window| window == *word);
    repeats || runs || EXAMPLES.iter().any(spells)
}

/// What stands in the keys of examples; each at least eight letters, so that no drawn key holds one.
const EXAMPLES: &[&[u8]] = &[
    b"changeme",
    b"change-me",
    b"change_me",
    b"change-this",
    b"change_this",
    b"-256-bit-secret",
    b"at-least-256-bits",
    b"at-least-32-",
    b"your-secret",
    b"your_secret",
    b"yoursecret",
    b"my-secret",
    b"supersecret",
    b"super-secret",
    b"super_secret",
    b"secret-key",
    b"secret_key",
    b"signing-key",
    b"signing_key",
    b"example-key",
    b"insecure",
    b"password",
    b"0123456789abcdef",
    b"abcdefghijklmnop",
];

#[cfg(test)]
pub(super) mod tests;
