//! Values against forms: what is wrong, where, and what was expected.
//!
//! Takes: a [`Form`], a value. Gives: [`Found`]. Knows: JSON Schema's meaning. Must not know: Rust types, calls.

use std::{
    borrow::Cow,
    collections::{BTreeMap, HashSet},
};

use serde_json::{Number, Value};

use super::{
    advice,
    exact::EXACT,
    form::{Form, Kind, Rest},
    words,
};

/// So many problems are put into words, of each of two kinds; the others are counted. A peer chooses how many mistakes it
/// makes, and a model reads the first ones.
pub(super) const MOST_TOLD: usize = 32;

/// One thing that is wrong with a value.
#[derive(Debug)]
pub(super) struct Problem {
    /// Where, from the argument on: `address.zip`, `items[2].name`.
    pub(super) path: String,
    /// What is wrong: `expected integer, got string "two"`.
    pub(super) text: String,
    /// The type is right, and a constraint is broken that the Rust type may not know.
    pub(super) constraint: bool,
}

/// All that is wrong with a value: the first problems in words, the others as a number.
#[derive(Debug)]
pub(super) struct Found {
    told: Vec<Problem>,
    /// How many there are: mismatches, then broken constraints.
    counts: [usize; 2],
    /// How many more may be told: mismatches, then broken constraints. Neither kind takes the place of the other, because
    /// some callers want one of them alone.
    room: [usize; 2],
}

impl Found {
    /// Nothing is wrong.
    pub(super) const fn nothing() -> Self {
        Self { told: Vec::new(), counts: [0; 2], room: [MOST_TOLD; 2] }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.counts == [0; 2]
    }

    /// Whether constraints are broken and nothing else is wrong.
    pub(super) fn is_of_constraints(&self) -> bool {
        self.counts[0] == 0
    }

    /// Counts a problem; `words` gives its path and its text, where they are wanted.
    pub(super) fn add(&mut self, constraint: bool, words: impl FnOnce() -> (String, String)) {
        let kind = usize::from(constraint);
        self.counts[kind] += 1;
        if let Some(room) = self.room[kind].checked_sub(1) {
            self.room[kind] = room;
            let (path, text) = words();
            self.told.push(Problem { path, text, constraint });
        }
    }

    /// Leaves the broken constraints.
    pub(super) fn retain_constraints(&mut self) {
        self.told.retain(|problem| problem.constraint);
        self.counts[0] = 0;
    }

    /// The problems in words, and how many more there are.
    pub(super) fn into_parts(self) -> (Vec<Problem>, usize) {
        let more = self.counts.iter().sum::<usize>() - self.told.len();
        (self.told, more)
    }

    /// Room for what may turn out to belong here.
    fn aside(&self) -> Self {
        Self { told: Vec::new(), counts: [0; 2], room: self.room }
    }

    /// Takes what was found [`aside`](Self::aside), with nothing found here in between.
    fn append(&mut self, mut aside: Self) {
        self.told.append(&mut aside.told);
        self.room = aside.room;
        for (count, more) in self.counts.iter_mut().zip(aside.counts) {
            *count += more;
        }
    }
}

/// Where a value stands; put into words only where something is wrong.
#[derive(Clone, Copy)]
enum Place<'a> {
    /// What the check began with.
    Start(&'a str),
    Member(&'a Place<'a>, &'a str),
    Element(&'a Place<'a>, usize),
}

impl Place<'_> {
    fn path(&self) -> String {
        match *self {
            Place::Start(path) => path.to_owned(),
            Place::Member(of, name) => member_path(&of.path(), name),
            Place::Element(of, index) => format!("{}[{index}]", of.path()),
        }
    }
}

/// The forms that references lead to.
pub(super) type Definitions = BTreeMap<String, Form>;

/// References that are followed without a value in between are cut here: they go in circles.
const TURNS: usize = 32;

/// Looks for everything that is wrong.
pub(super) struct Checker<'a> {
    pub(super) definitions: &'a Definitions,
}

