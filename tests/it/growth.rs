//! The model of growth prints what the book says.

mod model;

use std::{collections::BTreeMap, fs};

use crate::{programs::root, support::process::command};

fn run_to_its_end(name: &str) -> String {
    let output = command(name).output().expect("the example runs");
    assert!(output.status.success());
    String::from_utf8(output.stdout).expect("it is text")
}

#[test]
fn the_table_of_the_book_is_what_the_model_prints() {
    let printed = run_to_its_end("growth");
    assert_eq!(printed, model::table());
    let page = fs::read_to_string(root().join("book/src/growth.md")).expect("the page is there");
    assert!(page.contains(&format!("```console\n{printed}```")), "the page shows another table than:\n{printed}");
}

#[test]
fn what_a_fleet_needs_grows_with_it() {
    let mut engine = String::new();
    let mut rows = BTreeMap::new();
    for line in model::table().lines() {
        let mut figures: Vec<f64> = Vec::new();
        let mut words: Vec<&str> = line.split_whitespace().collect();
        while figures.len() < 3
            && let Some(figure) = words.last().and_then(|word| word.replace(',', "").parse().ok())
        {
            words.pop();
            figures.insert(0, figure);
        }
        match figures.len() {
            3 => drop(rows.insert(format!("{engine} {}", words.join(" ")), figures)),
            _ => engine = line.to_owned(),
        }
    }
    for engine in ["Redis", "PostgreSQL"] {
        let of = |name: &str| rows.get(&format!("{engine} {name}")).unwrap_or_else(|| panic!("{name} in {rows:?}"));
        for name in ["stored, GiB", "commands/s", "cores", "connections"] {
            let [one, ten, thousand] = of(name)[..] else { panic!("three fleets") };
            assert!(one < ten && ten < thousand, "{name}: {one}, {ten}, {thousand}");
        }
        let (cores, engines) = (of("cores")[2], of("engines")[2]);
        assert!(engines >= 1.0 && engines >= (cores / 16.0).floor(), "{cores} cores, {engines} engines");
    }
}
