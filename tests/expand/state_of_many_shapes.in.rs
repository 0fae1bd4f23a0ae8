#[derive(Default, Serialize, Deserialize, SessionState)]
#[state(key = "cart:v1", version = 2, crate = "renamed")]
enum Cart {
    #[default]
    Empty,
    Items(Vec<Item>, u32),
    Paid { by: String },
}

#[derive(Default, Serialize, Deserialize, SessionState)]
struct Seen;