impl Checker<'_> {
    /// Everything that is wrong with `value` as the thing at `path`.
    pub(super) fn problems(&self, form: &Form, value: &Value, path: &str) -> Found {
        let mut found = Found::nothing();
        self.check(form, value, &Place::Start(path), 0, &mut found);
        found
    }

    /// Whether nothing is wrong.
    pub(super) fn accepts(&self, form: &Form, value: &Value) -> bool {
        self.problems(form, value, "").is_empty()
    }

    fn check(&self, form: &Form, value: &Value, place: &Place<'_>, turns: usize, found: &mut Found) {
        if (form.nullable && value.is_null()) || turns > TURNS {
            return;
        }
        if let Some(target) = form.reference.as_ref().and_then(|name| self.definitions.get(name)) {
            self.check(target, value, place, turns + 1, found);
        }
        let type_fits = form.kind.is_none_or(|kind| is(kind, value));
        if !type_fits {
            found.add(false, || mismatch(form, value, place));
            return;
        }
        if !form.allowed.is_empty() && !form.allowed.contains(value) {
            found.add(form.checked, || mismatch(form, value, place));
            return;
        }
        if !keeps_bounds(form, value) {
            found.add(form.checked, || mismatch(form, value, place));
        }
        match value {
            Value::Object(members) => self.members(form, members, place, found),
            Value::Array(elements) => {
                for (index, element) in elements.iter().enumerate() {
                    if let Some(form) = form.tuple.get(index).or(form.items.as_deref()) {
                        self.check(form, element, &Place::Element(place, index), 0, found);
                    }
                }
            }
            _ => {}
        }
        for form in &form.all_of {
            self.check(form, value, place, turns + 1, found);
        }
        if !form.any_of.is_empty() {
            self.union(form, value, place, turns, found);
        }
    }

    fn members(&self, form: &Form, members: &serde_json::Map<String, Value>, place: &Place<'_>, found: &mut Found) {
        let properties = form.properties.as_deref().unwrap_or_default();
        let property = |name: &str| properties.iter().find(|(known, _)| known == name).map(|(_, form)| form);
        for name in form.required.iter().filter(|name| !members.contains_key(*name)) {
            found.add(false, || {
                let what = property(name).map_or_else(|| "any JSON value".to_owned(), words::missing);
                (Place::Member(place, name).path(), format!("required, missing ({what})"))
            });
        }
        for (name, value) in members {
            let place = Place::Member(place, name);
            match (property(name), &form.rest) {
                (Some(form), _) => self.check(form, value, &place, 0, found),
                (None, Rest::Of(form)) => self.check(form, value, &place, 0, found),
                (None, Rest::Open) => {}
                (None, Rest::Closed) => {
                    // Arms of a union may know it; such objects are closed arm by arm.
                    let known = || properties.iter().map(|(name, _)| name.as_str());
                    found.add(false, || {
                        (place.path(), advice::unknown_field(advice::suggestion(name, known()), known()))
                    });
                }
            }
        }
    }

    /// A value that fits no arm is told what is wrong by the arm that it comes closest to, if one stands out.
    fn union(&self, form: &Form, value: &Value, place: &Place<'_>, turns: usize, found: &mut Found) {
        let mut closest: Option<Found> = None;
        let mut tied = false;
        for arm in &form.any_of {
            let mut problems = found.aside();
            self.check(arm, value, place, turns + 1, &mut problems);
            if problems.is_empty() {
                return;
            }
            let comes_close = self.comes_close(arm, value);
            if comes_close {
                tied = closest.is_some();
                closest.get_or_insert(problems);
            }
        }
        match closest {
            Some(problems) if !tied => found.append(problems),
            _ => found.add(false, || mismatch(form, value, place)),
        }
    }

    /// Whether the value has the arm's type and, for an object, the arm's tag or at least its first required member.
    fn comes_close(&self, arm: &Form, value: &Value) -> bool {
        let arm = arm.reference.as_ref().and_then(|name| self.definitions.get(name)).unwrap_or(arm);
        if !arm.kind.is_some_and(|kind| is(kind, value)) || (!arm.allowed.is_empty() && !arm.allowed.contains(value)) {
            return false;
        }
        let Value::Object(members) = value else { return true };
        let tags = || {
            arm.properties
                .iter()
                .flatten()
                .filter(|(name, form)| arm.required.contains(name) && form.allowed.len() == 1)
        };
        if tags().next().is_some() {
            return tags().all(|(name, form)| members.get(name).is_some_and(|value| form.allowed.contains(value)));
        }
        arm.required.first().is_none_or(|name| members.contains_key(name))
    }
}

