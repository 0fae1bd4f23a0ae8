//! What every object and every block has in which revision, and what the code of a server can't say in `_meta`.

use mcp_runtime::{
    Server,
    call::{PromptResult, ResourceResult},
    prelude::*,
    protocol::{
        Annotations, Content, Icon, Prompt, PromptArgument, PromptMessage, Resource, ResourceContents,
        ResourceTemplate, Role, Tool, ToolAnnotations, Version,
    },
    provider::{PromptSet, ResourceSet, ToolSet},
    testing,
};
use serde_json::{Value, json};

const OWN: &str = "com.example/own";

/// What a server's code may not say, and one key that it may.
fn keys() -> [&'static str; 5] {
    [OWN, "io.modelcontextprotocol/related-task", "dev.mcp/x", "-no-key-", "mcp.dev/x"]
}

fn meta() -> serde_json::Map<String, Value> {
    keys().map(|key| (key.to_owned(), json!(1))).into_iter().collect()
}

fn icons() -> Vec<Icon> {
    let sources = ["https://example.com/i.png", "data:image/png;base64,AAAA", "http://example.com/i.png", "file:///i"];
    let mut icons: Vec<Icon> = ["javascript:alert(1)"].into_iter().chain(sources).map(Icon::new).collect();
    icons[1].theme = Some("dark".into());
    icons[1].sizes.push("48x48".into());
    icons
}

fn annotations() -> Annotations {
    let mut annotations = Annotations::default().with_priority(0.5);
    annotations.audience.push(Role::User);
    annotations.last_modified = Some("2026-01-01T00:00:00Z".into());
    annotations
}

fn resource(uri: &str) -> Resource {
    let mut resource = Resource::new(uri, "everything");
    (resource.title, resource.size, resource.meta) = (Some("Everything".into()), Some(3), Some(meta()));
    (resource.icons, resource.annotations) = (icons(), Some(annotations()));
    resource
}

fn with_keys(block: Content) -> Content {
    keys().into_iter().fold(block, |block, key| block.with_meta(key, json!(1)))
}

/// A block of each kind, with everything that it can have.
fn blocks() -> Vec<Content> {
    let contents = keys()
        .into_iter()
        .fold(ResourceContents::text("x://1", "text/plain", "one"), |contents, key| contents.with_meta(key, json!(1)));
    [
        Content::text("text"),
        Content::image([1], "image/png"),
        Content::audio([1], "audio/wav"),
        Content::resource(contents),
    ]
    .map(|block| with_keys(block.with_annotations(annotations())))
    .into_iter()
    .chain([Content::from(resource("x://1"))])
    .collect()
}

/// A server of which everything has everything.
fn server() -> Server {
    let (tools, prompts, resources) = (ToolSet::new(), PromptSet::new(), ResourceSet::new());
    let mut tool = Tool::new("blocks", "A block of each kind.", &json!({ "type": "object", "properties": {} }));
    (tool.title, tool.icons, tool.meta) = (Some("Blocks".into()), icons(), Some(meta()));
    tool.annotations = ToolAnnotations::default();
    tool.annotations.read_only = Some(true);
    tools
        .add_tool(tool, async |_: Value| {
            let mut result = ToolResult::text("");
            result.content = blocks();
            Ok(keys().into_iter().fold(result, |result, key| result.with_meta(key, json!(1))))
        })
        .unwrap();
    let mut prompt = Prompt::new("blocks");
    (prompt.title, prompt.icons, prompt.meta) = (Some("Blocks".into()), icons(), Some(meta()));
    let mut argument = PromptArgument::new("word");
    argument.title = Some("Word".into());
    prompt.arguments.push(argument);
    prompts.add(prompt, async move |_| Ok(PromptResult::new(blocks().into_iter().map(PromptMessage::user)))).unwrap();
    let read = async || {
        let contents = ResourceContents::text("x://1", "text/plain", "one");
        let contents = keys().into_iter().fold(contents, |contents, key| contents.with_meta(key, json!(1)));
        Ok(ResourceResult::Contents(vec![contents]))
    };
    resources.add(resource("x://1"), read).unwrap();
    let mut template = ResourceTemplate::new("x://{id}/more", "everything");
    (template.title, template.icons) = (Some("Everything".into()), icons());
    (template.annotations, template.meta) = (Some(annotations()), Some(meta()));
    resources.add_template(template, async |_| Ok(ResourceResult::NotFound)).unwrap();
    Server::named("everything", "1").tools(tools).prompts(prompts).resources(resources)
}

/// Everything that the server says of this revision: lists, then results.
async fn said(version: Version) -> [Value; 7] {
    let client = testing::Client::connect(server(), version).await.unwrap();
    let mut said = Vec::new();
    for (method, params) in [
        ("tools/list", json!({})),
        ("prompts/list", json!({})),
        ("resources/list", json!({})),
        ("resources/templates/list", json!({})),
        ("tools/call", json!({ "name": "blocks", "arguments": {} })),
        ("prompts/get", json!({ "name": "blocks" })),
        ("resources/read", json!({ "uri": "x://1" })),
    ] {
        said.push(client.request(method, params).await.unwrap_or_else(|error| panic!("{method}: {error}")));
    }
    said.try_into().unwrap()
}

