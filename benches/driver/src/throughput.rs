//! Requests per second and latencies: all contenders take short turns, round after round.

use std::{io, time::Duration};

use crate::{
    contender::{Contender, Sessions},
    load::{self, Until},
    server::{self, Server},
    table::{self, Table},
};

/// How many rounds, and how long a turn is.
pub(crate) struct Plan {
    pub(crate) rounds: usize,
    pub(crate) turn: Duration,
    pub(crate) connections: Vec<usize>,
}

/// What came of one contender: of each round the rate and the server's share of its core; the latencies of all.
#[derive(Default)]
struct Measured {
    rates: Vec<f64>,
    busy: Vec<f64>,
    /// Microseconds of the core for each answer.
    costs: Vec<f64>,
    /// The same of the load.
    loads: Vec<f64>,
    latencies: Vec<u32>,
}

/// Measures and prints.
///
/// # Errors
/// When a server does not start or answers badly.
pub(crate) fn run(contenders: &[Contender], plan: &Plan) -> io::Result<()> {
    let cores = server::cores();
    let mut below = Vec::new();
    println!("\n## Requests per second\n");
    match cores {
        Some((load, server)) => {
            server::pin_this_process(load)?;
            below = vec!["taskset".into(), "-c".into(), server.to_string()];
            println!("Load on core {load}, servers on core {server}, {} rounds of {:?} each.", plan.rounds, plan.turn);
        }
        None => println!(
            "Load and servers are NOT pinned (one core only, or no taskset), {} rounds of {:?} each.",
            plan.rounds, plan.turn
        ),
    }
    let mut servers: Vec<Server> = Vec::new();
    for contender in contenders {
        if !servers.iter().any(|server| server.kind == contender.kind) {
            servers.push(Server::start(contender.kind, &below)?);
        }
    }
    compare(contenders, &servers)?;
    let most = plan.connections.iter().copied().max().unwrap_or(1);
    for connections in plan.connections.iter().copied() {
        // Fifty tools are compared where the load is greatest.
        let contenders: Vec<_> =
            contenders.iter().filter(|row| row.as_fifty_of.is_none() || connections == most).collect();
        let mut requests = Vec::new();
        for contender in &contenders {
            requests.push(contender.requests(find(&servers, contender)?, connections)?);
        }
        let mut measured: Vec<Measured> = contenders.iter().map(|_| Measured::default()).collect();
        for _ in 0..plan.rounds {
            for (index, contender) in contenders.iter().enumerate() {
                let server = find(&servers, contender)?;
                let (before, load_before) = (server.busy()?, server::busy(std::process::id())?);
                let started = std::time::Instant::now();
                let outcome =
                    load::run(server.address, requests[index].clone(), contender.expect(), Until::Time(plan.turn))
                        .map_err(|error| io::Error::other(format!("{}: {error}", contender.name)))?;
                let (used, taken) = ((server.busy()? - before).as_secs_f64(), started.elapsed().as_secs_f64());
                let load = (server::busy(std::process::id())? - load_before).as_secs_f64();
                let measured = &mut measured[index];
                measured.loads.push(load * 1e6 / outcome.latencies.len().max(1) as f64);
                measured.rates.push(outcome.latencies.len() as f64 / outcome.elapsed.as_secs_f64());
                measured.busy.push(used / taken);
                measured.costs.push(used * 1e6 / outcome.latencies.len().max(1) as f64);
                measured.latencies.extend(outcome.latencies);
            }
        }
        print(connections, &contenders, &mut measured);
    }
    Ok(())
}

/// Sees to it that this library writes what the bare handler writes; otherwise the ratio would compare other things too.
fn compare(contenders: &[Contender], servers: &[Server]) -> io::Result<()> {
    for contender in contenders.iter().filter(|contender| contender.kind.package == "server-ours") {
        let reference = contenders.iter().find(|other| other.name == contender.reference());
        let Some(reference) = reference else { continue };
        let (own, other) = (contender.answer(find(servers, contender)?)?, reference.answer(find(servers, reference)?)?);
        if own != other {
            return Err(io::Error::other(format!(
                "{} answers {own}, {} answers {other}",
                contender.name, reference.name
            )));
        }
    }
    Ok(())
}

fn find<'a>(servers: &'a [Server], contender: &Contender) -> io::Result<&'a Server> {
    servers.iter().find(|server| server.kind == contender.kind).ok_or_else(|| io::Error::other("a server is missing"))
}

fn print(connections: usize, contenders: &[&Contender], measured: &mut [Measured]) {
    println!("\n### {connections} connection{}\n", if connections == 1 { "" } else { "s" });
    let mut table = Table::new(&[
        "server",
        "req/s",
        "of axum",
        "p50 µs",
        "p99 µs",
        "core busy",
        "core µs/req",
        "load µs/req",
        "by core µs",
        "of 2 tools",
    ]);
    for (index, contender) in contenders.iter().enumerate() {
        measured[index].latencies.sort_unstable();
        // Neighbours in time are compared, so that a slow spell of the machine hits both.
        let ratio = |name: &str, figure: fn(&Measured) -> &[f64]| {
            let other = contenders.iter().position(|other| other.name == name)?;
            let pairs = figure(&measured[index]).iter().zip(figure(&measured[other]));
            Some(table::median(pairs.map(|(own, other)| own / other).collect()))
        };
        let shown = |ratio: Option<f64>| ratio.map(|ratio| format!("{ratio:.2}")).unwrap_or_default();
        let reference = contender.reference();
        let Measured { rates, busy, costs, loads, latencies } = &measured[index];
        let percentile = |share: f64| {
            let place = (latencies.len() as f64 * share) as usize;
            format!("{:.0}", f64::from(latencies.get(place).copied().unwrap_or(0)) / 1000.0)
        };
        table.row(vec![
            contender.name.into(),
            format!("{:.0}", table::median(rates.clone())),
            shown(ratio(reference, |measured| &measured.rates)),
            percentile(0.5),
            percentile(0.99),
            format!("{:.0} %", table::median(busy.clone()) * 100.0),
            format!("{:.1}", table::median(costs.clone())),
            format!("{:.1}", table::median(loads.clone())),
            shown(ratio(reference, |measured| &measured.costs).map(f64::recip)),
            shown(contender.as_fifty_of.and_then(|two| ratio(two, |measured| &measured.rates))),
        ]);
    }
    table.print();
    if contenders.iter().any(|contender| contender.sessions == Sessions::Header(1)) {
        println!("\n\"1 session\": every call is a writer of the same state, so they take turns.");
    }
}
