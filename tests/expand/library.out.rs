/// Lends books.
impl Library {
    /// Lends a book.
    async fn lend(&self, loans: &mut Loans, title: String) -> Result<String, ToolError> {}
    /// Asks for a review of a book.
    fn review(&self, title: String, tone: Option<Tone>) -> Vec<PromptMessage> {}
    /// A book.
    async fn book(&self, loans: &Loans, title: String, page: u32) -> Option<String> {}
    fn all() -> Vec<Title> {}
    fn titles(&self, value: String, tone: Option<Tone>) -> Vec<String> {}
}
/// All the state that one session of `Library` has, typed: for hooks, tests and operators.
#[allow(private_interfaces, unreachable_pub, dead_code)]
pub struct LibrarySession {
    /// The session's `Loans`.
    pub loans: Loans,
}
#[doc(hidden)]
const _: () = {
    use ::mcp_runtime::__private as __mcp;
    const __MCP_PART_0: __mcp::Part<Loans> = __mcp::part::<Loans>();
    #[automatically_derived]
    impl ::core::default::Default for LibrarySession {
        fn default() -> Self {
            Self {
                loans: __MCP_PART_0.fresh(),
            }
        }
    }
    #[automatically_derived]
    impl __mcp::SessionView for LibrarySession {
        const PARTS: &'static [__mcp::PartCard] = &[__MCP_PART_0.reads()];
        fn from_slots(slots: &[__mcp::PartSlot]) -> __mcp::Option<Self> {
            if slots.len() != 1usize {
                return __mcp::None;
            }
            __mcp::Some(Self {
                loans: __MCP_PART_0.copy(&slots[0usize]),
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
    const __MCP_PART_0_0: __mcp::Part<Loans> = __mcp::part::<Loans>();
    fn __mcp_output_0() -> __mcp::Output<Result<String, ToolError>> {
        let __mcp_peeled = __mcp::Probe::<Result<String, ToolError>>::NEW.peel();
        let __mcp_inner = __mcp_peeled.inner();
        __mcp::output(__mcp_peeled.opens(), __mcp_inner.closes())
    }
    const __MCP_ARGUMENT_1_0: __mcp::Argument<String> = __mcp::argument::<String>();
    const __MCP_ARGUMENT_1_1: __mcp::Argument<Option<Tone>> = __mcp::argument::<
        Option<Tone>,
    >();
    fn __mcp_output_1() -> __mcp::Output<Vec<PromptMessage>, __mcp::PromptResult> {
        let __mcp_peeled = __mcp::Probe::<Vec<PromptMessage>>::NEW.peel();
        let __mcp_inner = __mcp_peeled.inner();
        __mcp::output(__mcp_peeled.opens(), __mcp_inner.closes_prompt())
    }
    const __MCP_ARGUMENT_2_0: __mcp::Argument<String> = __mcp::argument::<String>();
    const __MCP_ARGUMENT_2_1: __mcp::Argument<u32> = __mcp::argument::<u32>();
    const __MCP_DEFAULT_2_1: __mcp::DefaultOf<u32> = __mcp::default::<
        u32,
    >(__mcp_default_2_1);
    #[allow(clippy::all, clippy::pedantic)]
    fn __mcp_default_2_1() -> u32 {
        1
    }
    const __MCP_PART_2_0: __mcp::Part<Loans> = __mcp::part::<Loans>();
    fn __mcp_output_2() -> __mcp::Output<Option<String>, __mcp::ResourceResult> {
        let __mcp_peeled = __mcp::Probe::<Option<String>>::NEW.peel();
        let __mcp_perhaps = __mcp_peeled.inner().perhaps();
        let __mcp_inner = __mcp_perhaps.inner();
        __mcp::output(
            __mcp_peeled.opens(),
            __mcp_perhaps.closes(__mcp_inner.closes_resource()),
        )
    }
    fn __mcp_output_3() -> __mcp::Output<Vec<Title>, __mcp::ResourceResult> {
        let __mcp_peeled = __mcp::Probe::<Vec<Title>>::NEW.peel();
        let __mcp_perhaps = __mcp_peeled.inner().perhaps();
        let __mcp_inner = __mcp_perhaps.inner();
        __mcp::output(
            __mcp_peeled.opens(),
            __mcp_perhaps.closes(__mcp_inner.closes_resource()),
        )
    }
    const __MCP_ARGUMENT_4_0: __mcp::Argument<String> = __mcp::argument::<String>();
    const __MCP_ARGUMENT_4_1: __mcp::Argument<Option<Tone>> = __mcp::argument::<
        Option<Tone>,
    >();
    fn __mcp_output_4() -> __mcp::Output<Vec<String>, __mcp::Completion> {
        let __mcp_peeled = __mcp::Probe::<Vec<String>>::NEW.peel();
        let __mcp_inner = __mcp_peeled.inner();
        __mcp::output(__mcp_peeled.opens(), __mcp_inner.closes_completion())
    }
    const _: () = ::core::assert!(
        ! < __mcp::Probe < Option < Tone > >> ::REQUIRED,
        "an argument beside `value` must be one that may be left out, for it may not be known yet, found one that must be given; take an `Option`"
    );
    #[allow(clippy::needless_update)]
    static __MCP_CARD: __mcp::ServerCard = __mcp::ServerCard {
        name: "library",
        version: ::core::env!("CARGO_PKG_VERSION"),
        title: __mcp::None,
        instructions: __mcp::Some("Lends books."),
        website_url: __mcp::None,
        icons: &[],
        tools: &[
            __mcp::ToolCard {
                function: __mcp::FunctionCard {
                    name: "lend",
                    description: "Lends a book.",
                    meta: __mcp::Some(r#"{"example.com/desk":1}"#),
                    arguments: &[
                        __mcp::ArgumentCard {
                            name: "title",
                            description: "",
                            required: <__mcp::Probe<String>>::REQUIRED,
                            default: __mcp::None,
                            header: __mcp::None,
                            schema: __MCP_ARGUMENT_0_0.schema(),
                        },
                    ],
                    parts: &[__MCP_PART_0_0.writes()],
                    deadline: __mcp::Some(Library::PATIENCE),
                    ..__mcp::FunctionCard::BLANK
                },
                annotations: __mcp::ToolAnnotations {
                    read_only: __mcp::None,
                    destructive: __mcp::None,
                    idempotent: __mcp::None,
                    open_world: __mcp::None,
                },
                output: || __mcp_output_0().card(),
                task: __mcp::TaskSupport::Required,
                single_use: true,
                ..__mcp::ToolCard::BLANK
            },
        ],
        prompts: &[
            __mcp::PromptCard {
                function: __mcp::FunctionCard {
                    name: "review",
                    title: __mcp::Some("Review"),
                    description: "Asks for a review of a book.",
                    arguments: &[
                        __mcp::ArgumentCard {
                            name: "title",
                            description: "",
                            required: <__mcp::Probe<String>>::REQUIRED,
                            default: __mcp::None,
                            header: __mcp::None,
                            schema: __MCP_ARGUMENT_1_0.schema(),
                        },
                        __mcp::ArgumentCard {
                            name: "tone",
                            description: "",
                            required: <__mcp::Probe<Option<Tone>>>::REQUIRED,
                            default: __mcp::None,
                            header: __mcp::None,
                            schema: __MCP_ARGUMENT_1_1.schema(),
                        },
                    ],
                    deadline: __mcp::Some(Duration::from_secs(5)),
                    ..__mcp::FunctionCard::BLANK
                },
            },
        ],
        resources: &[
            __mcp::ResourceCard {
                function: __mcp::FunctionCard {
                    name: "book",
                    description: "A book.",
                    arguments: &[
                        __mcp::ArgumentCard {
                            name: "title",
                            description: "",
                            required: <__mcp::Probe<String>>::REQUIRED,
                            default: __mcp::None,
                            header: __mcp::None,
                            schema: __MCP_ARGUMENT_2_0.schema(),
                        },
                        __mcp::ArgumentCard {
                            name: "page",
                            description: "",
                            required: false,
                            default: __mcp::Some(|| __MCP_DEFAULT_2_1.show()),
                            header: __mcp::None,
                            schema: __MCP_ARGUMENT_2_1.schema(),
                        },
                    ],
                    parts: &[__MCP_PART_2_0.reads()],
                    ..__mcp::FunctionCard::BLANK
                },
                uri: "books://{title}{?page}",
                mime_type: __mcp::Some("text/plain"),
                annotations: __mcp::AnnotationsCard {
                    audience: &[__mcp::Role::User],
                    priority: __mcp::Some(1f64),
                    last_modified: __mcp::None,
                },
                cache: __mcp::CacheHint {
                    ttl: WEEK,
                    public: true,
                    ..__mcp::CacheHint::NONE
                },
                ..__mcp::ResourceCard::BLANK
            },
            __mcp::ResourceCard {
                function: __mcp::FunctionCard {
                    name: "all",
                    description: "",
                    ..__mcp::FunctionCard::BLANK
                },
                uri: "books://all",
                size: __mcp::Some(12),
                ..__mcp::ResourceCard::BLANK
            },
        ],
        completions: &[
            __mcp::CompletionCard {
                function: __mcp::FunctionCard {
                    name: "titles",
                    description: "",
                    arguments: &[
                        __mcp::ArgumentCard {
                            name: "value",
                            description: "",
                            required: <__mcp::Probe<String>>::REQUIRED,
                            default: __mcp::None,
                            header: __mcp::None,
                            schema: __MCP_ARGUMENT_4_0.schema(),
                        },
                        __mcp::ArgumentCard {
                            name: "tone",
                            description: "",
                            required: <__mcp::Probe<Option<Tone>>>::REQUIRED,
                            default: __mcp::None,
                            header: __mcp::None,
                            schema: __MCP_ARGUMENT_4_1.schema(),
                        },
                    ],
                    ..__mcp::FunctionCard::BLANK
                },
                reference: __mcp::CompletionReference::Prompt("review"),
                argument: "title",
            },
        ],
        cache: __mcp::CacheHint {
            ttl: Duration::from_secs(60),
            public: true,
            ..__mcp::CacheHint::NONE
        },
        lenient: true,
        changes: false,
        ..__mcp::ServerCard::BLANK
    };
    #[automatically_derived]
    #[allow(clippy::all, clippy::pedantic)]
    impl __mcp::Service for Library {
        fn card(&self) -> &'static __mcp::ServerCard {
            &__MCP_CARD
        }
        fn find_tool(&self, name: &str) -> __mcp::Option<usize> {
            match name {
                "lend" => __mcp::Some(0usize),
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
                        let (__mcp_value_0,) = {
                            let mut __mcp_slot_0 = __MCP_ARGUMENT_0_0.slot(__mcp::None);
                            __mcp::decode(
                                run.arguments,
                                &__MCP_CARD.tools[0usize].function,
                                __MCP_CARD.lenient,
                                &mut [&mut __mcp_slot_0],
                            )?;
                            (__mcp_slot_0.take(),)
                        };
                        let [__mcp_part_0] = __mcp::parts(run.parts)?;
                        __mcp_output_0()
                            .finish(
                                <Library>::lend(
                                        self,
                                        __MCP_PART_0_0.write(__mcp_part_0),
                                        __mcp_value_0,
                                    )
                                    .await,
                            )
                    })
                }
                _ => __mcp::no_such("tool", index),
            }
        }
        fn find_prompt(&self, name: &str) -> __mcp::Option<usize> {
            match name {
                "review" => __mcp::Some(0usize),
                _ => __mcp::None,
            }
        }
        fn get_prompt<'__mcp>(
            &'__mcp self,
            index: usize,
            run: __mcp::Run<'__mcp>,
        ) -> __mcp::Called<'__mcp, __mcp::PromptResult> {
            match index {
                0usize => {
                    __mcp::future_must_be_send(async move {
                        let (__mcp_value_0, __mcp_value_1) = {
                            let mut __mcp_slot_0 = __MCP_ARGUMENT_1_0.slot(__mcp::None);
                            let mut __mcp_slot_1 = __MCP_ARGUMENT_1_1.slot(__mcp::None);
                            __mcp::decode(
                                run.arguments,
                                &__MCP_CARD.prompts[0usize].function,
                                true,
                                &mut [&mut __mcp_slot_0, &mut __mcp_slot_1],
                            )?;
                            (__mcp_slot_0.take(), __mcp_slot_1.take())
                        };
                        __mcp_output_1()
                            .finish(
                                <Library>::review(self, __mcp_value_0, __mcp_value_1),
                            )
                    })
                }
                _ => __mcp::no_such("prompt", index),
            }
        }
        fn read_resource<'__mcp>(
            &'__mcp self,
            index: usize,
            run: __mcp::Run<'__mcp>,
        ) -> __mcp::Called<'__mcp, __mcp::ResourceResult> {
            match index {
                0usize => {
                    __mcp::future_must_be_send(async move {
                        let (__mcp_value_0, __mcp_value_1) = {
                            let mut __mcp_slot_0 = __MCP_ARGUMENT_2_0.slot(__mcp::None);
                            let mut __mcp_slot_1 = __MCP_ARGUMENT_2_1
                                .slot(__MCP_DEFAULT_2_1.make());
                            __mcp::decode(
                                run.arguments,
                                &__MCP_CARD.resources[0usize].function,
                                true,
                                &mut [&mut __mcp_slot_0, &mut __mcp_slot_1],
                            )?;
                            (__mcp_slot_0.take(), __mcp_slot_1.take())
                        };
                        let [__mcp_part_0] = __mcp::parts(run.parts)?;
                        __mcp_output_2()
                            .finish(
                                <Library>::book(
                                        self,
                                        __MCP_PART_2_0.read(__mcp_part_0),
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
                            &__MCP_CARD.resources[1usize].function,
                            true,
                            &mut [],
                        )?;
                        __mcp_output_3().finish(<Library>::all())
                    })
                }
                _ => __mcp::no_such("resource", index),
            }
        }
        fn complete<'__mcp>(
            &'__mcp self,
            index: usize,
            run: __mcp::Run<'__mcp>,
        ) -> __mcp::Called<'__mcp, __mcp::Completion> {
            match index {
                0usize => {
                    __mcp::future_must_be_send(async move {
                        let (__mcp_value_0, __mcp_value_1) = {
                            let mut __mcp_slot_0 = __MCP_ARGUMENT_4_0.slot(__mcp::None);
                            let mut __mcp_slot_1 = __MCP_ARGUMENT_4_1.slot(__mcp::None);
                            __mcp::decode(
                                run.arguments,
                                &__MCP_CARD.completions[0usize].function,
                                true,
                                &mut [&mut __mcp_slot_0, &mut __mcp_slot_1],
                            )?;
                            (__mcp_slot_0.take(), __mcp_slot_1.take())
                        };
                        __mcp_output_4()
                            .finish(
                                <Library>::titles(self, __mcp_value_0, __mcp_value_1),
                            )
                    })
                }
                _ => __mcp::no_such("completion", index),
            }
        }
    }
};