/// The objects that are listed.
fn listed([tools, prompts, resources, templates, ..]: &[Value; 7]) -> [&Value; 4] {
    [&tools["tools"][0], &prompts["prompts"][0], &resources["resources"][0], &templates["resourceTemplates"][0]]
}

/// Whether a member is there.
fn has(value: &Value, member: &str) -> bool {
    value.get(member).is_some()
}

// Proves: M-11, TL-13, RS-09, IC-01.
#[tokio::test]
async fn objects_have_what_their_revision_has_and_nothing_else() {
    for version in Version::ALL {
        let position = Version::ALL.iter().position(|known| *known == version).unwrap();
        let said = said(version).await;
        let [tool, prompt, resource, template] = listed(&said);
        for object in [tool, prompt, resource, template] {
            assert_eq!(has(object, "title"), position >= 2, "{version:?}: {object}");
            assert_eq!(has(object, "_meta"), position >= 2, "{version:?}: {object}");
            assert_eq!(has(object, "icons"), position >= 3, "{version:?}: {object}");
            let sources: Vec<&Value> =
                object["icons"].as_array().into_iter().flatten().map(|icon| &icon["src"]).collect();
            let safe: &[&str] = &["https://example.com/i.png", "data:image/png;base64,AAAA"];
            assert_eq!(sources, if position >= 3 { safe } else { &[] });
            if position >= 3 {
                assert_eq!(
                    (&object["icons"][0]["theme"], &object["icons"][0]["sizes"]),
                    (&json!("dark"), &json!(["48x48"]))
                );
            }
        }
        assert_eq!(has(tool, "annotations"), position >= 1, "{tool}");
        assert_eq!(has(&prompt["arguments"][0], "title"), position >= 2);
        assert_eq!(resource["size"], 3);
        for object in [resource, template] {
            let annotations = &object["annotations"];
            assert_eq!((&annotations["audience"], &annotations["priority"]), (&json!(["user"]), &json!(0.5)));
            assert_eq!(has(annotations, "lastModified"), position >= 2, "{annotations}");
        }
    }
}

// Proves: M-11, TL-14, RS-09.
#[tokio::test]
async fn blocks_have_what_their_revision_has_and_are_text_where_it_lacks_their_kind() {
    for version in Version::ALL {
        let position = Version::ALL.iter().position(|known| *known == version).unwrap();
        let [.., called, prompted, read] = said(version).await;
        let of_tool: Vec<&Value> = called["content"].as_array().unwrap().iter().collect();
        let of_prompt: Vec<&Value> = prompted["messages"].as_array().unwrap().iter().map(|m| &m["content"]).collect();
        assert_eq!(of_tool, of_prompt);
        let kinds: Vec<&str> = of_tool.iter().map(|block| block["type"].as_str().unwrap()).collect();
        let (audio, link) =
            (if position >= 1 { "audio" } else { "text" }, if position >= 2 { "resource_link" } else { "text" });
        assert_eq!(kinds, ["text", "image", audio, "resource", link], "{version:?}");
        for block in &of_tool {
            let replaced = block["text"].as_str().is_some_and(|text| text != "text");
            assert_eq!(has(block, "_meta"), position >= 2 && !replaced, "{version:?}: {block}");
            assert_eq!(has(&block["annotations"], "lastModified"), position >= 2 && !replaced, "{version:?}: {block}");
            assert_eq!(block["annotations"]["priority"] == 0.5, !replaced, "{version:?}: {block}");
        }
        assert_eq!(has(&of_tool[3]["resource"], "_meta"), position >= 2);
        assert_eq!(has(of_tool[4], "icons"), position >= 3);
        if position < 2 {
            assert_eq!(of_tool[4]["text"], "everything: x://1");
        }
        assert_eq!(has(&read["contents"][0], "_meta"), position >= 2);
    }
}

/// Every `_meta` in a value.
fn metas<'a>(value: &'a Value, found: &mut Vec<&'a Value>) {
    match value {
        Value::Object(members) => {
            found.extend(members.get("_meta"));
            members.values().for_each(|member| metas(member, found));
        }
        Value::Array(elements) => elements.iter().for_each(|element| metas(element, found)),
        _ => {}
    }
}

// Proves: M-07.
#[tokio::test]
async fn the_code_of_a_server_says_no_reserved_key_and_none_that_is_not_written_as_one() {
    for version in Version::ALL {
        let (said, mut own) = (said(version).await, 0);
        for value in &said {
            let mut found = Vec::new();
            metas(value, &mut found);
            for meta in found {
                let keys: Vec<&str> = meta.as_object().unwrap().keys().map(String::as_str).collect();
                own += usize::from(keys.contains(&OWN));
                assert!(
                    keys.iter().all(|key| [OWN, "io.modelcontextprotocol/serverInfo"].contains(key)),
                    "{version:?}: {keys:?}"
                );
            }
        }
        assert!(own > 0, "{version:?}");
    }
}
