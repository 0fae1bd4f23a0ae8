//! Requests per second and latencies: all contenders take short turns, round after round.

use std::{io, time::Duration};

use crate::{
    contender::{Contender, Sessions},
    engine::Engine,
    load::{self, Until},
    request::Request,
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
pub(crate) struct Measured {
    pub(crate) rates: Vec<f64>,
    busy: Vec<f64>,
    /// Microseconds of the core for each answer.
    pub(crate) costs: Vec<f64>,
    /// The same of the load.
    loads: Vec<f64>,
    /// The same of the engine that has the state.
    pub(crate) engines: Vec<f64>,
    pub(crate) latencies: Vec<u32>,
    /// How many calls were served, those of the warm-up and after the time included.
    pub(crate) served: usize,
}

/// Measures and prints.
///
/// # Errors
/// When a server does not start or answers badly.
pub(crate) fn run(contenders: &[Contender], plan: &Plan) -> io::Result<()> {
    println!("\n## Requests per second\n");
    let (_, below) = pin(plan)?;
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
        let mut measured = turns(&contenders, &servers, &requests, plan, None)?;
        print(connections, &contenders, &mut measured);
    }
    Ok(())
}

/// Keeps this process on a core of its own where it can. Gives what keeps others on the same and on another one.
///
/// # Errors
/// When it can't be kept there.
pub(crate) fn pin(plan: &Plan) -> io::Result<(Vec<String>, Vec<String>)> {
    let (rounds, turn) = (plan.rounds, plan.turn);
    let Some((load, server)) = server::cores() else {
        println!("Load and servers are NOT pinned (one core only, or no taskset), {rounds} rounds of {turn:?} each.");
        return Ok((Vec::new(), Vec::new()));
    };
    server::pin_this_process(load)?;
    println!("Load on core {load}, servers on core {server}, {rounds} rounds of {turn:?} each.");
    let on = |core: usize| vec!["taskset".into(), "-c".into(), core.to_string()];
    Ok((on(load), on(server)))
}

/// All contenders take their turns, with these requests each.
///
/// # Errors
/// When a server answers badly.
pub(crate) fn turns(
    contenders: &[&Contender],
    servers: &[Server],
    requests: &[Vec<Vec<Request>>],
    plan: &Plan,
    engine: Option<&Engine>,
) -> io::Result<Vec<Measured>> {
    let mut measured: Vec<Measured> = contenders.iter().map(|_| Measured::default()).collect();
    let engine_busy = || engine.map_or(Ok(Duration::ZERO), Engine::busy);
    for _ in 0..plan.rounds {
        for (index, contender) in contenders.iter().enumerate() {
            let server = find(servers, contender)?;
            let (before, load_before, engine_before) =
                (server.busy()?, server::busy(std::process::id())?, engine_busy()?);
            let started = std::time::Instant::now();
            let outcome =
                load::run(server.address, requests[index].clone(), contender.expect(), Until::Time(plan.turn))
                    .map_err(|error| io::Error::other(format!("{}: {error}", contender.name)))?;
            let (used, taken) = ((server.busy()? - before).as_secs_f64(), started.elapsed().as_secs_f64());
            let load = (server::busy(std::process::id())? - load_before).as_secs_f64();
            let engine = engine_busy()?.saturating_sub(engine_before).as_secs_f64();
            let measured = &mut measured[index];
            measured.loads.push(load * 1e6 / outcome.latencies.len().max(1) as f64);
            measured.engines.push(engine * 1e6 / outcome.served.max(1) as f64);
            measured.rates.push(outcome.latencies.len() as f64 / outcome.elapsed.as_secs_f64());
            measured.busy.push(used / taken);
            measured.costs.push(used * 1e6 / outcome.latencies.len().max(1) as f64);
            measured.served += outcome.served;
            measured.latencies.extend(outcome.latencies);
        }
    }
    Ok(measured)
}

/// The median of round against round: neighbours in time are compared, so that a slow spell of the machine hits both.
pub(crate) fn ratio(own: &[f64], other: &[f64]) -> f64 {
    table::median(own.iter().zip(other).map(|(own, other)| own / other).collect())
}

impl Measured {
    /// Below this, in microseconds, was this share of the latencies.
    pub(crate) fn percentile(&mut self, share: f64) -> String {
        self.latencies.sort_unstable();
        let place = (self.latencies.len() as f64 * share) as usize;
        format!("{:.0}", f64::from(self.latencies.get(place).copied().unwrap_or(0)) / 1000.0)
    }
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

pub(crate) fn find<'a>(servers: &'a [Server], contender: &Contender) -> io::Result<&'a Server> {
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
        let percentiles = [0.5, 0.99].map(|share| measured[index].percentile(share));
        let ratio = |name: &str, figure: fn(&Measured) -> &[f64]| {
            let other = contenders.iter().position(|other| other.name == name)?;
            Some(ratio(figure(&measured[index]), figure(&measured[other])))
        };
        let shown = |ratio: Option<f64>| ratio.map(|ratio| format!("{ratio:.2}")).unwrap_or_default();
        let reference = contender.reference();
        let Measured { rates, busy, costs, loads, .. } = &measured[index];
        let [p50, p99] = percentiles;
        table.row(vec![
            contender.name.into(),
            format!("{:.0}", table::median(rates.clone())),
            shown(ratio(reference, |measured| &measured.rates)),
            p50,
            p99,
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
