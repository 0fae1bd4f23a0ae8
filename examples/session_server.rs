//! Signed session ids: the server keeps nothing for a session, and any instance with the same key accepts its id.
//!
//! ```sh
//! SESSION_SIGNING_KEY=$(openssl rand -base64 32) cargo run --example session_server -- --transport streamable-http
//!
//! curl -X POST http://localhost:8000/mcp -H "Content-Type: application/json" -v \
//!   -d '{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-11-25","clientInfo":{"name":"test","version":"1.0"}}}'
//! ```
//!
//! The answer has an `Mcp-Session-Id` header, a signed token; send it with each further request.

use mcp_runtime::prelude::*;

/// Greets people.
struct Greeter;

#[mcp_server(name = "session-aware-server", version = "1.0.0")]
impl Greeter {
    /// Greet somebody by name.
    #[tool(read_only)]
    fn greet(
        /// Who is greeted.
        name: String,
        /// The word of greeting.
        #[arg(default = String::from("Hello"))]
        greeting: String,
    ) -> String {
        format!("{greeting}, {name}!")
    }
}

fn main() -> mcp_runtime::Result {
    // ANCHOR: keys
    // With a key of one's own, sessions survive a restart; without one, a random key is as good as the process.
    let keys = match std::env::var("SESSION_SIGNING_KEY") {
        Ok(secret) => SigningKeys::from_secret(secret.as_bytes())?,
        Err(_) => SigningKeys::random(),
    };
    Server::new(Greeter).sessions(Sessions::jwt(keys)).serve()
    // ANCHOR_END: keys
}
