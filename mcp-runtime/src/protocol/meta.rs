//! Keys of `_meta`: how they are written, and which of them the specification keeps for itself.

use serde_json::{Map, Value};

/// The labels that make a prefix the specification's own.
const RESERVED: [&str; 2] = ["modelcontextprotocol", "mcp"];

/// Whether it is a key with a prefix: labels with dots between them, a slash, a name.
///
/// # Source
/// 2026-07-28 basic §`_meta`: labels of letters, digits and hyphens, which begin with a letter and end with a letter or digit.
pub(crate) fn is_prefixed(key: &str) -> bool {
    let Some((prefix, name)) = key.split_once('/') else { return false };
    let label = |label: &str| {
        has_alphanumeric_ends(label)
            && label.starts_with(|first: char| first.is_ascii_alphabetic())
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    };
    prefix.split('.').all(label) && is_name(name)
}

/// Takes out what the code of a server may not say: keys that are none, and those that the specification keeps.
pub(crate) fn keep_own(meta: &mut Map<String, Value>) {
    meta.retain(|key, _| {
        let own = (is_name(key) || is_prefixed(key)) && !is_reserved(key);
        if !own {
            tracing::warn!(key, "a key of `_meta` was left out: it is reserved, or not written as a key");
        }
        own
    });
}

/// Whether the prefix of a key is one of the specification's, in the words of any revision.
///
/// # Source
/// 2026-07-28 basic §`_meta`: the second label. 2025-06-18: any label but the last.
fn is_reserved(key: &str) -> bool {
    let Some((prefix, _)) = key.split_once('/') else { return false };
    let labels: Vec<&str> = prefix.split('.').collect();
    let last = labels.len() - 1;
    labels.iter().enumerate().any(|(position, label)| RESERVED.contains(label) && (position < last || position == 1))
}

fn is_name(name: &str) -> bool {
    has_alphanumeric_ends(name) && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
}

fn has_alphanumeric_ends(text: &str) -> bool {
    text.starts_with(|first: char| first.is_ascii_alphanumeric())
        && text.ends_with(|last: char| last.is_ascii_alphanumeric())
}

#[cfg(test)]
mod tests {
    use super::*;

    // Proves: V-11, X-01, M-07.
    #[test]
    fn ids_have_a_prefix_in_the_syntax_of_meta_keys() {
        for id in ["io.modelcontextprotocol/ui", "com.example/my-search_2.0", "a/b"] {
            assert!(is_prefixed(id), "{id}");
        }
        for id in [
            "ui",
            "/ui",
            "com.example/",
            "com..example/x",
            "1com.example/x",
            "com.example-/x",
            "com.example/-x",
            "a/b/c",
        ] {
            assert!(!is_prefixed(id), "{id}");
        }
    }

    // Proves: M-07.
    #[test]
    fn a_prefix_is_reserved_by_its_second_label_or_in_the_words_of_2025_06_18() {
        for key in ["io.modelcontextprotocol/x", "dev.mcp/x", "com.mcp.tools/x", "mcp.dev/x", "a.b.mcp.c/x"] {
            assert!(is_reserved(key), "{key}");
        }
        for key in ["mcp", "mcp/x", "com.example.mcp/x", "com.mcpx/x", "com.example/mcp", "traceparent"] {
            assert!(!is_reserved(key), "{key}");
        }
    }
}
