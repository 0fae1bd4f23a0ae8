//! Which names are legal on the wire, and how names are derived.
//!
//! Takes: strings. Gives: verdicts and strings. Knows: the limits of clients. Must not know: syntax trees.

/// A name may have this many characters: clients prefix a tool's with the server's and accept 64 in all.
pub(crate) const NAME_LIMIT: usize = 48;

/// Clients send a tool as `mcp__SERVER__TOOL` and accept this many characters of that.
pub(crate) const QUALIFIED_NAME_LIMIT: usize = 64;

/// An argument's name may have this many characters.
pub(crate) const ARGUMENT_NAME_LIMIT: usize = 64;

/// The tool that the runtime adds where tools borrow session state.
pub(crate) const MINTING_TOOL: &str = "open_session";

/// The argument that the runtime adds to functions that borrow session state.
pub(crate) const HANDLE_ARGUMENT: &str = "session";

/// The argument of a completion that is what was typed so far.
pub(crate) const TYPED_ARGUMENT: &str = "value";

/// Whether every client accepts it as the name of a tool, prompt or resource, its length aside.
pub(crate) fn is_function_name(name: &str) -> bool {
    starts_well(name) && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-')
}

/// Whether every client accepts it as an argument's name, its length aside.
pub(crate) fn is_argument_name(name: &str) -> bool {
    starts_well(name) && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

fn starts_well(name: &str) -> bool {
    name.bytes().next().is_some_and(|byte| byte.is_ascii_alphabetic() || byte == b'_')
}

/// Whether it is a token of HTTP, as the names of headers are.
pub(crate) fn is_header_name(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte))
}

/// Whether stores accept it as the key of a session type.
pub(crate) fn is_state_key(key: &str) -> bool {
    (1..=128).contains(&key.len()) && key.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_.:-".contains(&byte))
}

/// `HTTPServer` → `http_server`, `NotebookV2` → `notebook_v2`.
pub(crate) fn snake_case(name: &str) -> String {
    let characters: Vec<char> = name.chars().collect();
    let mut snake = String::new();
    for (index, character) in characters.iter().enumerate() {
        let before = index.checked_sub(1).map(|index| characters[index]);
        let starts_word = character.is_uppercase()
            && before.is_some_and(|before| {
                before.is_lowercase()
                    || before.is_numeric()
                    || before.is_uppercase() && characters.get(index + 1).is_some_and(|next| next.is_lowercase())
            });
        if starts_word {
            snake.push('_');
        }
        snake.extend(character.to_lowercase());
    }
    snake
}

/// `session_server` → `SessionServer`.
pub(crate) fn camel_case(name: &str) -> String {
    let word = |word: &str| {
        let mut characters = word.chars();
        characters.next().map(|first| first.to_uppercase().chain(characters).collect::<String>())
    };
    name.split('_').filter_map(word).collect()
}
