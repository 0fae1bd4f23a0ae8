//! The order in which fields and variants were declared, which schemas in alphabetical order have lost.
//!
//! Takes: a type that serde can decode. Gives: [`Orders`]. Knows: that derived `Deserialize` names its fields and
//! variants in source order to the deserializer. Must not know: schemas, JSON text.

use std::{
    cell::{Cell, RefCell},
    collections::HashMap,
    fmt,
};

use serde::de::{
    self, DeserializeOwned, DeserializeSeed, Deserializer, EnumAccess, IntoDeserializer, MapAccess, SeqAccess,
    VariantAccess, Visitor, value::StrDeserializer,
};

/// Lists of names in the order of their declaration.
#[derive(Clone, Debug, Default)]
pub(super) struct Orders(pub(super) Vec<Vec<String>>);

impl Orders {
    /// Whether a declaration holds all these names.
    pub(super) fn knows(&self, names: &[&str]) -> bool {
        self.list(names).is_some()
    }

    /// A key by which `names` come in the order of their declaration; `None` for all where no declaration is known.
    pub(super) fn places(&self, names: &[&str]) -> Vec<Option<usize>> {
        let list = self.list(names);
        names.iter().map(|name| list.and_then(|list| list.iter().position(|declared| declared == name))).collect()
    }

    /// The shortest declaration that holds all of them: aliases and skipped fields make it longer than needed.
    fn list(&self, names: &[&str]) -> Option<&[String]> {
        self.0
            .iter()
            .filter(|list| names.iter().all(|name| list.iter().any(|declared| declared == name)))
            .min_by_key(|list| list.len())
            .map(Vec::as_slice)
    }
}

/// How often a type is asked: each time another field comes first and another variant is chosen, so that one part which
/// refuses made-up values hides nothing but itself.
const PASSES: usize = 48;

/// How deep made-up values go: recursive types must end.
const DEPTH: usize = 24;

/// How many values one pass makes up: types that branch as they recurse must end soon.
const VALUES: usize = 2_000;

/// The orders in `T` and in the types of its fields, as far as made-up values reach.
pub(super) fn orders<T: DeserializeOwned>() -> Orders {
    let record = Record::default();
    for _ in 0..PASSES {
        let before = record.progress();
        record.left.set(VALUES);
        // What comes of it does not matter, only what the type asked for on the way.
        let _ = T::deserialize(Tracer { record: &record, depth: 0 });
        if record.progress() == before {
            break;
        }
    }
    Orders(
        record.lists.into_inner().into_iter().map(|list| list.iter().map(|&name| name.to_owned()).collect()).collect(),
    )
}

type Names = &'static [&'static str];

#[derive(Default)]
struct Record {
    lists: RefCell<Vec<Names>>,
    /// How often a declaration was met: which field comes first, which variant is taken.
    turns: RefCell<HashMap<Names, usize>>,
    /// Values that may still be made up in this pass.
    left: Cell<usize>,
}

impl Record {
    /// Notes a declaration; gives the number of times that it was met before.
    fn meet(&self, names: Names) -> usize {
        let mut turns = self.turns.borrow_mut();
        let turn = turns.entry(names).or_insert(0);
        *turn += 1;
        if *turn == 1 {
            self.lists.borrow_mut().push(names);
        }
        *turn - 1
    }

    /// Grows while there is something left to try.
    fn progress(&self) -> usize {
        self.turns.borrow().iter().map(|(names, turn)| 1 + (*turn).min(names.len())).sum()
    }
}

#[derive(Clone, Copy)]
struct Tracer<'a> {
    record: &'a Record,
    depth: usize,
}

#[derive(Debug)]
struct Stop;

impl fmt::Display for Stop {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("no made-up value fits")
    }
}

impl std::error::Error for Stop {}

impl de::Error for Stop {
    fn custom<T: fmt::Display>(_: T) -> Self {
        Self
    }
}

impl<'a> Tracer<'a> {
    fn deeper(self) -> Result<Self, Stop> {
        let left = self.record.left.get().checked_sub(1).ok_or(Stop)?;
        self.record.left.set(left);
        if self.depth < DEPTH { Ok(Self { depth: self.depth + 1, ..self }) } else { Err(Stop) }
    }

    /// The fields, each time beginning with another one.
    fn fields(self, names: Names) -> Result<Fields<'a>, Stop> {
        let tracer = self.deeper()?;
        let turn = self.record.meet(names);
        Ok(Fields { tracer, names, first: turn.checked_rem(names.len()).unwrap_or(0), given: 0 })
    }
}

macro_rules! made_up {
    ($($method:ident => $visit:ident($($value:expr)?);)*) => {
        $(fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Stop> {
            visitor.$visit($($value)?)
        })*
    };
}

