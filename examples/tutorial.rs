//! The server that the tutorial of the book grows: arguments, errors that the model can read, session state.
//!
//! ```sh
//! cargo run --example tutorial -- --transport streamable-http
//! ```

use mcp_runtime::prelude::*;

// ANCHOR: types
/// How a quotient is rounded.
#[derive(Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Rounding {
    /// Not at all.
    #[default]
    Exact,
    /// To the nearest whole number.
    Nearest,
}
// ANCHOR_END: types

// ANCHOR: as_string
/// A whole number, exact in every client.
#[derive(Serialize, JsonSchema)]
struct Whole {
    #[serde(with = "mcp_runtime::as_string")]
    #[schemars(schema_with = "mcp_runtime::as_string::schema::<i128>")]
    number: i128,
}
// ANCHOR_END: as_string

// ANCHOR: state
/// What one session keeps in the calculator's memory.
#[derive(Default, Serialize, Deserialize, SessionState)]
struct Memory {
    value: f64,
}
// ANCHOR_END: state

/// A calculator with a memory of its own for each session.
#[mcp_server(name = "tutorial")]
mod calculator {
    use super::*;

    // ANCHOR: arguments
    /// Add up numbers.
    #[tool(read_only)]
    pub fn add(
        /// The numbers, in any order.
        numbers: Vec<f64>,
        /// Begin with this instead of zero.
        start: Option<f64>,
    ) -> f64 {
        start.unwrap_or_default() + numbers.iter().sum::<f64>()
    }
    // ANCHOR_END: arguments

    // ANCHOR: whole
    /// Add two whole numbers of up to 128 bits.
    #[tool(read_only)]
    pub fn add_whole(#[arg(as_string)] a: i128, #[arg(as_string)] b: i128) -> Result<Whole, ToolError> {
        let number = a.checked_add(b).ok_or("the sum is too large: pass smaller numbers")?;
        Ok(Whole { number })
    }
    // ANCHOR_END: whole

    // ANCHOR: errors
    /// Divide one number by another.
    #[tool(read_only)]
    pub fn divide(
        /// What is divided.
        dividend: f64,
        /// What it is divided by.
        divisor: f64,
        /// How the result is rounded.
        #[arg(default)]
        rounding: Rounding,
    ) -> Result<f64, ToolError> {
        if divisor == 0.0 {
            return Err(ToolError::new("`divisor` is 0: pass another number, or ask what was meant"));
        }
        let quotient = dividend / divisor;
        Ok(match rounding {
            Rounding::Exact => quotient,
            Rounding::Nearest => quotient.round(),
        })
    }
    // ANCHOR_END: errors

    // ANCHOR: memory
    /// Add a number to what the memory holds.
    #[tool]
    pub fn memory_add(memory: &mut Memory, number: f64) -> f64 {
        memory.value += number;
        memory.value
    }

    /// What the memory holds.
    #[tool(read_only)]
    pub fn memory_recall(memory: &Memory) -> f64 {
        memory.value
    }
    // ANCHOR_END: memory
}

fn main() -> mcp_runtime::Result {
    calculator::serve()
}
