/// What one session has written down.
#[derive(Default, Serialize, Deserialize, SessionState)]
struct Notebook {
    notes: Vec<String>,
}
#[doc(hidden)]
const _: () = {
    use ::mcp_runtime::__private as __mcp;
    #[allow(unused_imports)]
    use __mcp::NoCopy as _;
    #[automatically_derived]
    #[allow(clippy::all, clippy::pedantic)]
    impl __mcp::SessionState for Notebook {
        const KEY: &'static str = "Notebook";
        const VERSION: u32 = 0u32;
        fn draft(&self) -> Self {
            match self {
                Self { notes: __mcp_notes } => {
                    match (__mcp::Copy(__mcp_notes).copy(),) {
                        (__mcp::Some(__mcp_notes),) => Self { notes: __mcp_notes },
                        _ => __mcp::copy_through_json(self),
                    }
                }
            }
        }
    }
};
/// Keeps notes, one notebook per session.
impl Notes {
    /// Add a note to the end of the notebook.
    async fn add_note(
        &self,
        notebook: &mut Notebook,
        cx: &Context,
        text: String,
        count: u32,
    ) -> Result<Appended, ToolError> {
        self.append(notebook, text, count)
    }
    /// Every note so far, oldest first.
    ///
    /// Answers at once.
    fn list_notes(notebook: &Notebook) -> Vec<String> {
        notebook.notes.clone()
    }
    /// The name of the server, after a while.
    fn motto(&self, language: String, loud: bool) -> &str {
        self.motto(&language)
    }
    const ONCE: u32 = 1;
    fn append(
        &self,
        notebook: &mut Notebook,
        text: String,
        count: u32,
    ) -> Result<Appended, ToolError> {
        todo!()
    }
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
#[doc(hidden)]
const _: () = {
    use ::mcp_runtime::__private as __mcp;
    #[allow(unused_imports)]
    use __mcp::{
        ChooseJson as _, ChooseTyped as _, IsThere as _, KeepWhole as _, MustBeGiven as _,
    };
    const __MCP_ARGUMENT_0_0: __mcp::Argument<String> = __mcp::argument::<String>();
    const __MCP_ARGUMENT_0_1: __mcp::Argument<u32> = __mcp::argument::<u32>();
    const __MCP_HEADER_0_1: __mcp::Option<&'static str> = __mcp::header::<u32>("Times");
    const __MCP_DEFAULT_0_1: __mcp::DefaultOf<u32> = __mcp::default::<
        u32,
    >(__mcp_default_0_1);
    #[allow(clippy::all, clippy::pedantic)]
    fn __mcp_default_0_1() -> u32 {
        Notes::ONCE
    }
    const __MCP_PART_0_0: __mcp::Part<Notebook> = __mcp::part::<Notebook>();
    const __MCP_CONTEXT_0_0: __mcp::ContextOf<Context> = __mcp::context::<Context>();
    fn __mcp_output_0() -> __mcp::Output<Result<Appended, ToolError>> {
        let __mcp_peeled = __mcp::Probe::<Result<Appended, ToolError>>::NEW.peel();
        let __mcp_inner = __mcp_peeled.inner();
        __mcp::output(__mcp_peeled.opens(), __mcp_inner.closes())
    }
    const __MCP_PART_1_0: __mcp::Part<Notebook> = __mcp::part::<Notebook>();
    fn __mcp_output_1() -> __mcp::Output<Vec<String>> {
        let __mcp_peeled = __mcp::Probe::<Vec<String>>::NEW.peel();
        let __mcp_inner = __mcp_peeled.inner();
        __mcp::output(__mcp_peeled.opens(), __mcp_inner.closes())
    }
    const __MCP_ARGUMENT_2_0: __mcp::Argument<String> = __mcp::argument::<String>();
    const __MCP_DEFAULT_2_0: __mcp::DefaultOf<String> = __mcp::default::<
        String,
    >(__mcp_default_2_0);
    #[allow(clippy::all, clippy::pedantic)]
    fn __mcp_default_2_0() -> String {
        __mcp::default_text::<String>("en")
    }
    const __MCP_ARGUMENT_2_1: __mcp::Argument<bool> = __mcp::argument::<bool>();
    const __MCP_DEFAULT_2_1: __mcp::DefaultOf<bool> = __mcp::default::<
        bool,
    >(__mcp_default_2_1);
    #[allow(clippy::all, clippy::pedantic)]
    fn __mcp_default_2_1() -> bool {
        __mcp::default_own::<bool>()
    }
    fn __mcp_output_2<'__mcp>() -> __mcp::Output<&'__mcp str> {
        let __mcp_peeled = __mcp::Probe::<&'__mcp str>::NEW.peel();
        let __mcp_inner = __mcp_peeled.inner();
        __mcp::output(__mcp_peeled.opens(), __mcp_inner.closes())
    }
    #[allow(clippy::needless_update)]
    static __MCP_CARD: __mcp::ServerCard = __mcp::ServerCard {
        name: "notes",
        version: VERSION,
        title: __mcp::Some("Notes"),
        instructions: __mcp::Some("Keeps notes, one notebook per session."),
        website_url: __mcp::Some("https://example.com"),
        icons: &[],
        tools: &[
            __mcp::ToolCard {
                function: __mcp::FunctionCard {
                    name: "add_note",
                    title: __mcp::Some("Add a note"),
                    description: "Add a note to the end of the notebook.",
                    arguments: &[
                        __mcp::ArgumentCard {
                            name: "text",
                            description: "The note, as plain text.",
                            required: <__mcp::Probe<String>>::REQUIRED,
                            default: __mcp::None,
                            header: __mcp::None,
                            schema: __MCP_ARGUMENT_0_0.schema(),
                        },
                        __mcp::ArgumentCard {
                            name: "times",
                            description: "How often.",
                            required: false,
                            default: __mcp::Some(|| __MCP_DEFAULT_0_1.show()),
                            header: __MCP_HEADER_0_1,
                            schema: __MCP_ARGUMENT_0_1.schema(),
                        },
                    ],
                    parts: &[__MCP_PART_0_0.writes()],
                    ..__mcp::FunctionCard::BLANK
                },
                annotations: __mcp::ToolAnnotations {
                    read_only: __mcp::None,
                    destructive: __mcp::None,
                    idempotent: __mcp::Some(false),
                    open_world: __mcp::None,
                },
                output: || __mcp_output_0().card(),
                ..__mcp::ToolCard::BLANK
            },
            __mcp::ToolCard {
                function: __mcp::FunctionCard {
                    name: "list_notes",
                    description: "Every note so far, oldest first.\n\nAnswers at once.",
                    icons: &[
                        __mcp::IconCard {
                            src: "https://example.com/list.png",
                            mime_type: __mcp::None,
                            sizes: &[],
                        },
                    ],
                    parts: &[__MCP_PART_1_0.reads()],
                    ..__mcp::FunctionCard::BLANK
                },
                annotations: __mcp::ToolAnnotations {
                    read_only: __mcp::Some(true),
                    destructive: __mcp::None,
                    idempotent: __mcp::None,
                    open_world: __mcp::None,
                },
                output: || __mcp_output_1().card(),
                ..__mcp::ToolCard::BLANK
            },
            __mcp::ToolCard {
                function: __mcp::FunctionCard {
                    name: "motto",
                    description: "The name of the server, after a while.",
                    arguments: &[
                        __mcp::ArgumentCard {
                            name: "language",
                            description: "",
                            required: false,
                            default: __mcp::Some(|| __MCP_DEFAULT_2_0.show()),
                            header: __mcp::None,
                            schema: __MCP_ARGUMENT_2_0.schema(),
                        },
                        __mcp::ArgumentCard {
                            name: "loud",
                            description: "",
                            required: false,
                            default: __mcp::Some(|| __MCP_DEFAULT_2_1.show()),
                            header: __mcp::None,
                            schema: __MCP_ARGUMENT_2_1.schema(),
                        },
                    ],
                    input_schema: __mcp::Some(include_str!("motto.json")),
                    ..__mcp::FunctionCard::BLANK
                },
                annotations: __mcp::ToolAnnotations {
                    read_only: __mcp::None,
                    destructive: __mcp::None,
                    idempotent: __mcp::None,
                    open_world: __mcp::None,
                },
                output: || __mcp_output_2().card(),
                ..__mcp::ToolCard::BLANK
            },
        ],
        lenient: true,
        changes: false,
        ..__mcp::ServerCard::BLANK
    };
    #[automatically_derived]
    #[allow(clippy::all, clippy::pedantic)]
    impl __mcp::Service for Notes {
        fn card(&self) -> &'static __mcp::ServerCard {
            &__MCP_CARD
        }
        fn find_tool(&self, name: &str) -> __mcp::Option<usize> {
            match name {
                "add_note" => __mcp::Some(0usize),
                "list_notes" => __mcp::Some(1usize),
                "motto" => __mcp::Some(2usize),
                _ => __mcp::None,
            }
        }
        fn call_tool<'__mcp>(
            &'__mcp self,
            index: usize,
            run: __mcp::Run<'__mcp>,
        ) -> __mcp::Called<'__mcp> {
            match index {
                0usize => {
                    __mcp::future_must_be_send(async move {
                        let (__mcp_value_0, __mcp_value_1) = {
                            let mut __mcp_slot_0 = __MCP_ARGUMENT_0_0.slot(__mcp::None);
                            let mut __mcp_slot_1 = __MCP_ARGUMENT_0_1
                                .slot(__MCP_DEFAULT_0_1.make());
                            __mcp::decode(
                                run.arguments,
                                &__MCP_CARD.tools[0usize].function,
                                __MCP_CARD.lenient,
                                &mut [&mut __mcp_slot_0, &mut __mcp_slot_1],
                            )?;
                            (__mcp_slot_0.take(), __mcp_slot_1.take())
                        };
                        let [__mcp_part_0] = __mcp::parts(run.parts)?;
                        __mcp_output_0()
                            .finish(
                                <Notes>::add_note(
                                        self,
                                        __MCP_PART_0_0.write(__mcp_part_0),
                                        __MCP_CONTEXT_0_0.of(run.cx),
                                        __mcp_value_0,
                                        __mcp_value_1,
                                    )
                                    .await,
                            )
                    })
                }
                1usize => {
                    __mcp::future_must_be_send(async move {
                        __mcp::decode(
                            run.arguments,
                            &__MCP_CARD.tools[1usize].function,
                            __MCP_CARD.lenient,
                            &mut [],
                        )?;
                        let [__mcp_part_0] = __mcp::parts(run.parts)?;
                        __mcp_output_1()
                            .finish(
                                <Notes>::list_notes(__MCP_PART_1_0.read(__mcp_part_0)),
                            )
                    })
                }
                2usize => {
                    __mcp::future_must_be_send(async move {
                        let (__mcp_value_0, __mcp_value_1) = {
                            let mut __mcp_slot_0 = __MCP_ARGUMENT_2_0
                                .slot(__MCP_DEFAULT_2_0.make());
                            let mut __mcp_slot_1 = __MCP_ARGUMENT_2_1
                                .slot(__MCP_DEFAULT_2_1.make());
                            __mcp::decode(
                                run.arguments,
                                &__MCP_CARD.tools[2usize].function,
                                __MCP_CARD.lenient,
                                &mut [&mut __mcp_slot_0, &mut __mcp_slot_1],
                            )?;
                            (__mcp_slot_0.take(), __mcp_slot_1.take())
                        };
                        __mcp_output_2()
                            .finish(
                                __mcp::blocking(|| <Notes>::motto(
                                    self,
                                    __mcp_value_0,
                                    __mcp_value_1,
                                )),
                            )
                    })
                }
                _ => __mcp::no_such("tool", index),
            }
        }
    }
};
