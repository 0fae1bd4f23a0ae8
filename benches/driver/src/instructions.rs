//! Instructions per request, as callgrind counts them: a number that does not change with the load of the machine.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use crate::{
    contender::Contender,
    load::{self, Until},
    server::Server,
    table::Table,
};

const CONNECTIONS: usize = 16;
const FEW: usize = 500;
/// Enough that random numbers gathered at the start, which take more or fewer instructions each time, vanish.
const MANY: usize = 4_500;
/// Of a server that takes up to 1.6 million instructions for each.
const FEWER: usize = 1_000;

/// Measures and prints: each server runs twice, and the difference between few and many requests has no start in it.
///
/// # Errors
/// When valgrind is missing, or a server does not start or answers badly.
pub(crate) fn run(contenders: &[Contender]) -> io::Result<()> {
    println!("\n## Instructions per request\n");
    println!("In user space, {CONNECTIONS} connections. The profiles are in {}.\n", folder()?.display());
    let mut table = Table::new(&["server", "instructions", "more than axum"]);
    let mut references = Vec::new();
    for contender in contenders {
        let each = each(contender, None, &[])?;
        if contender.name == contender.reference() {
            references.push((contender.name, each));
        }
        let reference = references.iter().find(|(name, _)| *name == contender.reference());
        let more = reference.map(|(_, reference)| format!("{:+}", each - reference));
        table.row(vec![contender.name.into(), each.to_string(), more.unwrap_or_default()]);
    }
    table.print();
    Ok(())
}

/// Where the profiles are.
fn folder() -> io::Result<PathBuf> {
    let folder = std::env::current_exe()?.with_file_name("callgrind");
    fs::create_dir_all(&folder)?;
    Ok(folder)
}

/// The instructions of one request, to a server over the store of this URL, below these words.
///
/// # Errors
/// When valgrind is missing, or a server does not start or answers badly.
pub(crate) fn each(contender: &Contender, store: Option<&str>, below: &[String]) -> io::Result<i64> {
    let letters = contender.name.chars().chain(store.unwrap_or_default().chars().take_while(|letter| *letter != ':'));
    let name: String = letters.filter(|letter| letter.is_ascii_alphanumeric() || *letter == '-').collect();
    let few = count(contender, FEW, &folder()?.join(format!("{name}.few")), store, below)?;
    let most = if contender.kind.package == "server-rmcp" { FEWER } else { MANY };
    let many = count(contender, most, &folder()?.join(format!("{name}.many")), store, below)?;
    Ok((many - few) / (most - FEW) as i64)
}

/// The instructions of a server that answers so many requests.
fn count(
    contender: &Contender,
    answers: usize,
    profile: &Path,
    store: Option<&str>,
    below: &[String],
) -> io::Result<i64> {
    let file = format!("--callgrind-out-file={}", profile.display());
    let callgrind = ["valgrind", "--quiet", "--tool=callgrind", &file].map(str::to_owned);
    let server = Server::over(contender.kind, &[below, &callgrind].concat(), store)?;
    let requests = contender.requests(&server, CONNECTIONS)?;
    load::run(server.address, requests, contender.expect(), Until::Answers(answers))?;
    server.stop()?;
    let profile = fs::read_to_string(profile)?;
    let total =
        profile.lines().find_map(|line| line.strip_prefix("totals: ").or_else(|| line.strip_prefix("summary: ")));
    total.and_then(|total| total.trim().parse().ok()).ok_or_else(|| io::Error::other("callgrind wrote no total"))
}
