//! The same tools on rmcp, set up as its documentation shows: `new()` builds the router, the factory calls `new()`.
//! Stateless is its fastest setting (JSON answers, no sessions for older revisions); stateful is its default setting.
//! On 2026-07-28 both serve the same way, because that revision has no sessions.
//!
//! Usage: `BENCH_SERVER=stateless|stateful|stateless-50|stateful-50 server-rmcp --port PORT`

use std::{io, sync::Arc};

use axum::{Router, serve::ListenerExt};
use rmcp::{
    ServerHandler,
    handler::server::{router::tool::ToolRouter, wrapper::Parameters},
    model::{ServerCapabilities, ServerConfig},
    schemars, tool, tool_handler, tool_router,
    transport::streamable_http_server::{
        StreamableHttpServerConfig, StreamableHttpService, session::local::LocalSessionManager,
    },
};
use tokio::net::TcpListener;

/// The arguments of every tool.
#[derive(serde::Deserialize, schemars::JsonSchema)]
struct Echo {
    /// What to say back.
    message: String,
}

/// A server with `echo` and these tools.
macro_rules! echo_server {
    ($server:ident: $($tool:ident)*) => {
        #[derive(Clone)]
        struct $server {
            tool_router: ToolRouter<Self>,
        }

        #[tool_router]
        impl $server {
            fn new() -> Self {
                Self { tool_router: Self::tool_router() }
            }

            #[tool(description = "Say it back.")]
            async fn echo(&self, Parameters(Echo { message }): Parameters<Echo>) -> String {
                message
            }

            $(
                #[tool(description = "Say it back, louder.")]
                async fn $tool(&self, Parameters(Echo { message }): Parameters<Echo>) -> String {
                    message.to_uppercase()
                }
            )*
        }

        #[tool_handler(router = self.tool_router)]
        impl ServerHandler for $server {
            fn get_info(&self) -> ServerConfig {
                ServerConfig::new(ServerCapabilities::builder().enable_tools().build())
            }
        }
    };
}

echo_server! { TwoTools: tool_01 }
echo_server! { FiftyTools:
    tool_01 tool_02 tool_03 tool_04 tool_05 tool_06 tool_07 tool_08 tool_09 tool_10
    tool_11 tool_12 tool_13 tool_14 tool_15 tool_16 tool_17 tool_18 tool_19 tool_20
    tool_21 tool_22 tool_23 tool_24 tool_25 tool_26 tool_27 tool_28 tool_29 tool_30
    tool_31 tool_32 tool_33 tool_34 tool_35 tool_36 tool_37 tool_38 tool_39 tool_40
    tool_41 tool_42 tool_43 tool_44 tool_45 tool_46 tool_47 tool_48 tool_49
}

fn main() {
    let port = port();
    let (stateful, tools) = match std::env::var("BENCH_SERVER").as_deref() {
        Ok("stateless") => (false, 2),
        Ok("stateful") => (true, 2),
        Ok("stateless-50") => (false, 50),
        Ok("stateful-50") => (true, 50),
        _ => usage(),
    };
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
    runtime.expect("a runtime").block_on(async {
        let router = if tools == 2 {
            router(stateful, || Ok(TwoTools::new()))
        } else {
            router(stateful, || Ok(FiftyTools::new()))
        };
        let listener = TcpListener::bind(("127.0.0.1", port)).await.expect("a free port");
        let listener = listener.tap_io(|stream| stream.set_nodelay(true).expect("TCP_NODELAY"));
        axum::serve(listener, router).await.expect("an accept loop");
    });
}

fn router<S: ServerHandler + Send + 'static>(
    stateful: bool,
    server: impl Fn() -> io::Result<S> + Send + Sync + 'static,
) -> Router {
    let config = StreamableHttpServerConfig::default().with_legacy_session_mode(stateful).with_json_response(!stateful);
    let service = StreamableHttpService::new(server, Arc::new(LocalSessionManager::default()), config);
    Router::new().nest_service("/mcp", service)
}

fn port() -> u16 {
    let mut words = std::env::args().skip(1);
    match (words.next().as_deref(), words.next().and_then(|port| port.parse().ok())) {
        (Some("--port"), Some(port)) => port,
        _ => usage(),
    }
}

fn usage() -> ! {
    eprintln!("usage: BENCH_SERVER=stateless|stateful|stateless-50|stateful-50 server-rmcp --port PORT");
    std::process::exit(2)
}
