//! How long users wait for the compiler: a server of 2 and of 50 tools, cold and after one tool was changed.

use std::{
    fmt::Write,
    fs, io,
    path::Path,
    time::{Duration, Instant},
};

use crate::{
    server::{cargo, workspace},
    table::{self, Table},
};

/// How often one tool is changed; the median counts.
const CHANGES: usize = 5;

/// A way to write the same server.
struct Flavour {
    name: &'static str,
    /// The package whose dependencies the servers have.
    like: &'static str,
    source: fn(tools: usize) -> String,
}

/// Writes the servers, builds them and prints the times.
///
/// # Errors
/// When one can't be built.
pub(crate) fn run(only: &dyn Fn(&str) -> bool) -> io::Result<()> {
    println!("\n## Build times\n");
    println!("Seconds, debug profile, on all cores; after a change: median of {CHANGES}.\n");
    let mut table = Table::new(&[
        "server",
        "all, cold",
        "2 tools, cold",
        "50 tools, cold",
        "2 tools, one changed",
        "50 tools, one changed",
    ]);
    let flavours = [
        Flavour { name: "ours", like: "server-ours", source: ours },
        Flavour { name: "rmcp", like: "server-rmcp", source: rmcp },
    ];
    let folder = std::env::current_exe()?.with_file_name("compile");
    for Flavour { name, like, source } in flavours.iter().filter(|flavour| only(flavour.name)) {
        let folder = folder.join(name);
        // Cold means that nothing is left of an earlier run.
        if folder.exists() {
            fs::remove_dir_all(&folder)?;
        }
        write(&folder, like, *source)?;
        let all = build(&folder, "two")?;
        // The second crate finds all dependencies built; so does the first once it alone is removed.
        let fifty = build(&folder, "fifty")?;
        clean(&folder, "two")?;
        let two = build(&folder, "two")?;
        let mut row = vec![(*name).to_owned(), seconds(all), seconds(two), seconds(fifty)];
        for package in ["two", "fifty"] {
            let mut times = Vec::new();
            for change in 0..CHANGES {
                let file = folder.join(package).join("src/main.rs");
                let text = fs::read_to_string(&file)?;
                let (from, to) = (format!("change {change}"), format!("change {}", change + 1));
                fs::write(&file, text.replacen(&from, &to, 1))?;
                times.push(build(&folder, package)?.as_secs_f64());
            }
            row.push(format!("{:.2}", table::median(times)));
        }
        table.row(row);
    }
    table.print();
    Ok(())
}

fn seconds(time: Duration) -> String {
    format!("{:.2}", time.as_secs_f64())
}

/// A workspace with the servers `two` and `fifty`, and the versions that the benchmark itself uses.
fn write(folder: &Path, like: &str, source: fn(usize) -> String) -> io::Result<()> {
    let manifest = fs::read_to_string(workspace().join(like).join("Cargo.toml"))?;
    let dependencies = manifest.split("[dependencies]").nth(1).and_then(|rest| rest.split("\n[").next());
    let dependencies = dependencies.ok_or_else(|| io::Error::other("no dependencies"))?;
    let runtime = workspace().join("../mcp-runtime").canonicalize()?;
    let dependencies = dependencies.replace("../../mcp-runtime", &runtime.display().to_string());
    for (package, tools) in [("two", 2), ("fifty", 50)] {
        fs::create_dir_all(folder.join(package).join("src"))?;
        let manifest = format!(
            "[package]\nname = \"{package}\"\nversion = \"0.1.0\"\nedition = \"2024\"\n\n[dependencies]{dependencies}"
        );
        fs::write(folder.join(package).join("Cargo.toml"), manifest)?;
        fs::write(folder.join(package).join("src/main.rs"), source(tools))?;
    }
    fs::write(folder.join("Cargo.toml"), "[workspace]\nmembers = [\"two\", \"fifty\"]\nresolver = \"3\"\n")?;
    fs::copy(workspace().join("Cargo.lock"), folder.join("Cargo.lock")).map(drop)
}

