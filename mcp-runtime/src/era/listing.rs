//! What is listed, in the shape of a revision.

use serde_json::{
    Map, Value, json,
    value::{RawValue, to_raw_value},
};

use crate::{
    call::List,
    protocol::{
        Annotations, Icon, Prompt, Resource, ResourceTemplate, Tool, ToolAnnotations, meta::keep_own, version::Facts,
    },
};

/// Something that is listed.
pub(super) trait Listed: Sized {
    /// The list that it stands in.
    const LIST: List;

    /// It, as the revision shows it.
    fn view(&self, facts: &Facts) -> Result<Box<RawValue>, serde_json::Error>;
}

/// The method's member that holds the things listed.
pub(super) fn member(list: List) -> &'static str {
    match list {
        List::Tools => "tools",
        List::Prompts => "prompts",
        List::Resources => "resources",
        List::Templates => "resourceTemplates",
    }
}

/// Whether revisions whose structured results are objects get this output as `{"result": …}`.
pub(super) fn must_wrap(schema: &RawValue) -> bool {
    let schema: Value = serde_json::from_str(schema.get()).unwrap_or_default();
    schema.get("type").and_then(Value::as_str) != Some("object")
}

/// What every named thing has only from some revision on.
macro_rules! strip {
    ($thing:ident, $facts:ident) => {
        if !$facts.titles {
            $thing.title = None;
        }
        strip_icons(&mut $thing.icons, $facts);
        strip_meta(&mut $thing.meta, $facts);
    };
}

impl Listed for Tool {
    const LIST: List = List::Tools;

    fn view(&self, facts: &Facts) -> Result<Box<RawValue>, serde_json::Error> {
        let mut tool = self.clone();
        strip!(tool, facts);
        if !facts.annotations {
            tool.annotations = ToolAnnotations::default();
        }
        if !facts.tasks {
            tool.execution = None;
        }
        tool.output_schema = match tool.output_schema.filter(|_| facts.structured) {
            Some(schema) if !facts.any_output && must_wrap(&schema) => Some(wrapped(&schema)?),
            schema => schema,
        };
        to_raw_value(&tool)
    }
}

impl Listed for Prompt {
    const LIST: List = List::Prompts;

    fn view(&self, facts: &Facts) -> Result<Box<RawValue>, serde_json::Error> {
        let mut prompt = self.clone();
        strip!(prompt, facts);
        if !facts.titles {
            prompt.arguments.iter_mut().for_each(|argument| argument.title = None);
        }
        to_raw_value(&prompt)
    }
}

impl Listed for Resource {
    const LIST: List = List::Resources;

    fn view(&self, facts: &Facts) -> Result<Box<RawValue>, serde_json::Error> {
        let mut resource = self.clone();
        strip_resource(&mut resource, facts);
        to_raw_value(&resource)
    }
}

impl Listed for ResourceTemplate {
    const LIST: List = List::Templates;

    fn view(&self, facts: &Facts) -> Result<Box<RawValue>, serde_json::Error> {
        let mut template = self.clone();
        strip!(template, facts);
        strip_annotations(&mut template.annotations, facts);
        to_raw_value(&template)
    }
}

/// A resource, as the revision shows it.
pub(super) fn strip_resource(resource: &mut Resource, facts: &Facts) {
    strip!(resource, facts);
    strip_annotations(&mut resource.annotations, facts);
}

/// Icons that clients may fetch, where the revision has any.
fn strip_icons(icons: &mut Vec<Icon>, facts: &Facts) {
    let is_safe = |icon: &Icon| {
        let scheme = icon.src.split_once(':').map_or("", |(scheme, _)| scheme);
        let safe = ["https", "data"].iter().any(|safe| scheme.eq_ignore_ascii_case(safe));
        if !safe {
            tracing::warn!(src = icon.src, "an icon was left out: its `src` must be an https or a data URI");
        }
        safe
    };
    icons.retain(|icon| facts.icons && is_safe(icon));
}

/// What the server's code says in the `_meta` of an object, where the revision has it there.
pub(super) fn strip_meta(meta: &mut Option<Map<String, Value>>, facts: &Facts) {
    if !facts.object_meta {
        *meta = None;
    }
    if let Some(own) = meta {
        keep_own(own);
    }
}

/// Annotations, without what the revision does not have.
pub(super) fn strip_annotations(annotations: &mut Option<Annotations>, facts: &Facts) {
    if let Some(annotations) = annotations.as_mut().filter(|_| !facts.last_modified) {
        annotations.last_modified = None;
    }
}

/// The schema of `{"result": …}`; definitions stay at the root, where references look for them.
fn wrapped(schema: &RawValue) -> Result<Box<RawValue>, serde_json::Error> {
    let mut inner: Value = serde_json::from_str(schema.get())?;
    let definitions = inner.as_object_mut().and_then(|inner| inner.remove("$defs"));
    let mut outer = json!({ "type": "object", "properties": { "result": inner }, "required": ["result"] });
    if let Some(definitions) = definitions {
        outer["$defs"] = definitions;
    }
    to_raw_value(&outer)
}
