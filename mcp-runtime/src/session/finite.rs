//! Numbers that JSON has no words for are refused instead of written as `null`.
//!
//! Takes: a value. Gives: the same value, whose writing fails at a float that is NaN or infinite. Knows: serde. Must not
//! know: formats, sessions.
//!
//! `null` in the place of a float does not decode as one again, and breaks the schema that announces a number. The
//! refusal is part of the one walk that writes the value: everything else is handed on as it is.

use serde::{
    Serialize, Serializer,
    ser::{
        Error, SerializeMap, SerializeSeq, SerializeStruct, SerializeStructVariant, SerializeTuple,
        SerializeTupleStruct, SerializeTupleVariant,
    },
};

/// A value whose floats must be finite to be written.
pub(crate) struct Finite<'a, T: ?Sized>(pub(crate) &'a T);

impl<T: Serialize + ?Sized> Serialize for Finite<'_, T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(Guard(serializer))
    }
}

/// Another serializer, or what it gives for the members of a compound.
struct Guard<S>(S);

#[cold]
fn refuse<E: Error>(float: f64) -> E {
    E::custom(format_args!("JSON has no number for {float}"))
}

/// Methods that hand scalars on.
macro_rules! scalars {
    ($($method:ident($type:ty))*) => { $(
        fn $method(self, value: $type) -> Result<S::Ok, S::Error> {
            self.0.$method(value)
        }
    )* };
}

impl<S: Serializer> Serializer for Guard<S> {
    type Ok = S::Ok;
    type Error = S::Error;
    type SerializeSeq = Guard<S::SerializeSeq>;
    type SerializeTuple = Guard<S::SerializeTuple>;
    type SerializeTupleStruct = Guard<S::SerializeTupleStruct>;
    type SerializeTupleVariant = Guard<S::SerializeTupleVariant>;
    type SerializeMap = Guard<S::SerializeMap>;
    type SerializeStruct = Guard<S::SerializeStruct>;
    type SerializeStructVariant = Guard<S::SerializeStructVariant>;

    fn serialize_f32(self, value: f32) -> Result<S::Ok, S::Error> {
        if value.is_finite() { self.0.serialize_f32(value) } else { Err(refuse(value.into())) }
    }

    fn serialize_f64(self, value: f64) -> Result<S::Ok, S::Error> {
        if value.is_finite() { self.0.serialize_f64(value) } else { Err(refuse(value)) }
    }

    scalars! {
        serialize_bool(bool)
        serialize_i8(i8) serialize_i16(i16) serialize_i32(i32) serialize_i64(i64) serialize_i128(i128)
        serialize_u8(u8) serialize_u16(u16) serialize_u32(u32) serialize_u64(u64) serialize_u128(u128)
        serialize_char(char) serialize_str(&str) serialize_bytes(&[u8])
        serialize_unit_struct(&'static str)
    }

    fn serialize_none(self) -> Result<S::Ok, S::Error> {
        self.0.serialize_none()
    }

    fn serialize_unit(self) -> Result<S::Ok, S::Error> {
        self.0.serialize_unit()
    }

    fn serialize_unit_variant(self, name: &'static str, index: u32, variant: &'static str) -> Result<S::Ok, S::Error> {
        self.0.serialize_unit_variant(name, index, variant)
    }

    fn collect_str<T: std::fmt::Display + ?Sized>(self, value: &T) -> Result<S::Ok, S::Error> {
        self.0.collect_str(value)
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<S::Ok, S::Error> {
        self.0.serialize_some(&Finite(value))
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, name: &'static str, value: &T) -> Result<S::Ok, S::Error> {
        self.0.serialize_newtype_struct(name, &Finite(value))
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        name: &'static str,
        index: u32,
        variant: &'static str,
        value: &T,
    ) -> Result<S::Ok, S::Error> {
        self.0.serialize_newtype_variant(name, index, variant, &Finite(value))
    }

    fn serialize_seq(self, len: Option<usize>) -> Result<Self::SerializeSeq, S::Error> {
        self.0.serialize_seq(len).map(Guard)
    }

    fn serialize_tuple(self, len: usize) -> Result<Self::SerializeTuple, S::Error> {
        self.0.serialize_tuple(len).map(Guard)
    }

    fn serialize_tuple_struct(self, name: &'static str, len: usize) -> Result<Self::SerializeTupleStruct, S::Error> {
        self.0.serialize_tuple_struct(name, len).map(Guard)
    }

    fn serialize_tuple_variant(
        self,
        name: &'static str,
        index: u32,
        variant: &'static str,
        len: usize,
    ) -> Result<Self::SerializeTupleVariant, S::Error> {
        self.0.serialize_tuple_variant(name, index, variant, len).map(Guard)
    }

    fn serialize_map(self, len: Option<usize>) -> Result<Self::SerializeMap, S::Error> {
        self.0.serialize_map(len).map(Guard)
    }

    fn serialize_struct(self, name: &'static str, len: usize) -> Result<Self::SerializeStruct, S::Error> {
        self.0.serialize_struct(name, len).map(Guard)
    }

    fn serialize_struct_variant(
        self,
        name: &'static str,
        index: u32,
        variant: &'static str,
        len: usize,
    ) -> Result<Self::SerializeStructVariant, S::Error> {
        self.0.serialize_struct_variant(name, index, variant, len).map(Guard)
    }

    fn is_human_readable(&self) -> bool {
        self.0.is_human_readable()
    }
}

/// Compounds whose members have no names of their own.
macro_rules! unnamed {
    ($($compound:ident::$method:ident)*) => { $(
        impl<C: $compound> $compound for Guard<C> {
            type Ok = C::Ok;
            type Error = C::Error;

            fn $method<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), C::Error> {
                self.0.$method(&Finite(value))
            }

            fn end(self) -> Result<C::Ok, C::Error> {
                self.0.end()
            }
        }
    )* };
}

unnamed! {
    SerializeSeq::serialize_element
    SerializeTuple::serialize_element
    SerializeTupleStruct::serialize_field
    SerializeTupleVariant::serialize_field
}

/// Compounds whose members are fields.
macro_rules! named {
    ($($compound:ident)*) => { $(
        impl<C: $compound> $compound for Guard<C> {
            type Ok = C::Ok;
            type Error = C::Error;

            fn serialize_field<T: Serialize + ?Sized>(&mut self, key: &'static str, value: &T) -> Result<(), C::Error> {
                self.0.serialize_field(key, &Finite(value))
            }

            fn skip_field(&mut self, key: &'static str) -> Result<(), C::Error> {
                self.0.skip_field(key)
            }

            fn end(self) -> Result<C::Ok, C::Error> {
                self.0.end()
            }
        }
    )* };
}

named!(SerializeStruct SerializeStructVariant);

impl<C: SerializeMap> SerializeMap for Guard<C> {
    type Ok = C::Ok;
    type Error = C::Error;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), C::Error> {
        self.0.serialize_key(&Finite(key))
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), C::Error> {
        self.0.serialize_value(&Finite(value))
    }

