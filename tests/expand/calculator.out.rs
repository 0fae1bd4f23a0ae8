mod calculator {
    /// Add two numbers.
    pub fn add(a: i64, b: i64) -> i64 {
        a + b
    }
    /// This server, to be configured and run.
    #[allow(dead_code, unreachable_pub, clippy::all, clippy::pedantic)]
    #[must_use]
    pub fn server() -> ::mcp_runtime::Server {
        struct __McpServer;
        use ::mcp_runtime::__private as __mcp;
        #[allow(unused_imports)]
        use __mcp::{
            ChooseJson as _, ChooseTyped as _, IsThere as _, KeepWhole as _,
            MustBeGiven as _,
        };
        const __MCP_ARGUMENT_0_0: __mcp::Argument<i64> = __mcp::argument::<i64>();
        const __MCP_ARGUMENT_0_1: __mcp::Argument<i64> = __mcp::argument::<i64>();
        fn __mcp_output_0() -> __mcp::Output<i64> {
            let __mcp_peeled = __mcp::Probe::<i64>::NEW.peel();
            let __mcp_inner = __mcp_peeled.inner();
            __mcp::output(__mcp_peeled.opens(), __mcp_inner.closes())
        }
        #[allow(clippy::needless_update)]
        static __MCP_CARD: __mcp::ServerCard = __mcp::ServerCard {
            name: ::core::env!("CARGO_PKG_NAME"),
            version: ::core::env!("CARGO_PKG_VERSION"),
            title: __mcp::None,
            instructions: __mcp::None,
            website_url: __mcp::None,
            icons: &[],
            tools: &[
                __mcp::ToolCard {
                    function: __mcp::FunctionCard {
                        name: "add",
                        description: "Add two numbers.",
                        arguments: &[
                            __mcp::ArgumentCard {
                                name: "a",
                                description: "",
                                required: <__mcp::Probe<i64>>::REQUIRED,
                                default: __mcp::None,
                                header: __mcp::None,
                                schema: __MCP_ARGUMENT_0_0.schema(),
                            },
                            __mcp::ArgumentCard {
                                name: "b",
                                description: "",
                                required: <__mcp::Probe<i64>>::REQUIRED,
                                default: __mcp::None,
                                header: __mcp::None,
                                schema: __MCP_ARGUMENT_0_1.schema(),
                            },
                        ],
                        ..__mcp::FunctionCard::BLANK
                    },
                    annotations: __mcp::ToolAnnotations {
                        read_only: __mcp::None,
                        destructive: __mcp::None,
                        idempotent: __mcp::None,
                        open_world: __mcp::None,
                    },
                    output: || __mcp_output_0().card(),
                    ..__mcp::ToolCard::BLANK
                },
            ],
            lenient: true,
            changes: false,
            ..__mcp::ServerCard::BLANK
        };
        #[automatically_derived]
        #[allow(clippy::all, clippy::pedantic)]
        impl __mcp::Service for __McpServer {
            fn card(&self) -> &'static __mcp::ServerCard {
                &__MCP_CARD
            }
            fn find_tool(&self, name: &str) -> __mcp::Option<usize> {
                match name {
                    "add" => __mcp::Some(0usize),
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
                                let mut __mcp_slot_1 = __MCP_ARGUMENT_0_1.slot(__mcp::None);
                                __mcp::decode(
                                    run.arguments,
                                    &__MCP_CARD.tools[0usize].function,
                                    __MCP_CARD.lenient,
                                    &mut [&mut __mcp_slot_0, &mut __mcp_slot_1],
                                )?;
                                (__mcp_slot_0.take(), __mcp_slot_1.take())
                            };
                            __mcp_output_0().finish(add(__mcp_value_0, __mcp_value_1))
                        })
                    }
                    _ => __mcp::no_such("tool", index),
                }
            }
        }
        ::mcp_runtime::Server::new(__McpServer)
    }
    /// Runs this server until it is told to stop; the command line and the environment say where.
    ///
    /// # Errors
    /// When it can't start, or has to stop.
    #[allow(dead_code, unreachable_pub, clippy::all, clippy::pedantic)]
    pub fn serve() -> ::mcp_runtime::Result {
        server().serve()
    }
}
