#[derive(Default, Serialize, Deserialize, SessionState)]
#[state(key = "cart:v1", version = 2, crate = "renamed")]
enum Cart {
    #[default]
    Empty,
    Items(Vec<Item>, u32),
    Paid { by: String },
}
#[doc(hidden)]
const _: () = {
    use ::renamed::__private as __mcp;
    #[allow(unused_imports)]
    use __mcp::NoCopy as _;
    #[automatically_derived]
    #[allow(clippy::all, clippy::pedantic)]
    impl __mcp::SessionState for Cart {
        const KEY: &'static str = "cart:v1";
        const VERSION: u32 = 2u32;
        fn draft(&self) -> Self {
            match self {
                Self::Empty { .. } => Self::Empty {},
                Self::Items { 0: __mcp_0, 1: __mcp_1 } => {
                    match (__mcp::Copy(__mcp_0).copy(), __mcp::Copy(__mcp_1).copy()) {
                        (__mcp::Some(__mcp_0), __mcp::Some(__mcp_1)) => {
                            Self::Items {
                                0: __mcp_0,
                                1: __mcp_1,
                            }
                        }
                        _ => __mcp::copy_through_json(self),
                    }
                }
                Self::Paid { by: __mcp_by } => {
                    match (__mcp::Copy(__mcp_by).copy(),) {
                        (__mcp::Some(__mcp_by),) => Self::Paid { by: __mcp_by },
                        _ => __mcp::copy_through_json(self),
                    }
                }
            }
        }
    }
};
#[derive(Default, Serialize, Deserialize, SessionState)]
struct Seen;
#[doc(hidden)]
const _: () = {
    use ::mcp_runtime::__private as __mcp;
    #[allow(unused_imports)]
    use __mcp::NoCopy as _;
    #[automatically_derived]
    #[allow(clippy::all, clippy::pedantic)]
    impl __mcp::SessionState for Seen {
        const KEY: &'static str = "Seen";
        const VERSION: u32 = 0u32;
        fn draft(&self) -> Self {
            match self {
                Self { .. } => Self {},
            }
        }
    }
};