    fn serialize_entry<K: Serialize + ?Sized, V: Serialize + ?Sized>(
        &mut self,
        key: &K,
        value: &V,
    ) -> Result<(), C::Error> {
        self.0.serialize_entry(&Finite(key), &Finite(value))
    }

    fn end(self) -> Result<C::Ok, C::Error> {
        self.0.end()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde_json::value::RawValue;

    use super::*;

    #[derive(Serialize)]
    enum Shape {
        Nothing,
        One(f64),
        Two(f64, f32),
        Named { side: f64 },
    }

    #[derive(Serialize)]
    #[serde(tag = "kind")]
    enum Tagged {
        Square { side: f64 },
    }

    #[derive(Serialize)]
    struct Pair(f64, u8);

    #[derive(Serialize)]
    struct Meters(f32);

    #[derive(Serialize)]
    struct Inner {
        deep: Option<f64>,
    }

    /// Every way of serde to hold a value.
    #[derive(Serialize)]
    struct Everything {
        plain: f64,
        some: Option<f32>,
        none: Option<f64>,
        unit: (),
        list: Vec<f64>,
        tuple: (u8, f64),
        pair: Pair,
        meters: Meters,
        shapes: Vec<Shape>,
        tagged: Tagged,
        map: BTreeMap<i32, f64>,
        #[serde(flatten)]
        inner: Inner,
        raw: Box<RawValue>,
        value: serde_json::Value,
        text: (char, &'static str, std::net::Ipv4Addr),
        wide: (i128, u128, i64, u64, bool),
    }

    fn everything(float: f64) -> Everything {
        Everything {
            plain: 0.1,
            some: Some(0.1),
            none: None,
            unit: (),
            list: vec![1e308, -0.0, f64::MIN_POSITIVE],
            tuple: (1, 2.5),
            pair: Pair(1.5, 2),
            meters: Meters(f32::MAX),
            shapes: vec![Shape::Nothing, Shape::One(1.0), Shape::Two(2.0, 3.0), Shape::Named { side: 4.0 }],
            tagged: Tagged::Square { side: 5.0 },
            map: [(-1, 6.0)].into(),
            inner: Inner { deep: Some(float) },
            raw: RawValue::from_string("[null, 1e999]".to_owned()).expect("JSON"),
            value: serde_json::json!({ "a": [1, 2.5, null] }),
            text: ('"', "ä\n", std::net::Ipv4Addr::LOCALHOST),
            wide: (i128::MIN, u128::MAX, i64::MIN, u64::MAX, true),
        }
    }

    #[test]
    fn finite_values_are_written_as_ever() {
        let value = everything(7.5);
        let guarded = serde_json::to_string(&Finite(&value)).expect("finite");
        assert_eq!(guarded, serde_json::to_string(&value).expect("JSON"));
        assert!(guarded.contains("[null, 1e999]"), "{guarded}");
    }

    #[test]
    fn a_float_that_is_not_finite_is_refused_wherever_it_stands() {
        fn refused<T: Serialize>(value: T) {
            assert!(serde_json::to_string(&value).is_ok(), "JSON alone would take it");
            let error = serde_json::to_string(&Finite(&value)).expect_err("not finite").to_string();
            assert!(error.starts_with("JSON has no number for "), "{error}");
        }
        for float in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            #[expect(clippy::cast_possible_truncation, reason = "what is not finite stays so")]
            let small = float as f32;
            refused(float);
            refused(small);
            refused(Some(float));
            refused(vec![1.0, float]);
            refused((1, small));
            refused(Pair(float, 1));
            refused(Meters(small));
            refused(Shape::One(float));
            refused(Shape::Two(1.0, small));
            refused(Shape::Named { side: float });
            refused(Tagged::Square { side: float });
            refused(BTreeMap::from([("a", float)]));
            refused(everything(float));
        }
    }
}
