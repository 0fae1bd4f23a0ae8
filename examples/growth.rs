//! What fleets of 1, 10 and 1,000 instances need of their store, by the model of growth.
//!
//! ```sh
//! cargo run --example growth
//! ```

// The model stands with its tests, which hold the book against what it prints.
#[path = "../tests/it/growth/model.rs"]
mod model;

fn main() {
    print!("{}", model::table());
}
