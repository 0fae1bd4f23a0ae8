//! What serde gives when every member that is `None` is left out, as `skip_serializing_if = "Option::is_none"` does.
//!
//! Told by serde and not by the value: `null` has other meanings (`()`, a free value), and those are not left out.

use serde::{
    Serialize, Serializer,
    ser::{
        SerializeMap, SerializeSeq, SerializeStruct, SerializeStructVariant, SerializeTuple, SerializeTupleStruct,
        SerializeTupleVariant,
    },
};
use serde_json::{Error, Map, Value};

/// The value as JSON, without the members that are `None`.
pub(super) fn without_absent<T: Serialize + ?Sized>(value: &T) -> Value {
    value.serialize(Absent).expect("JSON").unwrap_or_default()
}

/// Gives `None` for an `Option` that is `None`.
struct Absent;

fn present<T: Serialize + ?Sized>(value: &T) -> Result<Value, Error> {
    Ok(value.serialize(Absent)?.unwrap_or_default())
}

/// A compound under way, below the name of its variant if it has one.
struct Compound<T>(T, Option<&'static str>);

impl<T: Into<Value>> Compound<T> {
    fn whole(self) -> Result<Option<Value>, Error> {
        let whole = self.0.into();
        Ok(Some(match self.1 {
            Some(variant) => Map::from_iter([(variant.to_owned(), whole)]).into(),
            None => whole,
        }))
    }
}

macro_rules! scalars {
    ($($method:ident($type:ty))*) => { $(
        fn $method(self, value: $type) -> Result<Option<Value>, Error> {
            serde_json::to_value(value).map(Some)
        }
    )* };
}

impl Serializer for Absent {
    type Ok = Option<Value>;
    type Error = Error;
    type SerializeSeq = Compound<Vec<Value>>;
    type SerializeTuple = Compound<Vec<Value>>;
    type SerializeTupleStruct = Compound<Vec<Value>>;
    type SerializeTupleVariant = Compound<Vec<Value>>;
    type SerializeMap = Entries;
    type SerializeStruct = Compound<Map<String, Value>>;
    type SerializeStructVariant = Compound<Map<String, Value>>;

    scalars! {
        serialize_bool(bool)
        serialize_i8(i8) serialize_i16(i16) serialize_i32(i32) serialize_i64(i64)
        serialize_u8(u8) serialize_u16(u16) serialize_u32(u32) serialize_u64(u64)
        serialize_f32(f32) serialize_f64(f64)
        serialize_char(char) serialize_str(&str) serialize_bytes(&[u8])
    }

    fn serialize_none(self) -> Result<Option<Value>, Error> {
        Ok(None)
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<Option<Value>, Error> {
        value.serialize(self)
    }

    fn serialize_unit(self) -> Result<Option<Value>, Error> {
        Ok(Some(Value::Null))
    }

    fn serialize_unit_struct(self, _: &'static str) -> Result<Option<Value>, Error> {
        Ok(Some(Value::Null))
    }

    fn serialize_unit_variant(self, _: &'static str, _: u32, variant: &'static str) -> Result<Option<Value>, Error> {
        Ok(Some(variant.into()))
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        value: &T,
    ) -> Result<Option<Value>, Error> {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        value: &T,
    ) -> Result<Option<Value>, Error> {
        Compound(present(value)?, Some(variant)).whole()
    }

    fn serialize_seq(self, _: Option<usize>) -> Result<Self::SerializeSeq, Error> {
        Ok(Compound(Vec::new(), None))
    }

    fn serialize_tuple(self, _: usize) -> Result<Self::SerializeTuple, Error> {
        Ok(Compound(Vec::new(), None))
    }

    fn serialize_tuple_struct(self, _: &'static str, _: usize) -> Result<Self::SerializeTupleStruct, Error> {
        Ok(Compound(Vec::new(), None))
    }

    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        _: usize,
    ) -> Result<Self::SerializeTupleVariant, Error> {
        Ok(Compound(Vec::new(), Some(variant)))
    }

    fn serialize_map(self, _: Option<usize>) -> Result<Self::SerializeMap, Error> {
        Ok(Entries(Map::new(), String::new()))
    }

    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Self::SerializeStruct, Error> {
        Ok(Compound(Map::new(), None))
    }

    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        _: usize,
    ) -> Result<Self::SerializeStructVariant, Error> {
        Ok(Compound(Map::new(), Some(variant)))
    }
}

macro_rules! elements {
    ($($compound:ident::$method:ident)*) => { $(
        impl $compound for Compound<Vec<Value>> {
            type Ok = Option<Value>;
            type Error = Error;

            fn $method<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Error> {
                self.0.push(present(value)?);
                Ok(())
            }

            fn end(self) -> Result<Option<Value>, Error> {
                self.whole()
            }
        }
    )* };
}

elements! {
    SerializeSeq::serialize_element
    SerializeTuple::serialize_element
    SerializeTupleStruct::serialize_field
    SerializeTupleVariant::serialize_field
}

macro_rules! fields {
    ($($compound:ident)*) => { $(
        impl $compound for Compound<Map<String, Value>> {
            type Ok = Option<Value>;
            type Error = Error;

            fn serialize_field<T: Serialize + ?Sized>(&mut self, key: &'static str, value: &T) -> Result<(), Error> {
                self.0.extend(value.serialize(Absent)?.map(|value| (key.to_owned(), value)));
                Ok(())
            }

            fn end(self) -> Result<Option<Value>, Error> {
                self.whole()
            }
        }
    )* };
}

fields!(SerializeStruct SerializeStructVariant);

/// The entries of a map, and the key of the next one.
struct Entries(Map<String, Value>, String);

/// Entries of a map are no members: `None` stays `null`.
impl SerializeMap for Entries {
    type Ok = Option<Value>;
    type Error = Error;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), Error> {
        let key = present(key)?;
        self.1 = key.as_str().map_or_else(|| key.to_string(), str::to_owned);
        Ok(())
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Error> {
        self.0.insert(std::mem::take(&mut self.1), present(value)?);
        Ok(())
    }

    fn end(self) -> Result<Option<Value>, Error> {
        Ok(Some(self.0.into()))
    }
}
