//! The benchmark: what a call costs on this library, on rmcp and on a bare axum handler, measured in one run.
//!
//! `cargo run --release --manifest-path benches/Cargo.toml` prints requests per second, instructions per request, memory
//! per session and per idle stream and the size of the tree, in about four minutes; `-- all` adds build times and state in
//! Redis and PostgreSQL. Parts run alone: `-- throughput`, `-- instructions`, `-- memory`, `-- streams`, `-- packages`,
//! `-- compile`, `-- stores`, `-- growth`.

mod compile;
mod contender;
mod engine;
mod growth;
mod instructions;
mod load;
mod memory;
mod packages;
mod request;
mod response;
mod server;
mod stores;
mod streams;
mod table;
mod throughput;

use std::{io, process::ExitCode, time::Duration};

const USAGE: &str = "usage: driver [throughput | instructions | memory | streams | packages | compile | stores | growth | all]
              [--only WORDS] [--rounds NUMBER] [--milliseconds NUMBER] [--connections LIST] [--disk]

Without a part: throughput, instructions, memory, streams, packages. `--only ours,axum` takes the rows with one of the words in
their names; the bare axum handlers are what all rates are compared with.";

struct Options {
    parts: Vec<String>,
    only: Vec<String>,
    plan: throughput::Plan,
    /// Whether engines write to the disk before they acknowledge.
    disk: bool,
}

fn main() -> ExitCode {
    let Some(options) = options() else {
        eprintln!("{USAGE}");
        return ExitCode::from(2);
    };
    match run(&options) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn options() -> Option<Options> {
    let plan = throughput::Plan { rounds: 5, turn: Duration::from_millis(500), connections: vec![1, 16, 64] };
    let mut options = Options { parts: Vec::new(), only: Vec::new(), plan, disk: false };
    let mut words = std::env::args().skip(1);
    while let Some(word) = words.next() {
        let mut list = || Some(words.next()?.split(',').map(str::to_owned).collect::<Vec<_>>());
        match word.as_str() {
            "all" => {
                let all =
                    ["throughput", "instructions", "memory", "streams", "packages", "compile", "stores", "growth"];
                options.parts.extend(all.map(str::to_owned));
            }
            "throughput" | "instructions" | "memory" | "streams" | "packages" | "compile" | "stores" | "growth" => {
                options.parts.push(word);
            }
            "--disk" => options.disk = true,
            "--only" => options.only = list()?,
            "--rounds" => options.plan.rounds = list()?.first()?.parse().ok()?,
            "--milliseconds" => options.plan.turn = Duration::from_millis(list()?.first()?.parse().ok()?),
            "--connections" => {
                options.plan.connections = list()?.iter().map(|count| count.parse().ok()).collect::<Option<_>>()?
            }
            _ => return None,
        }
    }
    if options.parts.is_empty() {
        options.parts = ["throughput", "instructions", "memory", "streams", "packages"].map(str::to_owned).into();
    }
    Some(options)
}

fn run(options: &Options) -> io::Result<()> {
    let wanted = |name: &str| options.only.is_empty() || options.only.iter().any(|word| name.contains(word.as_str()));
    let mut contenders = contender::all();
    contenders.retain(|contender| wanted(contender.name));
    let needs_servers =
        options.parts.iter().any(|part| ["throughput", "instructions", "memory"].contains(&part.as_str()));
    if options.parts.iter().any(|part| part == "streams") {
        server::build(streams::KIND.package)?;
    }
    if options.parts.iter().any(|part| part == "stores") {
        stores::build()?;
    }
    if options.parts.iter().any(|part| part == "growth") {
        growth::build()?;
    }
    for package in ["server-axum", "server-ours", "server-rmcp"] {
        if needs_servers && contenders.iter().any(|contender| contender.kind.package == package) {
            server::build(package)?;
        }
    }
    // Build times come first where they are wanted: throughput keeps this process, and what it starts, on one core.
    let mut parts = options.parts.clone();
    parts.sort_by_key(|part| part != "compile");
    for part in &parts {
        match part.as_str() {
            "throughput" => throughput::run(&contenders, &options.plan)?,
            "instructions" => instructions::run(&contenders)?,
            "memory" => memory::run(&contenders)?,
            "streams" => streams::run()?,
            "packages" => packages::run()?,
            "stores" => stores::run(&options.plan, options.disk, &wanted)?,
            "growth" => growth::run()?,
            _ => compile::run(&wanted)?,
        }
    }
    Ok(())
}
