//! What never changes while a server runs, encoded once at the start, for each revision.

use std::collections::HashMap;

use serde::Serialize;
use serde_json::{Map, Value, json, value::RawValue};

use super::{
    cookies,
    listing::{self, Listed},
    refuse,
};
use crate::{
    call::{Answered, List, Offered, Personal},
    protocol::{CacheHint, Icon, Lists, Version, task::TASKS_EXTENSION, version::Facts},
    service::ServerCard,
    session::PartCard,
    wire::{Request, write_string},
};

/// The argument by which a call names its session where handles carry it.
pub(crate) const HANDLE_ARGUMENT: &str = "session";
/// The tool that mints handles.
pub(crate) const MINTING_TOOL: &str = "open_session";

/// What never changes while a server runs.
pub(crate) struct Prepared {
    /// By revision.
    spoken: [Spoken; Version::ALL.len()],
    /// Whether there is anything that a header could mirror.
    mirrors: bool,
    /// By tool: whether older revisions get its structured result as `{"result": …}`.
    wraps: Vec<bool>,
    /// By the names of tools: the session state that they borrow.
    borrowed: HashMap<&'static str, &'static [PartCard]>,
    /// Calls of some tool can become tasks.
    has_tasks: bool,
    /// How long and by whom lists may be kept, and which of them only by who asked.
    cache: CacheHint,
    personal: Personal,
    /// `"_meta":{…}` with the server's name, for results of 2026-07-28.
    server_info: Value,
    meta: Vec<u8>,
}

/// What never changes, in one revision.
#[derive(Default)]
struct Spoken {
    /// The handshake's result, or that of `server/discover`.
    greeting: Vec<u8>,
    /// The handshake's result where it opens no session.
    sessionless: Vec<u8>,
    /// Where a session id or process carries the state.
    plain: PreparedLists,
    /// Where handles do.
    with_handles: PreparedLists,
}

/// All lists in one revision.
#[derive(Default)]
struct PreparedLists {
    tools: PreparedList,
    prompts: PreparedList,
    resources: PreparedList,
    templates: PreparedList,
}

/// One list in one revision.
#[derive(Default)]
pub(super) struct PreparedList {
    /// The result that shows all of it.
    pub(super) whole: Vec<u8>,
    /// What it shows, one by one.
    pub(super) items: Vec<Box<RawValue>>,
}

/// What each tool borrows, if it borrows anything.
fn borrowed(card: &ServerCard) -> HashMap<&'static str, &'static [PartCard]> {
    let functions = card.tools.iter().map(|tool| &tool.function);
    functions.filter(|function| !function.parts.is_empty()).map(|function| (function.name, function.parts)).collect()
}

