//! The same tools on mcp-runtime, as its documentation shows.
//!
//! Usage: `BENCH_SERVER=echo|echo-50|counter|announcing server-ours --transport streamable-http --port PORT`

use mcp_runtime::prelude::*;

/// A server with `echo` and these tools.
macro_rules! echo_server {
    ($server:ident: $($tool:ident)*) => {
        #[mcp_server]
        mod $server {
            /// Say it back.
            #[tool]
            pub async fn echo(
                /// What to say back.
                message: String,
            ) -> String {
                message
            }

            $(
                /// Say it back, louder.
                #[tool]
                pub async fn $tool(
                    /// What to say back.
                    message: String,
                ) -> String {
                    message.to_uppercase()
                }
            )*
        }
    };
}

echo_server! { two_tools: tool_01 }
echo_server! { fifty_tools:
    tool_01 tool_02 tool_03 tool_04 tool_05 tool_06 tool_07 tool_08 tool_09 tool_10
    tool_11 tool_12 tool_13 tool_14 tool_15 tool_16 tool_17 tool_18 tool_19 tool_20
    tool_21 tool_22 tool_23 tool_24 tool_25 tool_26 tool_27 tool_28 tool_29 tool_30
    tool_31 tool_32 tool_33 tool_34 tool_35 tool_36 tool_37 tool_38 tool_39 tool_40
    tool_41 tool_42 tool_43 tool_44 tool_45 tool_46 tool_47 tool_48 tool_49
}

/// How often one session was served.
#[derive(Clone, Default, Serialize, Deserialize, SessionState)]
struct Served {
    calls: u64,
}

/// Counts what it says back, for each session.
#[mcp_server]
mod counter {
    use super::Served;

    /// Say it back.
    #[tool]
    pub async fn echo(
        served: &mut Served,
        /// What to say back.
        message: String,
    ) -> String {
        served.calls += 1;
        message
    }

    /// How often this session was served.
    #[tool(read_only)]
    pub fn calls(served: &Served) -> u64 {
        served.calls
    }
}

/// Promises news of its list, so that clients can listen.
#[mcp_server(changes)]
mod announcing {
    /// Say it back.
    #[tool]
    pub async fn echo(
        /// What to say back.
        message: String,
    ) -> String {
        message
    }
}

fn main() -> mcp_runtime::Result {
    let server = match std::env::var("BENCH_SERVER").as_deref() {
        Ok("echo") => two_tools::server(),
        Ok("echo-50") => fifty_tools::server(),
        Ok("counter") => counter::server(),
        Ok("announcing") => announcing::server(),
        _ => {
            eprintln!(
                "usage: BENCH_SERVER=echo|echo-50|counter|announcing server-ours --transport streamable-http --port PORT"
            );
            std::process::exit(2)
        }
    };
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
    runtime.expect("a runtime").block_on(server.run())
}
