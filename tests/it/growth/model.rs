//! What a fleet needs of its store: a model made of what one of each thing costs.
//!
//! Takes: constants that were measured, and what a fleet is to carry. Gives: a table. Knows: how the constants add up. Must
//! not know: how they were measured.

// ANCHOR: costs
/// What one of each thing costs where the state is in this engine.
struct Engine {
    name: &'static str,
    /// A session with 1 KiB of state, in bytes.
    session_bytes: f64,
    /// A call that reads and writes its session: commands, microseconds of the engine and of the instance, bytes of the
    /// engine's log.
    call_commands: f64,
    call_micros: f64,
    call_instance_micros: f64,
    call_log_bytes: f64,
    /// An instance that nobody calls, in a second.
    idle_commands: f64,
    /// A stream of 2025-11-25 on which nothing comes, in a second.
    stream_commands: f64,
    /// A piece of news, for each instance that hears it.
    news_commands: f64,
    /// The connections of an instance, at most.
    connections: f64,
    /// How many cores one engine can use.
    cores: f64,
}
// ANCHOR_END: costs

// ANCHOR: measured
const REDIS: Engine = Engine {
    name: "Redis",
    session_bytes: 1_757.0,
    call_commands: 2.0,
    call_micros: 24.0,
    call_instance_micros: 36.0,
    call_log_bytes: 0.0,
    idle_commands: 4.0,
    stream_commands: 2.0 / 60.0,
    news_commands: 2.0,
    connections: 2.0,
    cores: 1.0,
};

const POSTGRES: Engine = Engine {
    name: "PostgreSQL",
    session_bytes: 1_912.0,
    call_micros: 145.0,
    call_instance_micros: 84.0,
    call_log_bytes: 633.0,
    connections: 17.0,
    cores: 16.0,
    ..REDIS
};

/// An instance at its start, in MiB; a stream of it, in KiB.
const INSTANCE_MIB: f64 = 11.0;
const STREAM_KIB: f64 = 22.8;
// ANCHOR_END: measured

// ANCHOR: model
/// What a fleet is to carry.
struct Fleet {
    instances: f64,
    /// Of 1 KiB each.
    sessions: f64,
    /// How often one session calls a tool that reads and writes it, in a second.
    call_rate: f64,
    /// How many streams are open for each session.
    streams: f64,
    /// How often something is announced, in a second.
    news_rate: f64,
}

impl Fleet {
    fn calls(&self) -> f64 {
        self.sessions * self.call_rate
    }

    fn instance_cores(&self, engine: &Engine) -> f64 {
        self.calls() / self.instances * engine.call_instance_micros / 1e6
    }

    fn instance_mib(&self) -> f64 {
        INSTANCE_MIB + self.sessions * self.streams / self.instances * STREAM_KIB / 1024.0
    }

    fn stored_gib(&self, engine: &Engine) -> f64 {
        self.sessions * engine.session_bytes / GIB
    }

    /// What is asked where nobody calls: by instances, by their streams, and by news for everyone.
    fn other_commands(&self, engine: &Engine) -> f64 {
        let each = engine.idle_commands + self.news_rate * engine.news_commands;
        self.instances * each + self.sessions * self.streams * engine.stream_commands
    }

    fn commands(&self, engine: &Engine) -> f64 {
        self.calls() * engine.call_commands + self.other_commands(engine)
    }

    /// As if every command cost what one of a call does.
    fn engine_cores(&self, engine: &Engine) -> f64 {
        self.commands(engine) * engine.call_micros / engine.call_commands / 1e6
    }

    fn log_mib(&self, engine: &Engine) -> f64 {
        self.calls() * engine.call_log_bytes / MIB
    }

    fn connections(&self, engine: &Engine) -> f64 {
        self.instances * engine.connections
    }

    /// How many engines it takes, none of which is busy for more than two thirds of its time.
    fn engines(&self, engine: &Engine) -> f64 {
        (self.engine_cores(engine) / (engine.cores * 2.0 / 3.0)).ceil()
    }
}
// ANCHOR_END: model

const MIB: f64 = 1024.0 * 1024.0;
const GIB: f64 = 1024.0 * MIB;

// ANCHOR: fleets
/// Ten thousand sessions for each instance; each calls twice a minute, one in ten has a stream; there is news each second.
fn fleet(instances: f64) -> Fleet {
    Fleet { instances, sessions: instances * 10_000.0, call_rate: 2.0 / 60.0, streams: 0.1, news_rate: 1.0 }
}
// ANCHOR_END: fleets

/// A whole number with commas, or one with few digits as it is.
fn number(value: f64) -> String {
    if value < 10.0 && value.fract() != 0.0 {
        return format!("{value:.2}");
    }
    let digits = format!("{value:.0}");
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place) % 3 == 0 {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// What each of three fleets needs: a row for each figure, a column for each fleet.
pub fn table() -> String {
    let fleets = [1.0, 10.0, 1_000.0].map(fleet);
    let row = |name: &str, figure: &dyn Fn(&Fleet) -> f64| {
        let figures = fleets.iter().map(|fleet| format!("{:>12}", number(figure(fleet))));
        format!("{name:<24}{}\n", figures.collect::<String>())
    };
    let mut table = row("instances", &|fleet| fleet.instances);
    table += &row("sessions", &|fleet| fleet.sessions);
    table += &row("calls/s", &Fleet::calls);
    table += &row("each instance, MiB", &Fleet::instance_mib);
    for engine in [REDIS, POSTGRES] {
        table += &format!("\n{}\n", engine.name);
        table += &row("each instance, cores", &|fleet| fleet.instance_cores(&engine));
        table += &row("stored, GiB", &|fleet| fleet.stored_gib(&engine));
        table += &row("commands/s", &|fleet| fleet.commands(&engine));
        table += &row("of these, no calls", &|fleet| fleet.other_commands(&engine));
        table += &row("cores", &|fleet| fleet.engine_cores(&engine));
        table += &row("connections", &|fleet| fleet.connections(&engine));
        table += &row("log, MiB/s", &|fleet| fleet.log_mib(&engine));
        table += &row("engines", &|fleet| fleet.engines(&engine));
    }
    table
}
