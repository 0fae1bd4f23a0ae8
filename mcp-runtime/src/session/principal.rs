//! Tags that stand for a principal without naming it.
//!
//! Takes: a key and a principal. Gives: 16 bytes. Knows: which names count. Must not know: what the tag is used for.

use aws_lc_rs::{digest, hmac};

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

fn shorten(tag: &hmac::Tag) -> Tag {
    let mut short = [0; 16];
    short.copy_from_slice(&tag.as_ref()[..16]);
    short
}

/// The tag of issuer, client and subject: the one to whom a session belongs. The same person through another client is
/// someone else.
pub(super) fn tag(key: &hmac::Key, principal: &Principal) -> Tag {
    named(key, &[&principal.issuer, &principal.client, &principal.subject])
}

/// The tag of issuer and subject: the person, whatever the client.
pub(super) fn person(key: &hmac::Key, principal: &Principal) -> Tag {
    named(key, &[&principal.issuer, &principal.subject])
}

/// The tag of a list of names.
pub(super) fn named(key: &hmac::Key, names: &[&str]) -> Tag {
    let mut context = hmac::Context::with_key(key);
    feed(&mut context, names);
    shorten(&context.sign())
}

/// What stands for a principal, or for nobody, in the context of a seal, where no one sees it: the same on all instances,
/// whatever their keys and stores.
pub(crate) fn principal_tag(principal: Option<&Principal>) -> [u8; 16] {
    let mut tag = [0; 16];
    if let Some(principal) = principal {
        let mut context = digest::Context::new(&digest::SHA256);
        for name in [&principal.issuer, &principal.client, &principal.subject] {
            context.update(&(name.len() as u64).to_be_bytes());
            context.update(name.as_bytes());
        }
        tag.copy_from_slice(&context.finish().as_ref()[..16]);
    }
    tag
}
