//! Learn here that one function is enough for every revision: it tells how far it is, asks twice, and writes to its
//! session, in a call or in a task. Where no person can be asked, the client's model can.
//!
//! ```sh
//! cargo run --example trip -- --transport streamable-http
//! ```

use mcp_runtime::prelude::*;
use mcp_runtime::protocol::ask::SamplingRequest;

/// A trip that was planned.
#[derive(Clone, Serialize, Deserialize, JsonSchema)]
struct Trip {
    /// Where it goes.
    city: String,
    /// How long it takes.
    days: u8,
    /// Where to sleep.
    hotel: String,
}

/// The trips of one session.
#[derive(Default, Serialize, Deserialize, SessionState)]
struct Trips {
    planned: Vec<Trip>,
}

/// How long to stay.
#[derive(Deserialize, JsonSchema)]
struct Stay {
    /// How many days?
    #[schemars(range(min = 1, max = 30))]
    days: u8,
}

/// Where to sleep.
#[derive(Deserialize, JsonSchema)]
struct Bed {
    /// Which hotel?
    hotel: String,
}

/// Plans trips.
#[mcp_server(name = "trip", version = "1.0.0")]
mod trip {
    use super::*;

    /// Plan a trip with the traveller, who is asked for everything but the city.
    #[tool(task)]
    pub async fn plan(cx: &Context, trips: &mut Trips, city: String) -> Result<Trip, ToolError> {
        cx.progress(1.0, 3.0, Some("asking for the days"));
        let Stay { days } = cx.ask("days", Elicit::form::<Stay>(format!("How long in {city}?"))).await?;
        cx.progress(2.0, 3.0, Some("asking for the hotel"));
        let Bed { hotel } = cx.ask("hotel", Elicit::form::<Bed>(format!("Where in {city}?"))).await?;
        cx.progress(3.0, 3.0, Some("writing it down"));
        let trip = Trip { city, days, hotel };
        trips.planned.push(trip.clone());
        Ok(trip)
    }

    /// Plan a trip with the client's model, which is asked for everything but the city.
    #[tool(task)]
    pub async fn plan_alone(cx: &Context, trips: &mut Trips, city: String) -> Result<Trip, ToolError> {
        cx.progress(1.0, 3.0, Some("asking for the days"));
        let question = format!("For how many days is {city} worth a trip? Answer with a number alone.");
        let days = cx.sample("days", SamplingRequest::text(question).max_tokens(10)).await?.text();
        let days = days.trim().parse().map_err(|_| ToolError::new(format!("{days:?} is no number of days")))?;
        cx.progress(2.0, 3.0, Some("asking for the hotel"));
        let question = format!("Name a hotel in {city} for {days} days.");
        let hotel = cx.sample("hotel", SamplingRequest::text(question).max_tokens(50)).await?.text();
        cx.progress(3.0, 3.0, Some("writing it down"));
        let trip = Trip { city, days, hotel };
        trips.planned.push(trip.clone());
        Ok(trip)
    }

    /// The trips that this session has planned.
    #[tool(read_only)]
    pub fn planned(trips: &Trips) -> Vec<Trip> {
        trips.planned.clone()
    }
}

fn main() -> mcp_runtime::Result {
    trip::serve()
}
