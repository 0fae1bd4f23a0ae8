//! A family of types that users write.

use std::collections::BTreeMap;

use proptest::prelude::*;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How comfortable.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(super) enum Class {
    Economy,
    /// Two seats instead of three.
    Premium,
    Business,
    /// A bed.
    First,
}

/// A colour.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub(super) enum Colour {
    Red,
    Green,
    Blue,
}

/// Where someone lives.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub(super) struct Address {
    pub(super) street: String,
    /// Five digits.
    pub(super) zip: u32,
    #[serde(default)]
    pub(super) country: Option<String>,
    pub(super) colour: Colour,
    #[serde(default)]
    pub(super) apartment: i16,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub(super) struct Tree {
    pub(super) value: i32,
    #[serde(default)]
    pub(super) children: Vec<Tree>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub(super) enum Shape {
    Circle {
        radius: f64,
    },
    Square {
        side: u8,
        #[serde(default)]
        filled: bool,
    },
    Nothing,
    At(Point),
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub(super) struct Point {
    pub(super) y: i64,
    pub(super) x: i64,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub(super) enum External {
    Unit,
    Newtype(u16),
    Tuple(u8, String),
    Named { beta: bool, alpha: Option<Colour> },
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "t", content = "c")]
pub(super) enum Adjacent {
    Word(String),
    Count(u32),
    None,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub(super) enum Untagged {
    Number(i32),
    Text(String),
    Many(Vec<bool>),
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub(super) struct Flat {
    pub(super) name: String,
    #[serde(flatten)]
    pub(super) shape: Shape,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Closed {
    pub(super) only: String,
    #[serde(default)]
    pub(super) maybe: Option<u8>,
}

/// Whatever may be left out: scalars, shared types, unions, types that hold themselves, lists and maps of such.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub(super) struct Maybes {
    pub(super) number: Option<u64>,
    /// How comfortable.
    pub(super) class: Option<Class>,
    pub(super) point: Option<Box<Point>>,
    pub(super) shape: Option<Shape>,
    pub(super) external: Option<External>,
    pub(super) untagged: Option<Untagged>,
    pub(super) tree: Option<Tree>,
    pub(super) list: Option<Vec<Option<Colour>>>,
    pub(super) map: Option<BTreeMap<String, Option<Point>>>,
    pub(super) pair: Option<(Option<i8>, String)>,
    pub(super) unit: (),
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) skipped: Option<Colour>,
    /// The same again.
    pub(super) inner: Option<Box<Maybes>>,
}

/// A bit of everything.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub(super) struct Everything {
    pub(super) zebra: String,
    pub(super) bool: bool,
    pub(super) i8: i8,
    pub(super) u8: u8,
    pub(super) i16: i16,
    pub(super) u16: u16,
    pub(super) i32: i32,
    pub(super) u32: u32,
    pub(super) i64: i64,
    pub(super) u64: u64,
    pub(super) f32: f32,
    pub(super) f64: f64,
    pub(super) char: char,
    #[serde(default)]
    pub(super) yak: Option<String>,
    pub(super) class: Class,
    pub(super) colour: Option<Colour>,
    pub(super) address: Address,
    pub(super) second_address: Option<Address>,
    pub(super) tree: Tree,
    pub(super) shape: Shape,
    pub(super) external: External,
    pub(super) adjacent: Adjacent,
    pub(super) untagged: Untagged,
    pub(super) pair: (i32, String),
    pub(super) triple: [u8; 3],
    pub(super) list: Vec<String>,
    pub(super) maybe_list: Option<Vec<Point>>,
    pub(super) holes: Vec<Option<u8>>,
    pub(super) map: BTreeMap<String, u32>,
    pub(super) numbered: BTreeMap<u8, String>,
    #[serde(default)]
    pub(super) any: serde_json::Value,
    pub(super) unit: (),
    pub(super) boxed: Box<Point>,
    pub(super) closed: Closed,
    pub(super) flat: Flat,
    #[serde(default)]
    pub(super) ant: u32,
}

fn text() -> impl Strategy<Value = String> {
    prop_oneof!["[a-z]{0,5}", any::<String>().prop_map(|text| text.chars().take(8).collect())]
}

pub(super) fn class() -> impl Strategy<Value = Class> {
    prop_oneof![Just(Class::Economy), Just(Class::Premium), Just(Class::Business), Just(Class::First)]
}

pub(super) fn colour() -> impl Strategy<Value = Colour> {
    prop_oneof![Just(Colour::Red), Just(Colour::Green), Just(Colour::Blue)]
}

pub(super) fn point() -> impl Strategy<Value = Point> {
    any::<(i64, i64)>().prop_map(|(y, x)| Point { y, x })
}

pub(super) fn address() -> impl Strategy<Value = Address> {
    (text(), any::<u32>(), proptest::option::of(text()), colour(), any::<i16>())
        .prop_map(|(street, zip, country, colour, apartment)| Address { street, zip, country, colour, apartment })
}

pub(super) fn tree() -> impl Strategy<Value = Tree> {
    any::<i32>().prop_map(|value| Tree { value, children: Vec::new() }).prop_recursive(3, 12, 3, |inner| {
        (any::<i32>(), proptest::collection::vec(inner, 0..3)).prop_map(|(value, children)| Tree { value, children })
    })
}

pub(super) fn shape() -> impl Strategy<Value = Shape> {
    prop_oneof![
        (-1e6..1e6).prop_map(|radius| Shape::Circle { radius }),
        any::<(u8, bool)>().prop_map(|(side, filled)| Shape::Square { side, filled }),
        Just(Shape::Nothing),
        point().prop_map(Shape::At),
    ]
}

pub(super) fn external() -> impl Strategy<Value = External> {
    prop_oneof![
        Just(External::Unit),
        any::<u16>().prop_map(External::Newtype),
        (any::<u8>(), text()).prop_map(|(number, text)| External::Tuple(number, text)),
        (any::<bool>(), proptest::option::of(colour())).prop_map(|(beta, alpha)| External::Named { beta, alpha }),
    ]
}

pub(super) fn adjacent() -> impl Strategy<Value = Adjacent> {
    prop_oneof![text().prop_map(Adjacent::Word), any::<u32>().prop_map(Adjacent::Count), Just(Adjacent::None)]
}

pub(super) fn untagged() -> impl Strategy<Value = Untagged> {
    prop_oneof![
        any::<i32>().prop_map(Untagged::Number),
        text().prop_map(Untagged::Text),
        any::<Vec<bool>>().prop_map(Untagged::Many),
    ]
}

pub(super) fn flat() -> impl Strategy<Value = Flat> {
    (text(), shape()).prop_map(|(name, shape)| Flat { name, shape })
}

pub(super) fn closed() -> impl Strategy<Value = Closed> {
    (text(), any::<Option<u8>>()).prop_map(|(only, maybe)| Closed { only, maybe })
}

fn maybes_within(inner: Option<Box<Maybes>>) -> impl Strategy<Value = Maybes> {
    use proptest::option::of;
    let scalars = (any::<Option<u64>>(), of(class()), of(point()), of(colour()));
    let unions = (of(shape()), of(external()), of(untagged()), of(tree()));
    let lists = (
        of(proptest::collection::vec(of(colour()), 0..3)),
        of(proptest::collection::btree_map(text(), of(point()), 0..3)),
        of((any::<Option<i8>>(), text())),
    );
    (scalars, unions, lists).prop_map(move |(scalars, unions, lists)| Maybes {
        number: scalars.0,
        class: scalars.1,
        point: scalars.2.map(Box::new),
        shape: unions.0,
        external: unions.1,
        untagged: unions.2,
        tree: unions.3,
        list: lists.0,
        map: lists.1,
        pair: lists.2,
        unit: (),
        skipped: scalars.3,
        inner: inner.clone(),
    })
}

pub(super) fn maybes() -> impl Strategy<Value = Maybes> {
    proptest::option::of(maybes_within(None)).prop_flat_map(|inner| maybes_within(inner.map(Box::new)))
}

pub(super) fn everything() -> impl Strategy<Value = Everything> {
    let scalars = any::<(bool, i8, u8, i16, u16, i32, u32, i64, u64)>();
    let floats = (-1e6_f32..1e6, -1e6_f64..1e6, any::<char>(), proptest::option::of(text()));
    let enums = (class(), proptest::option::of(colour()), shape(), external(), adjacent(), untagged());
    let nested = (address(), proptest::option::of(address()), tree(), point(), closed(), flat());
    let lists = (
        (any::<i32>(), text()),
        any::<[u8; 3]>(),
        proptest::collection::vec(text(), 0..3),
        proptest::option::of(proptest::collection::vec(point(), 0..3)),
        any::<Vec<Option<u8>>>(),
        proptest::collection::btree_map(text(), any::<u32>(), 0..3),
        proptest::collection::btree_map(any::<u8>(), text(), 0..3),
    );
    (text(), scalars, floats, enums, nested, lists, any::<u32>()).prop_map(
        |(zebra, scalars, floats, enums, nested, lists, ant)| Everything {
            zebra,
            bool: scalars.0,
            i8: scalars.1,
            u8: scalars.2,
            i16: scalars.3,
            u16: scalars.4,
            i32: scalars.5,
            u32: scalars.6,
            i64: scalars.7,
            u64: scalars.8,
            f32: floats.0,
            f64: floats.1,
            char: floats.2,
            yak: floats.3,
            class: enums.0,
            colour: enums.1,
            shape: enums.2,
            external: enums.3,
            adjacent: enums.4,
            untagged: enums.5,
            address: nested.0,
            second_address: nested.1,
            tree: nested.2,
            boxed: Box::new(nested.3),
            closed: nested.4,
            flat: nested.5,
            pair: lists.0,
            triple: lists.1,
            list: lists.2,
            maybe_list: lists.3,
            holes: lists.4,
            map: lists.5,
            numbered: lists.6,
            any: serde_json::json!({ "free": [1, null] }),
            unit: (),
            ant,
        },
    )
}
