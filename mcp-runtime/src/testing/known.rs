//! What a client learns from the lists before it calls.

use std::collections::HashMap;

use serde_json::{Value, json};

use super::{error::RequestError, line::Line};
use crate::{
    era::{HANDLE_ARGUMENT, MINTING_TOOL},
    protocol::UriTemplate,
    wire::Code,
};

/// The four lists: the method, and the member of its result.
pub(super) const LISTS: [(&str, &str); 4] = [
    ("tools/list", "tools"),
    ("prompts/list", "prompts"),
    ("resources/list", "resources"),
    ("resources/templates/list", "resourceTemplates"),
];

/// What a client learned from the lists.
#[derive(Default)]
pub(super) struct Known {
    tools: HashMap<String, KnownTool>,
    /// The prompts that name their session.
    prompts: Vec<String>,
    /// The templates that name their session.
    templates: Vec<(String, UriTemplate)>,
    /// The resources that have a URI of their own, and so no session in it.
    resources: Vec<String>,
    /// Whether there is a tool that opens sessions.
    minting: bool,
}

/// What a client learned of one tool.
#[derive(Clone, Default)]
pub(super) struct KnownTool {
    /// It takes the handle of a session.
    pub(super) takes_handle: bool,
    /// Arguments that headers mirror: their names, and the rest of their headers'.
    pub(super) mirrored: Vec<(String, String)>,
    /// Its structured result comes as `{"result": …}`.
    pub(super) wrapped: bool,
    /// Its structured result is described.
    pub(super) described: bool,
}

impl Known {
    /// Reads the lists.
    pub(super) async fn read(line: &Line) -> Result<Self, RequestError> {
        let [tools, prompts, resources, templates] = LISTS;
        let (tools, declared) = (list(line, tools).await?, list(&line.newest(), tools).await?);
        let mut known = Self::default();
        let handles = !line.version.has_handshake();
        known.minting = handles && tools.iter().any(|tool| tool["name"] == MINTING_TOOL);
        for tool in &tools {
            let original = declared.iter().find(|declared| declared["name"] == tool["name"]);
            let original = original.map_or(&Value::Null, |original| &original["outputSchema"]);
            let facts = KnownTool {
                takes_handle: known.minting && requires_handle(&tool["inputSchema"]["required"]),
                mirrored: if handles { mirrored(&tool["inputSchema"]["properties"]) } else { Vec::new() },
                wrapped: !original.is_null() && tool["outputSchema"] != *original,
                described: !original.is_null(),
            };
            known.tools.insert(text(&tool["name"]), facts);
        }
        if known.minting {
            let takes_handle = |prompt: &&Value| {
                let arguments = prompt["arguments"].as_array();
                arguments.is_some_and(|arguments| arguments.iter().any(|argument| argument["name"] == HANDLE_ARGUMENT))
            };
            known.prompts =
                list(line, prompts).await?.iter().filter(takes_handle).map(|prompt| text(&prompt["name"])).collect();
            known.resources = list(line, resources).await?.iter().map(|resource| text(&resource["uri"])).collect();
            for template in list(line, templates).await? {
                let written = text(&template["uriTemplate"]);
                if let Ok(parsed) = UriTemplate::parse(&written)
                    && parsed.variables().any(|variable| variable == HANDLE_ARGUMENT)
                {
                    known.templates.push((written, parsed));
                }
            }
        }
        Ok(known)
    }

    /// What was learned of this tool; `None` for one that was not listed.
    pub(super) fn tool(&self, name: &str) -> Option<&KnownTool> {
        self.tools.get(name)
    }

    /// Whether this prompt takes the handle of a session.
    pub(super) fn prompt_takes_handle(&self, name: &str) -> bool {
        self.prompts.iter().any(|prompt| prompt == name)
    }

    /// The template as it is listed, where that names the session and this one does not.
    pub(super) fn template_with_handle(&self, template: &str) -> Option<&str> {
        let named = UriTemplate::parse(template).and_then(|plain| plain.with_query(HANDLE_ARGUMENT)).ok()?;
        let mut listed = self.templates.iter().map(|(written, _)| written.as_str());
        listed.find(|listed| *listed == named.as_str())
    }

    /// The URI with the handle in it, where it fits a template that wants one; `None` where none does.
    pub(super) fn uri_with_handle(&self, uri: &str, handle: &str) -> Option<String> {
        let separator = if uri.contains('?') { '&' } else { '?' };
        let named = format!("{uri}{separator}{HANDLE_ARGUMENT}={handle}");
        let fits = |uri: &str| self.templates.iter().any(|(_, template)| template.matches(uri).is_some());
        let plain = self.resources.iter().any(|resource| resource == uri);
        (!plain && fits(&named)).then_some(named)
    }

    /// Whether any template names its session.
    pub(super) fn names_sessions(&self) -> bool {
        !self.templates.is_empty()
    }
}

/// All of a list, page by page; nothing where the server has no such list.
pub(super) async fn list(line: &Line, (method, member): (&str, &str)) -> Result<Vec<Value>, RequestError> {
    let mut all = Vec::new();
    let mut params = json!({});
    loop {
        let mut page = match line.request(method, params, Vec::new()).await {
            Err(error) if error.code == Some(Code::METHOD_NOT_FOUND.0) => return Ok(all),
            page => page?,
        };
        if let Value::Array(items) = page[member].take() {
            all.extend(items);
        }
        match page["nextCursor"].take() {
            Value::String(cursor) => params = json!({ "cursor": cursor }),
            _ => return Ok(all),
        }
    }
}

fn requires_handle(required: &Value) -> bool {
    required.as_array().is_some_and(|required| required.iter().any(|name| name == HANDLE_ARGUMENT))
}

/// The arguments that headers mirror, as the schemas of their values say.
fn mirrored(properties: &Value) -> Vec<(String, String)> {
    let header = |(argument, schema): (&String, &Value)| {
        schema["x-mcp-header"].as_str().map(|header| (argument.clone(), header.to_owned()))
    };
    properties.as_object().into_iter().flatten().filter_map(header).collect()
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}
