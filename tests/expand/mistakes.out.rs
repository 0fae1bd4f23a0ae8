::core::compile_error! {
    "the keys of `#[mcp_server]` are `name`, `version`, `title`, `website_url`, `icon`, `lenient`, `changes`, `list_ttl`, `list_public`, `require_session`, `crate`, found `nam`; remove it"
}
::core::compile_error! {
    "the keys of `#[tool]` are `name`, `title`, `read_only`, `destructive`, `idempotent`, `open_world`, `blocking`, `deadline`, `task`, `ask_first`, `meanwhile`, `single_use`, `icon`, `input_schema`, `meta`, found `readonly`; write `read_only`"
}
::core::compile_error! {
    "the server value must be taken as `&self`, for all sessions share it, found `&mut self`; keep what changes in session state, or in a `Mutex` in the server"
}
::core::compile_error! {
    "arguments must be owned, found `&str`; take `String`"
}
::core::compile_error! {
    "a tool must have a description, by which the model chooses it, found none on `add`; write a doc comment above `fn add`: `/// What it does and when to use it.`"
}
impl Notes {
    fn add(&mut self, notebook: &mut Notebook, text: &str) {
        notebook.notes.push(text.to_owned());
    }
    fn helper(&self) {}
}
/// All the state that one session of `Notes` has, typed: for hooks, tests and operators.
#[allow(private_interfaces, unreachable_pub, dead_code)]
pub struct NotesSession {
    /// The session's `Notebook`.
    pub notebook: Notebook,
}
#[doc(hidden)]
const _: () = {
    use ::mcp_runtime::__private as __mcp;
    const __MCP_PART_0: __mcp::Part<Notebook> = __mcp::part::<Notebook>();
    #[automatically_derived]
    impl ::core::default::Default for NotesSession {
        fn default() -> Self {
            Self {
                notebook: __MCP_PART_0.fresh(),
            }
        }
    }
    #[automatically_derived]
    impl __mcp::SessionView for NotesSession {
        const PARTS: &'static [__mcp::PartCard] = &[__MCP_PART_0.reads()];
        fn from_slots(slots: &[__mcp::PartSlot]) -> __mcp::Option<Self> {
            if slots.len() != 1usize {
                return __mcp::None;
            }
            __mcp::Some(Self {
                notebook: __MCP_PART_0.copy(&slots[0usize]),
            })
        }
    }
};
const _: () = {
    use ::mcp_runtime::__private as __mcp;
    #[automatically_derived]
    impl __mcp::Service for Notes {
        fn card(&self) -> &'static __mcp::ServerCard {
            ::core::unreachable!()
        }
        fn find_tool(&self, _: &str) -> __mcp::Option<usize> {
            ::core::unreachable!()
        }
        fn call_tool<'__mcp>(
            &'__mcp self,
            _: usize,
            _: __mcp::Run<'__mcp>,
        ) -> __mcp::Called<'__mcp> {
            ::core::unreachable!()
        }
    }
};
