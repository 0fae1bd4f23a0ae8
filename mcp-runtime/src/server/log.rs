//! The log: on stderr, never on stdout, which belongs to the protocol.

/// Starts to log, unless the program already does. `MCP_LOG` or `RUST_LOG` says what; by default warnings of everything
/// and the news of this crate.
#[cfg(feature = "cli")]
pub(super) fn start(json: bool) {
    use tracing_subscriber::EnvFilter;
    if tracing::dispatcher::has_been_set() {
        return;
    }
    let filter = ["MCP_LOG", "RUST_LOG"]
        .into_iter()
        .filter_map(|name| std::env::var(name).ok())
        .find(|filter| !filter.is_empty())
        .unwrap_or_else(|| "warn,mcp_runtime=info".into());
    let builder = tracing_subscriber::fmt().with_env_filter(EnvFilter::new(filter)).with_writer(std::io::stderr);
    // Another thread may have been first: then its log is as good.
    let _ = if json {
        builder.json().try_init()
    } else {
        use std::io::IsTerminal;
        builder.with_ansi(std::io::stderr().is_terminal()).try_init()
    };
}

#[cfg(not(feature = "cli"))]
pub(super) fn start(_json: bool) {}