impl Prepared {
    /// What the tool borrows that this request calls.
    pub(super) fn borrowed_by(&self, request: &Request) -> Option<&'static [PartCard]> {
        let name = (&*request.method == "tools/call").then(|| request.params.string("name"))?;
        self.borrowed.get(&*name?).copied()
    }

    /// Encodes everything. `with_handles` is what is listed where handles carry the state.
    pub(super) fn new(
        card: &ServerCard,
        offered: &Offered,
        lists: &Lists,
        with_handles: &Lists,
    ) -> Result<Self, serde_json::Error> {
        let meta = json!({ "io.modelcontextprotocol/serverInfo": server_info(card, Version::NEWEST.facts()) });
        let wraps = lists.tools.iter().map(|tool| tool.output_schema.as_deref().is_some_and(listing::must_wrap));
        let mut prepared = Self {
            spoken: Default::default(),
            mirrors: offered.mirrors,
            has_tasks: offered.tasks,
            wraps: wraps.collect(),
            borrowed: borrowed(card),
            cache: offered.list_cache,
            personal: offered.personal,
            server_info: meta.clone(),
            meta: serde_json::to_vec(&meta)?,
        };
        for version in Version::ALL {
            let facts = version.facts();
            let (greeting, sessionless) = if facts.modern {
                (serde_json::to_vec(&Discovered::new(card, offered, &meta))?, Vec::new())
            } else {
                let welcome = |sessions| serde_json::to_vec(&Welcome::new(card, offered, sessions, version));
                (welcome(true)?, welcome(false)?)
            };
            let (plain, with_handles) = (prepared.lists(lists, facts)?, prepared.lists(with_handles, facts)?);
            prepared.spoken[version.index()] = Spoken { greeting, sessionless, plain, with_handles };
        }
        Ok(prepared)
    }

    fn lists(&self, lists: &Lists, facts: &Facts) -> Result<PreparedLists, serde_json::Error> {
        Ok(PreparedLists {
            tools: self.list_of(&lists.tools, facts)?,
            prompts: self.list_of(&lists.prompts, facts)?,
            resources: self.list_of(&lists.resources, facts)?,
            templates: self.list_of(&lists.templates, facts)?,
        })
    }

    fn list_of<T: Listed>(&self, things: &[T], facts: &Facts) -> Result<PreparedList, serde_json::Error> {
        let items = things.iter().map(|thing| thing.view(facts)).collect::<Result<Vec<_>, _>>()?;
        let mut whole = Vec::new();
        self.write_list(&mut whole, facts, T::LIST, items.iter().map(|item| &**item), None);
        Ok(PreparedList { whole, items })
    }

    /// Writes the result of a list method.
    pub(super) fn write_list<'a>(
        &self,
        out: &mut Vec<u8>,
        facts: &Facts,
        list: List,
        items: impl Iterator<Item = &'a RawValue>,
        next: Option<&str>,
    ) {
        out.extend_from_slice(if facts.modern { b"{\"resultType\":\"complete\",\"" } else { b"{\"" });
        out.extend_from_slice(listing::member(list).as_bytes());
        out.extend_from_slice(b"\":[");
        for (position, item) in items.enumerate() {
            if position > 0 {
                out.push(b',');
            }
            out.extend_from_slice(item.get().as_bytes());
        }
        out.push(b']');
        if let Some(next) = next {
            out.extend_from_slice(b",\"nextCursor\":");
            write_string(out, next);
        }
        if facts.modern {
            let public = self.cache.public && !self.personal.has(list);
            write_cache(out, CacheHint { public, ..self.cache });
            out.extend_from_slice(b",\"_meta\":");
            out.extend_from_slice(&self.meta);
        }
        out.push(b'}');
    }

    /// The handshake's result, or that of `server/discover`.
    pub(super) fn greeting(&self, version: Version) -> &[u8] {
        &self.spoken[version.index()].greeting
    }

    /// The handshake's result where it opens no session.
    pub(super) fn sessionless_greeting(&self, version: Version) -> &[u8] {
        &self.spoken[version.index()].sessionless
    }

    /// One of the lists.
    pub(super) fn list(&self, version: Version, handles: bool, list: List) -> &PreparedList {
        let spoken = &self.spoken[version.index()];
        let lists = if handles { &spoken.with_handles } else { &spoken.plain };
        match list {
            List::Tools => &lists.tools,
            List::Prompts => &lists.prompts,
            List::Resources => &lists.resources,
            List::Templates => &lists.templates,
        }
    }

    /// Whether there is anything that a header could mirror.
    pub(super) fn mirrors(&self) -> bool {
        self.mirrors
    }

    /// Whether older revisions get the structured result of this tool as `{"result": …}`.
    pub(super) fn wraps(&self, by: &Answered) -> bool {
        match by {
            Answered::Declared(tool) => self.wraps.get(*tool).copied().unwrap_or(false),
            Answered::Provided { output_schema } => output_schema.as_deref().is_some_and(listing::must_wrap),
            Answered::Framework => false,
        }
    }

    /// Whether calls of some tool can become tasks.
    pub(super) const fn has_tasks(&self) -> bool {
        self.has_tasks
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
    fn new(card: &'a ServerCard, offered: &Offered, sessions: bool, version: Version) -> Self {
        Self {
            protocol_version: version.as_str(),
            capabilities: capabilities(offered, sessions, version.facts()),
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
    fn new(card: &'a ServerCard, offered: &Offered, meta: &'a Value) -> Self {
        Self {
            result_type: "complete",
            supported_versions: refuse::supported(),
            capabilities: capabilities(offered, offered.streams, Version::NEWEST.facts()),
            instructions: card.instructions,
            ttl_ms: 0,
            cache_scope: "private",
            meta,
        }
    }
}

/// Writes how long and by whom a result may be kept.
pub(super) fn write_cache(out: &mut Vec<u8>, hint: CacheHint) {
    let scope = if hint.public { "public" } else { "private" };
    let ttl = u64::try_from(hint.ttl.as_millis()).unwrap_or(u64::MAX);
    out.extend_from_slice(format!(",\"ttlMs\":{ttl},\"cacheScope\":\"{scope}\"").as_bytes());
}

/// What the server can do: derived from what it offers. Without sessions a client can't be told anything later, nor say
/// from which level on it is told of calls.
fn capabilities(offered: &Offered, sessions: bool, facts: &Facts) -> Value {
    let mut capabilities = Map::new();
    let mut offer = |name: &str, offered: bool, news: &[(&str, bool)]| {
        if offered {
            let news = news.iter().filter(|(_, told)| *told).map(|(name, _)| ((*name).to_owned(), true.into()));
            capabilities.insert(name.to_owned(), Value::Object(news.collect()));
        }
    };
    let news = |list: bool| ("listChanged", sessions && list);
    offer("tools", offered.tools, &[news(offered.news.tools)]);
    offer("prompts", offered.prompts, &[news(offered.news.prompts)]);
    offer("resources", offered.resources, &[("subscribe", sessions), news(offered.news.resources)]);
    offer("completions", facts.completions && offered.completion(), &[]);
    // Any function can log, so that any server can.
    offer("logging", sessions, &[]);
    if facts.tasks && offered.tasks {
        let mut tasks = json!({ "cancel": {}, "requests": { "tools": { "call": {} } } });
        if offered.task_lists {
            tasks["list"] = json!({});
        }
        capabilities.insert("tasks".to_owned(), tasks);
    }
    if let Some(offered) = offered.cookies {
        capabilities.insert("experimental".to_owned(), cookies::capability(offered));
    }
    let mut extensions = offered.extensions.clone();
    if facts.modern && offered.tasks {
        extensions.insert(TASKS_EXTENSION.to_owned(), json!({}));
    }
    if facts.extensions && !extensions.is_empty() {
        capabilities.insert("extensions".to_owned(), extensions.into());
    }
    Value::Object(capabilities)
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
