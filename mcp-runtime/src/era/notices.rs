//! News for listeners, as bytes.

use crate::{
    changes::Change,
    wire::{Id, write_id, write_notification, write_string},
};

/// `_meta` of everything that belongs to a subscription of 2026-07-28.
pub(super) const SUBSCRIPTION: &str = "io.modelcontextprotocol/subscriptionId";

/// The notification of a change, tagged with the subscription that asked for it, where the revision wants that.
pub(super) fn notification(change: &Change, subscription: Option<&Id>) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(160);
    let method = match change {
        Change::Tools => "notifications/tools/list_changed",
        Change::Prompts => "notifications/prompts/list_changed",
        Change::Resources => "notifications/resources/list_changed",
        Change::Resource(_) => "notifications/resources/updated",
    };
    write_notification(&mut bytes, method, |out| {
        out.push(b'{');
        if let Change::Resource(uri) = change {
            out.extend_from_slice(b"\"uri\":");
            write_string(out, uri);
        }
        if let Some(id) = subscription {
            if let Change::Resource(_) = change {
                out.push(b',');
            }
            write_subscription(out, id);
        }
        out.push(b'}');
    });
    bytes
}

/// Writes `"_meta":{"…/subscriptionId":…}`.
pub(super) fn write_subscription(out: &mut Vec<u8>, id: &Id) {
    out.extend_from_slice(b"\"_meta\":{");
    write_string(out, SUBSCRIPTION);
    out.push(b':');
    write_id(out, id);
    out.push(b'}');
}
