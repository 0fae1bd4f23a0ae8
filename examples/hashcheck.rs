//! Session state as a map, and typed results with a text of one's own.
//!
//! ```sh
//! cargo run --example hashcheck -- --transport streamable-http
//! ```

use std::collections::BTreeMap;

use mcp_runtime::prelude::*;
use sha2::{Digest, Sha256};

/// The hashes that one session has stored, by key.
#[derive(Default, Serialize, Deserialize, SessionState)]
struct Hashes {
    entries: BTreeMap<String, String>,
}

#[derive(Serialize, JsonSchema)]
struct Stored {
    action: &'static str,
    key: String,
    algorithm: &'static str,
    hash: String,
    session_id: String,
}

#[derive(Serialize, JsonSchema)]
struct Verified {
    found: bool,
    r#match: bool,
    key: String,
    stored_hash: Option<String>,
    provided_hash: String,
    algorithm: &'static str,
}

#[derive(Serialize, JsonSchema)]
struct Listed {
    action: &'static str,
    session_id: String,
    entries: BTreeMap<String, String>,
    count: usize,
}

#[derive(Serialize, JsonSchema)]
struct Deleted {
    action: &'static str,
    key: String,
    deleted: bool,
    session_id: String,
}

/// Stores SHA-256 hashes of texts and checks texts against them, one store per session.
#[mcp_server(name = "hashcheck")]
mod hashcheck {
    use super::*;

    /// Store the hash of a text under a key.
    #[tool]
    pub fn hashcheck_store(hashes: &mut Hashes, cx: &Context, key: String, text: String) -> Reply<Stored> {
        let hash = sha256(&text);
        hashes.entries.insert(key.clone(), hash.clone());
        let told = format!("Stored sha256('{key}') = {}...", &hash[..16]);
        Reply::new(Stored { action: "store", key, algorithm: "sha256", hash, session_id: session_id(cx) }, told)
    }

    /// Check a text against the hash stored under a key.
    #[tool(read_only)]
    pub fn hashcheck_verify(hashes: &Hashes, key: String, text: String) -> Reply<Verified> {
        let provided_hash = sha256(&text);
        let stored_hash = hashes.entries.get(&key).cloned();
        let (found, matches) = (stored_hash.is_some(), stored_hash.as_ref() == Some(&provided_hash));
        let told = match (found, matches) {
            (true, true) => format!("MATCH - key '{key}' verified successfully."),
            (true, false) => format!("MISMATCH - key '{key}' hash does not match."),
            (false, _) => format!("Key '{key}' not found in session store."),
        };
        let value = Verified { found, r#match: matches, key, stored_hash, provided_hash, algorithm: "sha256" };
        Reply::new(value, told)
    }

    /// Every key with its hash.
    #[tool(read_only)]
    pub fn hashcheck_list(hashes: &Hashes, cx: &Context) -> Reply<Listed> {
        let (entries, count) = (hashes.entries.clone(), hashes.entries.len());
        let mut told = if count == 0 { "(no hashes stored)".into() } else { format!("Hash store ({count} entries):") };
        for (key, hash) in &entries {
            told += &format!("\n  {key}: {}...", &hash[..16]);
        }
        Reply::new(Listed { action: "list", session_id: session_id(cx), entries, count }, told)
    }

    /// Remove the hash stored under a key.
    #[tool(destructive, idempotent)]
    pub fn hashcheck_delete(hashes: &mut Hashes, cx: &Context, key: String) -> Reply<Deleted> {
        let deleted = hashes.entries.remove(&key).is_some();
        let told = if deleted { format!("Deleted key '{key}'.") } else { format!("Key '{key}' not found.") };
        Reply::new(Deleted { action: "delete", key, deleted, session_id: session_id(cx) }, told)
    }

    fn session_id(cx: &Context) -> String {
        cx.session_id().unwrap_or_default().to_owned()
    }

    fn sha256(text: &str) -> String {
        Sha256::digest(text.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

fn main() -> mcp_runtime::Result {
    // Carried by a cookie, too, for clients that know `session/create`.
    hashcheck::server().sessions(Sessions::default().cookies()).port(8765).serve()
}