fn mismatch(form: &Form, value: &Value, place: &Place<'_>) -> (String, String) {
    (place.path(), format!("expected {}, got {}", words::expected(form), words::got(value)))
}

/// The path of a member: `address.zip`, or `["odd name"]`.
pub(super) fn member_path(path: &str, name: &str) -> String {
    let plain = !name.is_empty()
        && name.len() <= 64
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-');
    match (plain, path.is_empty()) {
        (true, true) => name.to_owned(),
        (true, false) => format!("{path}.{name}"),
        (false, true) => words::quoted(name),
        (false, false) => format!("{path}[{}]", words::quoted(name)),
    }
}

fn is(kind: Kind, value: &Value) -> bool {
    match (kind, value) {
        // As serde takes them: 5.0 is no integer until it is written 5.
        (Kind::Integer, Value::Number(number)) => !number.is_f64() || is_wide_integer(number),
        (Kind::Number, Value::Number(_))
        | (Kind::String, Value::String(_))
        | (Kind::Boolean, Value::Bool(_))
        | (Kind::Object, Value::Object(_))
        | (Kind::Array, Value::Array(_))
        | (Kind::Null, Value::Null) => true,
        _ => false,
    }
}

/// An integer beyond 64 bits, which is kept as a float: the type says whether it takes that.
fn is_wide_integer(number: &Number) -> bool {
    number.as_f64().is_some_and(|number| number.fract() == 0.0 && number.abs() >= 9.2e18)
}

fn keeps_bounds(form: &Form, value: &Value) -> bool {
    match value {
        Value::Number(number) => {
            let above = |bound: &Option<Number>| bound.as_ref().is_none_or(|bound| !less(number, bound));
            let below = |bound: &Option<Number>| bound.as_ref().is_none_or(|bound| !less(bound, number));
            let strictly_above = form.exclusive_minimum.as_ref().is_none_or(|bound| less(bound, number));
            let strictly_below = form.exclusive_maximum.as_ref().is_none_or(|bound| less(number, bound));
            above(&form.minimum)
                && below(&form.maximum)
                && strictly_above
                && strictly_below
                && form.multiple_of.as_ref().is_none_or(|factor| is_multiple(number, factor))
        }
        Value::String(text) if form.min_length.is_some() || form.max_length.is_some() => {
            within(text.chars().count(), form.min_length, form.max_length)
        }
        Value::Array(elements) => {
            within(elements.len(), form.min_items, form.max_items) && (!form.unique_items || all_different(elements))
        }
        _ => true,
    }
}

/// In linear time, and against keys that are chosen to collide: a peer chooses how many elements there are.
fn all_different(elements: &[Value]) -> bool {
    let mut seen = HashSet::with_capacity(elements.len());
    elements.iter().all(|element| {
        // To JSON Schema 1.0 is 1.
        let integral = element.as_f64().filter(|number| number.fract() == 0.0 && number.abs() <= EXACT as f64);
        seen.insert(match integral {
            Some(number) if element.is_f64() => Cow::Owned(Value::from(number as i64)),
            _ => Cow::Borrowed(element),
        })
    })
}

fn within(count: usize, least: Option<u64>, most: Option<u64>) -> bool {
    let count = count as u64;
    least.is_none_or(|least| count >= least) && most.is_none_or(|most| count <= most)
}

/// Exact for integers of 64 bits, which floats are not.
fn less(one: &Number, other: &Number) -> bool {
    match (integer(one), integer(other)) {
        (Some(one), Some(other)) => one < other,
        _ => one.as_f64() < other.as_f64(),
    }
}

fn is_multiple(number: &Number, factor: &Number) -> bool {
    if let (Some(number), Some(factor)) = (integer(number), integer(factor)) {
        return factor == 0 || number % factor == 0;
    }
    let (Some(number), Some(factor)) = (number.as_f64(), factor.as_f64()) else { return true };
    let quotient = number / factor;
    // 0.3 is a multiple of 0.1 for everyone but floats.
    factor == 0.0 || (quotient - quotient.round()).abs() <= 1e-9 * quotient.abs().max(1.0)
}

fn integer(number: &Number) -> Option<i128> {
    number.as_i64().map(i128::from).or_else(|| number.as_u64().map(i128::from))
}
