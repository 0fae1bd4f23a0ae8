//! What is printed at the start, on stderr: how to reach the server, ready to be copied.

use std::{fmt::Write as _, io::Write as _};

/// The command by which this process was started, for a client's configuration.
pub(super) struct Command {
    program: String,
    arguments: Vec<String>,
}

impl Command {
    /// This process.
    pub(super) fn current() -> Self {
        let mut arguments = std::env::args();
        let called = arguments.next().unwrap_or_default();
        // Clients start it from elsewhere, so the path must be a whole one.
        let program = std::env::current_exe().map_or(called, |path| path.to_string_lossy().into_owned());
        Self { program, arguments: arguments.collect() }
    }

    fn shell(&self) -> String {
        std::iter::once(&self.program).chain(&self.arguments).map(|word| quote(word)).collect::<Vec<_>>().join(" ")
    }
}

/// Prints to stderr; a closed stderr is no reason to stop.
pub(super) fn print(text: &str) {
    let _ = std::io::stderr().write_all(text.as_bytes());
}

/// For a server that listens at this URL.
pub(super) fn http(name: &str, version: &str, url: &str) -> String {
    let word = quote(name);
    let visual = quote(&serde_json::json!({ "name": name, "type": "http", "url": url }).to_string());
    let file = serde_json::json!({ "mcpServers": { name: { "type": "http", "url": url } } });
    let url = quote(url);
    let mut out = String::new();
    let _ = write!(
        out,
        "{name} {version} listening on {url}\n\
         \n  \
         MCP Inspector   npx @modelcontextprotocol/inspector --transport http --server-url {url}\n  \
         Claude Code     claude mcp add --transport http {word} {url}\n  \
         VS Code         code --add-mcp {visual}\n  \
         other clients   {file}\n\n"
    );
    out
}

/// For a server that reads its stdin; `terminal` says that a person sits there.
pub(super) fn stdio(name: &str, version: &str, command: &Command, terminal: bool) -> String {
    let word = quote(name);
    let shell = command.shell();
    let entry = serde_json::json!({ "command": command.program, "args": command.arguments });
    let visual = {
        let mut visual = entry.clone();
        visual["name"] = name.into();
        quote(&visual.to_string())
    };
    let file = serde_json::json!({ "mcpServers": { name: entry } });
    // Without arguments there is nothing that the Inspector could take for its own.
    let dashes = if command.arguments.is_empty() { "" } else { "-- " };
    let mut out = String::new();
    let _ = write!(
        out,
        "{name} {version} serving MCP on stdin and stdout\n\
         \n  \
         MCP Inspector   npx @modelcontextprotocol/inspector {dashes}{shell}\n  \
         Claude Code     claude mcp add {word} -- {shell}\n  \
         VS Code         code --add-mcp {visual}\n  \
         Claude Desktop  {file}\n\n"
    );
    if terminal {
        let program = quote(&command.program);
        let _ = write!(
            out,
            "It waits for JSON-RPC messages, one per line, as a client writes them. To serve HTTP instead:\n\
             \n  {program} --transport streamable-http\n\n"
        );
    }
    out
}

/// One word of a POSIX shell.
fn quote(word: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_./:=@%+,".contains(&byte);
    if !word.is_empty() && word.bytes().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_url_stands_where_a_program_finds_it() {
        let text = http("calculator", "1.0.0", "http://127.0.0.1:8000/mcp");
        let (_, rest) = text.split_once("listening on ").unwrap();
        assert_eq!(rest.lines().next(), Some("http://127.0.0.1:8000/mcp"));
        assert!(text.contains("claude mcp add --transport http calculator http://127.0.0.1:8000/mcp\n"));
    }

    #[test]
    fn words_are_quoted_for_the_shell() {
        assert_eq!(quote("a-b"), "a-b");
        assert_eq!(quote("my server"), "'my server'");
        assert_eq!(quote("it's"), r"'it'\''s'");
        assert_eq!(quote(""), "''");
    }

    #[test]
    fn a_person_at_the_terminal_is_told_what_is_waited_for() {
        let command = Command { program: "/opt/my server".into(), arguments: vec!["--store".into(), "memory:".into()] };
        let text = stdio("notes", "1", &command, true);
        assert!(text.contains("'/opt/my server' --transport streamable-http"), "{text}");
        assert!(text.contains("inspector -- '/opt/my server' --store memory:"), "{text}");
        assert!(text.contains(r#""args":["--store","memory:"]"#), "{text}");
        assert!(!stdio("notes", "1", &command, false).contains("waits for"));
    }
}
