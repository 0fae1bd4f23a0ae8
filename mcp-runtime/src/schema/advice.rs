//! What the model reads when its arguments are wrong.
//!
//! Takes: what is wrong. Gives: one text, every problem a line. Knows: how long it may be. Must not know: schemas.

use super::words;

/// The longest text, in bytes. Source: our choice, because a model pays for every word and corrects from the first ones.
const LONGEST: usize = 2_048;

#[cfg(test)]
thread_local! {
    /// How often this thread looked for a [`suggestion`], the dearest part of advice.
    pub(super) static SUGGESTIONS: std::cell::Cell<usize> = const { std::cell::Cell::new(0) };
}

/// Names longer than this are not compared, in characters.
const LONGEST_NAME: usize = 64;

/// The text for a tool and its problems, each a path and what is wrong with it, and `untold` more.
pub(super) fn invalid_arguments<'a>(
    tool: &str,
    problems: impl ExactSizeIterator<Item = (&'a str, &'a str)>,
    untold: usize,
) -> String {
    let mut text = format!("Invalid arguments for `{tool}`:");
    let total = problems.len() + untold;
    for (index, (path, problem)) in problems.enumerate() {
        let line = format!("\n- `{path}`: {problem}");
        let left = total - index;
        let more = if left > 1 { format!("\n- … and {left} more") } else { String::new() };
        if text.len() + line.len() + more.len() > LONGEST {
            return with_more(text, left);
        }
        text.push_str(&line);
    }
    with_more(text, untold)
}

/// The text and how many more there are, where that fits.
fn with_more(mut text: String, more: usize) -> String {
    let line = format!("\n- … and {more} more");
    if more > 0 && text.len() + line.len() <= LONGEST {
        text.push_str(&line);
    }
    text
}

/// What to say of a member that is not known, with its [`suggestion`].
pub(super) fn unknown_field<'a>(meant: Option<&str>, known: impl Iterator<Item = &'a str>) -> String {
    if let Some(meant) = meant {
        return format!("unknown field, did you mean `{meant}`?");
    }
    let names: Vec<String> = known.take(20).map(|name| format!("`{name}`")).collect();
    if names.is_empty() {
        "unknown field, there are none".to_owned()
    } else {
        format!("unknown field, known are {}", names.join(", "))
    }
}

/// The known name that a wrong one stands closest to, if it is close.
pub(super) fn suggestion<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    #[cfg(test)]
    SUGGESTIONS.with(|made| made.set(made.get() + 1));

    if name.chars().nth(LONGEST_NAME).is_some() {
        return None;
    }
    let plain = plain(name);
    known
        .map(|known| (distance(&plain, &self::plain(known)), known))
        .filter(|(distance, known)| *distance <= (known.chars().count().max(plain.len()) / 3).max(1))
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, known)| known)
}

/// `cityName`, `city-name` and `city_name` are one name to a model.
fn plain(name: &str) -> Vec<char> {
    name.chars().filter(|letter| !matches!(letter, '_' | '-' | '.' | ' ')).flat_map(char::to_lowercase).collect()
}

/// How many letters must be inserted, removed, replaced or swapped with their neighbour.
fn distance(one: &[char], other: &[char]) -> usize {
    let mut before_last: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=other.len()).collect();
    let mut previous_letter = None;
    for (row, letter) in one.iter().enumerate() {
        let mut current = vec![row + 1];
        let mut previous_other = None;
        for (column, other_letter) in other.iter().enumerate() {
            let at = |line: &[usize], column: usize| line.get(column).copied().unwrap_or(usize::MAX / 2);
            let replaced = at(&last, column) + usize::from(letter != other_letter);
            let mut best = replaced.min(at(&last, column + 1) + 1).min(at(&current, column) + 1);
            let swapped = previous_letter == Some(other_letter) && previous_other == Some(letter);
            if let (true, Some(before)) = (swapped, column.checked_sub(1)) {
                best = best.min(at(&before_last, before) + 1);
            }
            current.push(best);
            previous_other = Some(other_letter);
        }
        before_last = std::mem::replace(&mut last, current);
        previous_letter = Some(letter);
    }
    last.last().copied().unwrap_or(0)
}

/// A peer's name, fit to be said back to it.
pub(super) fn name(name: &str) -> String {
    words::short(name).replace('`', "'")
}
