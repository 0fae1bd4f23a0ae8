use mcp_runtime::prelude::*;

use std::collections::BTreeMap;

#[derive(Default, Serialize, Deserialize)]
pub struct Unique(u32);

#[derive(Default, Serialize, Deserialize, SessionState)]
#[state(key = "cart:v1", version = 2)]
pub enum Cart {
    #[default]
    Empty,
    Items(BTreeMap<String, u32>, Unique),
    Paid { by: String, r#type: Option<Unique> },
}

#[derive(Default, Serialize, Deserialize, SessionState)]
pub struct Seen;

#[derive(Default, Serialize, Deserialize, SessionState)]
pub struct Count(u32);

fn main() {}
