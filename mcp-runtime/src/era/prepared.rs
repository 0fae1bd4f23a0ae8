//! What never changes while a server runs, encoded once at the start, for each revision.

use std::collections::HashMap;

use serde::Serialize;
use serde_json::{Value, json, value::RawValue};

use super::{listing, refuse};
use crate::{
    protocol::{Icon, Tool, Version, version::Facts},
    service::ServerCard,
};

/// The argument by which a call names its session where handles carry it.
pub(crate) const HANDLE_ARGUMENT: &str = "session";
/// The tool that mints handles.
pub(crate) const MINTING_TOOL: &str = "open_session";

/// Which of the answers without parameters.
#[derive(Clone, Copy)]
pub(super) struct Answer(usize);

/// The handshake's result.
const WELCOME: Answer = Answer(0);
/// The result of `server/discover`.
pub(super) const DISCOVER: Answer = Answer(0);
/// The result of `tools/list` where the state needs no name in the arguments.
pub(super) const TOOLS: Answer = Answer(1);
/// The result of `tools/list` where handles carry the state.
pub(super) const TOOLS_WITH_HANDLES: Answer = Answer(2);

/// An argument of a tool that a header mirrors.
pub(crate) struct Mirrored {
    pub(crate) argument: &'static str,
    pub(crate) header: &'static str,
}

/// What never changes while a server runs.
pub(crate) struct Prepared {
    answers: [[Vec<u8>; 3]; Version::ALL.len()],
    mirrored: HashMap<&'static str, Vec<Mirrored>>,
    /// By tool: whether older revisions get its structured result as `{"result": …}`.
    wraps: Vec<bool>,
    /// `"_meta":{…}` with the server's name, for results of 2026-07-28.
    server_info: Value,
    meta: Vec<u8>,
}

impl Prepared {
    /// Encodes everything. `with_handles` is the list of tools where handles carry the state.
    pub(crate) fn new(card: &ServerCard, tools: &[Tool], with_handles: &[Tool]) -> Result<Self, serde_json::Error> {
        let meta = json!({ "io.modelcontextprotocol/serverInfo": server_info(card, Version::NEWEST.facts()) });
        let mut prepared = Self {
            answers: Default::default(),
            mirrored: HashMap::new(),
            wraps: tools.iter().map(|tool| tool.output_schema.as_deref().is_some_and(listing::must_wrap)).collect(),
            server_info: meta.clone(),
            meta: serde_json::to_vec(&meta)?,
        };
        for version in Version::ALL {
            let facts = version.facts();
            let list = |tools| -> Result<Vec<u8>, serde_json::Error> {
                let tools = listing::tools(tools, version)?;
                if !facts.modern {
                    return serde_json::to_vec(&Listed { tools });
                }
                let (result_type, cache_scope) = ("complete", "private");
                serde_json::to_vec(&Modern { result_type, tools, ttl_ms: 0, cache_scope, meta: &meta })
            };
            let first = if facts.modern {
                serde_json::to_vec(&Discovered::new(card, &meta))?
            } else {
                serde_json::to_vec(&Welcome::new(card, version))?
            };
            prepared.answers[version.index()] = [first, list(tools)?, list(with_handles)?];
        }
        for tool in card.tools {
            let mirrored = tool
                .arguments
                .iter()
                .filter_map(|argument| argument.header.map(|header| Mirrored { argument: argument.name, header }));
            let mirrored: Vec<_> = mirrored.collect();
            if !mirrored.is_empty() {
                prepared.mirrored.insert(tool.name, mirrored);
            }
        }
        Ok(prepared)
    }

    /// The handshake's result.
    pub(super) fn welcome(&self, version: Version) -> &[u8] {
        self.answer(version, WELCOME)
    }

    /// One of the answers without parameters.
    pub(super) fn answer(&self, version: Version, answer: Answer) -> &[u8] {
        &self.answers[version.index()][answer.0]
    }

    /// The arguments of a tool that headers mirror.
    pub(super) fn mirrored(&self, tool: &str) -> &[Mirrored] {
        self.mirrored.get(tool).map_or(&[], Vec::as_slice)
    }

    /// Whether older revisions get the structured result of this tool as `{"result": …}`.
    pub(super) fn wraps(&self, tool: Option<usize>) -> bool {
        tool.and_then(|tool| self.wraps.get(tool)).copied().unwrap_or(false)
    }

    /// `{"io.modelcontextprotocol/serverInfo": …}` as JSON text.
    pub(super) fn meta(&self) -> &[u8] {
        &self.meta
    }

    /// The same as a value, for results with a `_meta` of their own.
    pub(super) fn server_info(&self) -> &Value {
        &self.server_info
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Welcome<'a> {
    protocol_version: &'a str,
    capabilities: Value,
    server_info: Value,
    #[serde(skip_serializing_if = "Option::is_none")]
    instructions: Option<&'a str>,
}

impl<'a> Welcome<'a> {
    fn new(card: &'a ServerCard, version: Version) -> Self {
        Self {
            protocol_version: version.as_str(),
            capabilities: capabilities(),
            server_info: server_info(card, version.facts()),
            instructions: card.instructions,
        }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Discovered<'a> {
    result_type: &'a str,
    supported_versions: Vec<&'a str>,
    capabilities: Value,
    #[serde(skip_serializing_if = "Option::is_none")]
    instructions: Option<&'a str>,
    ttl_ms: u64,
    cache_scope: &'a str,
    #[serde(rename = "_meta")]
    meta: &'a Value,
}

impl<'a> Discovered<'a> {
    fn new(card: &'a ServerCard, meta: &'a Value) -> Self {
        Self {
            result_type: "complete",
            supported_versions: refuse::supported(),
            capabilities: capabilities(),
            instructions: card.instructions,
            ttl_ms: 0,
            cache_scope: "private",
            meta,
        }
    }
}

#[derive(Serialize)]
struct Listed {
    tools: Vec<Box<RawValue>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Modern<'a> {
    result_type: &'a str,
    tools: Vec<Box<RawValue>>,
    ttl_ms: u64,
    cache_scope: &'a str,
    #[serde(rename = "_meta")]
    meta: &'a Value,
}

/// What the server can do: derived from what is declared.
fn capabilities() -> Value {
    json!({ "tools": {} })
}

/// The server's `Implementation`, with what the revision has.
fn server_info(card: &ServerCard, facts: &Facts) -> Value {
    let mut info = json!({ "name": card.name, "version": card.version });
    if let (true, Some(title)) = (facts.titles, card.title) {
        info["title"] = title.into();
    }
    if facts.icons {
        if let Some(url) = card.website_url {
            info["websiteUrl"] = url.into();
        }
        if !card.icons.is_empty() {
            let icons: Vec<Icon> = card.icons.iter().map(Into::into).collect();
            info["icons"] = json!(icons);
        }
    }
    info
}