fn build(folder: &Path, package: &str) -> io::Result<Duration> {
    let mut command = cargo();
    command
        .args(["build", "--quiet", "--package", package])
        .current_dir(folder)
        .env("CARGO_TARGET_DIR", folder.join("target"));
    let start = Instant::now();
    if command.status()?.success() {
        Ok(start.elapsed())
    } else {
        Err(io::Error::other(format!("{package} can't be built")))
    }
}

fn clean(folder: &Path, package: &str) -> io::Result<()> {
    let mut command = cargo();
    command.args(["clean", "--quiet", "--package", package]).current_dir(folder);
    command.env("CARGO_TARGET_DIR", folder.join("target")).status().map(drop)
}

/// The server on mcp-runtime.
fn ours(tools: usize) -> String {
    let mut text = String::from("use mcp_runtime::prelude::*;\n\n#[mcp_server]\nmod texts {\n");
    for tool in 1..=tools {
        let _ = write!(
            text,
            "    /// Repeat a text, in the way number {tool}.\n    #[tool]\n    pub fn repeat_{tool}(\n        /// The text.\n        \
             text: String,\n        /// How often.\n        times: u32,\n    ) -> String {{\n        \
             format!(\"change 0, {{}}\", text.repeat(times as usize))\n    }}\n\n"
        );
    }
    text.push_str("}\n\nfn main() -> mcp_runtime::Result {\n    texts::serve()\n}\n");
    text
}

/// The server on rmcp.
fn rmcp(tools: usize) -> String {
    let mut text = String::from(
        "use std::sync::Arc;\n\nuse rmcp::{\n    ServerHandler,\n    handler::server::{router::tool::ToolRouter, wrapper::Parameters},\n    \
         model::{ServerCapabilities, ServerConfig},\n    schemars, tool, tool_handler, tool_router,\n    \
         transport::streamable_http_server::{StreamableHttpService, session::local::LocalSessionManager},\n};\n\n",
    );
    for tool in 1..=tools {
        let _ = write!(
            text,
            "#[derive(serde::Deserialize, schemars::JsonSchema)]\nstruct Repeat{tool} {{\n    /// The text.\n    text: String,\n    \
             /// How often.\n    times: u32,\n}}\n\n"
        );
    }
    text.push_str(
        "#[derive(Clone)]\nstruct Texts {\n    tool_router: ToolRouter<Self>,\n}\n\n#[tool_router]\nimpl Texts {\n    \
         fn new() -> Self {\n        Self { tool_router: Self::tool_router() }\n    }\n\n",
    );
    for tool in 1..=tools {
        let _ = write!(
            text,
            "    #[tool(description = \"Repeat a text, in the way number {tool}.\")]\n    \
             fn repeat_{tool}(&self, Parameters(Repeat{tool} {{ text, times }}): Parameters<Repeat{tool}>) -> String {{\n        \
             format!(\"change 0, {{}}\", text.repeat(times as usize))\n    }}\n\n"
        );
    }
    text.push_str(
        "}\n\n#[tool_handler(router = self.tool_router)]\nimpl ServerHandler for Texts {\n    fn get_info(&self) -> ServerConfig {\n        \
         ServerConfig::new(ServerCapabilities::builder().enable_tools().build())\n    }\n}\n\nfn main() {\n    \
         let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();\n    runtime.block_on(async {\n        \
         let service = StreamableHttpService::new(|| Ok(Texts::new()), Arc::new(LocalSessionManager::default()), Default::default());\n        \
         let listener = tokio::net::TcpListener::bind(\"127.0.0.1:0\").await.unwrap();\n        \
         axum::serve(listener, axum::Router::new().nest_service(\"/mcp\", service)).await.unwrap();\n    });\n}\n",
    );
    text
}
