//! Tags that stand for a principal without naming it.
//!
//! Takes: a key and a principal. Gives: 16 bytes. Knows: which names count. Must not know: what the tag is used for.

use aws_lc_rs::hmac;

use crate::auth::Principal;

/// A keyed digest of a principal.
pub(super) type Tag = [u8; 16];

/// Feeds names to a digest so that no two lists of names give the same bytes.
fn feed(context: &mut hmac::Context, names: &[&str]) {
    for name in names {
        context.update(&(name.len() as u64).to_be_bytes());
        context.update(name.as_bytes());
    }
}

/// The purpose and the principal of something sealed, as bytes that differ wherever one of them does.
pub(super) fn around(purpose: &str, principal: Option<&Principal>) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(64);
    let names = principal.map(|principal| [&*principal.issuer, &*principal.client, &*principal.subject]);
    for name in [purpose].into_iter().chain(names.into_iter().flatten()) {
        bytes.extend_from_slice(&(name.len() as u64).to_be_bytes());
        bytes.extend_from_slice(name.as_bytes());
    }
    bytes
}

fn shorten(tag: &hmac::Tag) -> Tag {
    let mut short = [0; 16];
    short.copy_from_slice(&tag.as_ref()[..16]);
    short
}

/// The tag of issuer, client and subject: the one to whom a session belongs. The same person through another client is
/// someone else.
pub(super) fn tag(key: &hmac::Key, principal: &Principal) -> Tag {
    let mut context = hmac::Context::with_key(key);
    feed(&mut context, &[&principal.issuer, &principal.client, &principal.subject]);
    shorten(&context.sign())
}

/// The tag of issuer and subject: the person, whatever the client.
pub(super) fn person(key: &hmac::Key, principal: &Principal) -> Tag {
    let mut context = hmac::Context::with_key(key);
    feed(&mut context, &[&principal.issuer, &principal.subject]);
    shorten(&context.sign())
}