impl<'de> Deserializer<'de> for Tracer<'_> {
    type Error = Stop;

    made_up! {
        deserialize_bool => visit_bool(false);
        deserialize_i8 => visit_i8(1);
        deserialize_i16 => visit_i16(1);
        deserialize_i32 => visit_i32(1);
        deserialize_i64 => visit_i64(1);
        deserialize_i128 => visit_i128(1);
        deserialize_u8 => visit_u8(1);
        deserialize_u16 => visit_u16(1);
        deserialize_u32 => visit_u32(1);
        deserialize_u64 => visit_u64(1);
        deserialize_u128 => visit_u128(1);
        deserialize_f32 => visit_f32(1.0);
        deserialize_f64 => visit_f64(1.0);
        deserialize_char => visit_char('a');
        deserialize_str => visit_str("a");
        deserialize_string => visit_str("a");
        deserialize_bytes => visit_bytes(b"a");
        deserialize_byte_buf => visit_bytes(b"a");
        deserialize_unit => visit_unit();
        deserialize_identifier => visit_str("a");
        deserialize_ignored_any => visit_unit();
    }

    fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Stop> {
        // The type looks at the value before it says what it wants: nothing to learn.
        Err(Stop)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Stop> {
        match self.deeper() {
            Ok(tracer) => visitor.visit_some(tracer),
            Err(Stop) => visitor.visit_none(),
        }
    }

    fn deserialize_unit_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, Stop> {
        visitor.visit_unit()
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, Stop> {
        visitor.visit_newtype_struct(self.deeper()?)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Stop> {
        visitor.visit_seq(Repeat { tracer: self, left: usize::from(self.depth < DEPTH) })
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, length: usize, visitor: V) -> Result<V::Value, Stop> {
        visitor.visit_seq(Repeat { tracer: self.deeper()?, left: length })
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        length: usize,
        visitor: V,
    ) -> Result<V::Value, Stop> {
        self.deserialize_tuple(length, visitor)
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Stop> {
        visitor.visit_map(Repeat { tracer: self, left: usize::from(self.depth < DEPTH) })
    }

    fn deserialize_struct<V: Visitor<'de>>(self, _: &'static str, names: Names, visitor: V) -> Result<V::Value, Stop> {
        visitor.visit_map(self.fields(names)?)
    }

    fn deserialize_enum<V: Visitor<'de>>(self, _: &'static str, names: Names, visitor: V) -> Result<V::Value, Stop> {
        let turn = self.record.meet(names);
        let tracer = self.deeper()?;
        // At the bottom of a recursive type the first variant is as good as any; often it is the one that ends it.
        let variant = names.get(turn.checked_rem(names.len()).ok_or(Stop)?).ok_or(Stop)?;
        visitor.visit_enum(Variant { tracer, variant })
    }
}

/// So many elements, or entries of a map.
struct Repeat<'a> {
    tracer: Tracer<'a>,
    left: usize,
}

impl<'de> SeqAccess<'de> for Repeat<'_> {
    type Error = Stop;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Stop> {
        let Some(left) = self.left.checked_sub(1) else { return Ok(None) };
        self.left = left;
        seed.deserialize(self.tracer.deeper()?).map(Some)
    }
}

impl<'de> MapAccess<'de> for Repeat<'_> {
    type Error = Stop;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Stop> {
        self.next_element_seed(seed)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Stop> {
        seed.deserialize(self.tracer.deeper()?)
    }
}

/// The fields of a struct, once around.
struct Fields<'a> {
    tracer: Tracer<'a>,
    names: Names,
    first: usize,
    given: usize,
}

impl<'de> MapAccess<'de> for Fields<'_> {
    type Error = Stop;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Stop> {
        if self.given == self.names.len() {
            return Ok(None);
        }
        let name = self.names.get((self.first + self.given) % self.names.len()).ok_or(Stop)?;
        self.given += 1;
        seed.deserialize(name_of(name)).map(Some)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Stop> {
        seed.deserialize(self.tracer)
    }
}

/// One variant of an enum.
struct Variant<'a> {
    tracer: Tracer<'a>,
    variant: &'static str,
}

impl<'de> EnumAccess<'de> for Variant<'_> {
    type Error = Stop;
    type Variant = Self;

    fn variant_seed<V: DeserializeSeed<'de>>(self, seed: V) -> Result<(V::Value, Self), Stop> {
        seed.deserialize(name_of(self.variant)).map(|value| (value, self))
    }
}

impl<'de> VariantAccess<'de> for Variant<'_> {
    type Error = Stop;

    fn unit_variant(self) -> Result<(), Stop> {
        Ok(())
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<T::Value, Stop> {
        seed.deserialize(self.tracer)
    }

    fn tuple_variant<V: Visitor<'de>>(self, length: usize, visitor: V) -> Result<V::Value, Stop> {
        self.tracer.deserialize_tuple(length, visitor)
    }

    fn struct_variant<V: Visitor<'de>>(self, names: Names, visitor: V) -> Result<V::Value, Stop> {
        visitor.visit_map(self.tracer.fields(names)?)
    }
}

fn name_of(name: &'static str) -> StrDeserializer<'static, Stop> {
    name.into_deserializer()
}
