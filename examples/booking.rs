//! Asking the user in the middle of a call: a function that stops, and runs again with the answers. On every revision
//! that can ask, with the same code.
//!
//! ```sh
//! cargo run --example booking -- --transport streamable-http
//! ```

use mcp_runtime::prelude::*;

// ANCHOR: form
/// What has to be known before a table is booked.
#[derive(Deserialize, JsonSchema)]
struct Party {
    /// How many people come?
    #[schemars(range(min = 1, max = 12))]
    people: u8,
    #[serde(default)]
    seat: Seat,
}

/// Where to sit.
#[derive(Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Seat {
    /// By the window.
    #[default]
    Window,
    /// In the garden.
    Garden,
}
// ANCHOR_END: form

/// Whether to go on.
#[derive(Deserialize, JsonSchema)]
struct Consent {
    /// Book it?
    yes: bool,
}

/// The tables that one session has booked.
#[derive(Default, Serialize, Deserialize, SessionState)]
struct Bookings {
    tables: Vec<String>,
}

/// Books tables, and asks the guest what it does not know.
#[mcp_server]
mod booking {
    use super::*;

    // ANCHOR: book
    /// Book a table. The guest is asked for everything but the day.
    #[tool]
    pub async fn book_table(
        cx: &Context,
        bookings: &mut Bookings,
        /// The day, for example `2026-12-24`.
        day: String,
    ) -> Result<String, ToolError> {
        // If the call does not carry the answer yet, the function ends here, and runs again from the top with it.
        let party = cx.ask("party", Elicit::form::<Party>(format!("A table on {day}: for whom?"))).await?;
        let seat = match party.seat {
            Seat::Window => "by the window",
            Seat::Garden => "in the garden",
        };
        let table = format!("{day}, {} people, {seat}", party.people);
        // What must not happen again when the function does: the deposit is taken once, however often it asks.
        let receipt = cx.once("deposit", take_deposit(party.people)).await?;
        let consent = cx.ask("consent", Elicit::form::<Consent>(format!("{table}, {receipt}. Book it?"))).await;
        match consent {
            Ok(Consent { yes: true }) => {}
            Ok(Consent { yes: false }) | Err(AskError::Declined) => return Ok("Nothing was booked.".into()),
            Err(error) => return Err(error.into()),
        }
        bookings.tables.push(table.clone());
        Ok(format!("Booked: {table}. {receipt}"))
    }
    // ANCHOR_END: book

    /// The tables that this session has booked.
    #[tool(read_only)]
    pub fn list_bookings(bookings: &Bookings) -> Vec<String> {
        bookings.tables.clone()
    }

    // ANCHOR: together
    /// Ask how it was, two questions at once.
    #[tool]
    pub async fn feedback(cx: &Context) -> Result<String, ToolError> {
        let food = cx.ask("food", Elicit::form::<Stars>("How was the food?"));
        let service = cx.ask("service", Elicit::form::<Stars>("How was the service?"));
        let (food, service) = cx.ask_all((food, service)).await?;
        Ok(format!("{} for the food, {} for the service", food.stars, service.stars))
    }
    // ANCHOR_END: together
}

/// How good it was.
#[derive(Deserialize, JsonSchema)]
struct Stars {
    /// From 1 to 5.
    #[schemars(range(min = 1, max = 5))]
    stars: u8,
}

/// Takes the deposit. A real one would ask the bank.
async fn take_deposit(people: u8) -> Result<String, ToolError> {
    eprintln!("a deposit for {people} was taken");
    Ok(format!("Deposit: {} €", u32::from(people) * 5))
}

fn main() -> mcp_runtime::Result {
    booking::serve()
}
