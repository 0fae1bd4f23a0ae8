//! Generated code depends on nothing in the user's scope: here it has no prelude, the runtime has another name, and the
//! names that careless code would use mean something else.

extern crate mcp_runtime as renamed;

#[expect(dead_code, reason = "names that stand in the way of careless code")]
mod strict {
    #![no_implicit_prelude]

    use super::renamed::{Context, PromptMessage, Reply, ToolError};

    // What generated code must not take for the standard library's.
    pub struct Option;
    pub struct Result;
    pub struct Box;
    pub struct String;
    pub struct Vec;
    pub trait Default {}
    pub trait Send {}
    pub trait Service {}
    pub mod core {}
    pub mod std {}
    pub mod mcp_runtime {}
    pub mod serde_json {}
    pub const NAME: &str = "strict";

    #[derive(::core::default::Default, ::serde::Serialize, ::serde::Deserialize, super::renamed::SessionState)]
    #[state(crate = "crate::hygiene::renamed")]
    pub struct Notebook {
        notes: ::std::vec::Vec<::std::string::String>,
    }

    #[derive(::core::default::Default, ::serde::Serialize, ::serde::Deserialize, super::renamed::SessionState)]
    #[state(crate = "crate::hygiene::renamed")]
    pub struct Draft;

    #[derive(::core::default::Default, ::serde::Serialize, ::serde::Deserialize, super::renamed::SessionState)]
    #[state(crate = "crate::hygiene::renamed")]
    pub enum Order {
        #[default]
        Oldest,
        Newest(u32),
        By {
            key: ::std::string::String,
        },
    }

    pub struct Notes {
        pub limit: usize,
    }

    /// Keeps notes.
    #[super::renamed::mcp_server(crate = "crate::hygiene::renamed", name = NAME)]
    impl Notes {
        /// Adds a note.
        #[tool(title = "Add", idempotent, icon = "https://example.com/icon.png")]
        async fn add(
            &self,
            notebook: &mut Notebook,
            order: &Order,
            cx: &Context,
            /// The note.
            text: ::std::string::String,
            #[arg(default = 1, header = "Times")] times: u8,
            #[arg(default)] loud: bool,
            mark: ::core::option::Option<char>,
        ) -> ::core::result::Result<usize, ToolError> {
            let (_, _, _, _, _, _) = (self.limit, order, cx, times, loud, mark);
            notebook.notes.push(text);
            ::core::result::Result::Ok(notebook.notes.len())
        }

        /// Counts notes.
        #[tool(blocking, read_only)]
        fn count(&self, notebook: &Notebook) -> Reply<usize> {
            Reply::new(notebook.notes.len(), "counted")
        }

        /// The name.
        #[tool(task, single_use, deadline = ::std::time::Duration::from_secs(1), meta = "{}")]
        fn name(&self) -> &str {
            NAME
        }

        /// Asks for a note.
        #[prompt(title = "Ask", deadline = ::std::time::Duration::from_secs(1))]
        async fn ask(
            &self,
            draft: &mut Draft,
            #[arg(default)] loud: bool,
            about: ::core::option::Option<::std::string::String>,
        ) -> ::core::result::Result<::std::vec::Vec<PromptMessage>, ToolError> {
            let _ = (draft, loud, about);
            ::core::result::Result::Ok(::std::vec::Vec::new())
        }

        /// A note.
        #[resource("notes://{number}{?page}", audience = "user", priority = 0.5, ttl = ::std::time::Duration::ZERO, public)]
        fn note(
            &self,
            notebook: &Notebook,
            cx: &Context,
            number: usize,
            page: ::core::option::Option<u8>,
        ) -> ::core::option::Option<::std::string::String> {
            let _ = (cx, page);
            notebook.notes.get(number).cloned()
        }

        #[resource("notes://limit")]
        fn limit(&self) -> usize {
            self.limit
        }

        #[complete(resource = "notes://{number}{?page}", argument = "number")]
        fn numbers(
            &self,
            value: ::std::string::String,
            page: ::core::option::Option<u8>,
        ) -> [::std::string::String; 1] {
            let _ = page;
            [value]
        }
    }

    #[super::renamed::mcp_server(crate = "crate::hygiene::renamed")]
    pub mod calculator {
        #![no_implicit_prelude]

        /// Adds two numbers.
        #[tool]
        pub fn add(a: i64, b: i64, notebook: &super::Notebook) -> i64 {
            a + b + notebook.notes.len() as i64
        }
    }
}

#[test]
fn a_server_needs_nothing_of_the_scope_it_is_in() {
    use mcp_runtime::__private::{Service, SessionView};
    let notes = strict::Notes { limit: 1 };
    assert_eq!(notes.card().name, "strict");
    assert_eq!(["add", "count", "name", "other"].map(|tool| notes.find_tool(tool)), [Some(0), Some(1), Some(2), None]);
    assert_eq!(["ask", "add"].map(|prompt| notes.find_prompt(prompt)), [Some(0), None]);
    assert_eq!(notes.card().resources.len(), 2);
    assert_eq!(notes.card().completions.len(), 1);
    let required: Vec<bool> =
        notes.card().tools[0].function.arguments.iter().map(|argument| argument.required).collect();
    assert_eq!(required, [true, false, false, false]);
    let keys = |parts: &[mcp_runtime::__private::PartCard]| parts.iter().map(|part| part.part.key).collect::<Vec<_>>();
    assert_eq!(keys(strict::NotesSession::PARTS), ["Notebook", "Order", "Draft"]);
    assert_eq!(keys(strict::calculator::CalculatorSession::PARTS), ["Notebook"]);
    let _ = strict::calculator::server;
}

#[test]
fn name_and_version_are_those_of_the_users_crate() {
    use mcp_runtime::__private::Service;
    struct Plain;
    #[mcp_runtime::mcp_server]
    impl Plain {
        /// Nothing.
        #[tool]
        fn nothing() {}
    }
    assert_eq!((Plain.card().name, Plain.card().version), (env!("CARGO_PKG_NAME"), env!("CARGO_PKG_VERSION")));
}
