//! The blocks of a result, in the shape of a revision.

use serde_json::{Map, Value};

use super::listing::{strip_meta, strip_resource};
use crate::{
    protocol::{Annotations, Content, meta::keep_own, version::Facts},
    wire::write_string,
};

/// Writes a block of plain text.
pub(super) fn write_text(out: &mut Vec<u8>, text: &str) {
    out.extend_from_slice(b"{\"type\":\"text\",\"text\":");
    write_string(out, text);
    out.push(b'}');
}

/// Writes a block without what the revision lacks, or text in its place where that is its kind.
pub(super) fn write(out: &mut Vec<u8>, facts: &Facts, mut block: Content) {
    match &mut block {
        Content::Text { text, annotations: None, meta: None } => return write_text(out, text),
        Content::Audio { mime_type, .. } if !facts.audio => return write_text(out, &format!("[audio, {mime_type}]")),
        Content::ResourceLink(resource) if !facts.resource_links => {
            return write_text(out, &format!("{}: {}", resource.name, resource.uri));
        }
        Content::ResourceLink(resource) => strip_resource(resource, facts),
        Content::Resource { resource, annotations, meta } => {
            strip_meta(&mut resource.meta, facts);
            strip(annotations, meta, facts);
        }
        Content::Text { annotations, meta, .. }
        | Content::Image { annotations, meta, .. }
        | Content::Audio { annotations, meta, .. } => strip(annotations, meta, facts),
    }
    // Plain data: writing it into memory can't fail.
    out.extend_from_slice(&serde_json::to_vec(&block).unwrap_or_default());
}

fn strip(annotations: &mut Option<Box<Annotations>>, meta: &mut Option<Box<Map<String, Value>>>, facts: &Facts) {
    if let Some(annotations) = annotations.as_mut().filter(|_| !facts.last_modified) {
        annotations.last_modified = None;
    }
    if !facts.object_meta {
        *meta = None;
    }
    if let Some(own) = meta {
        keep_own(own);
    }
}
