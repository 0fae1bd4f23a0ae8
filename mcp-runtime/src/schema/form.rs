//! A schema in the portable profile, as a tree: built once per tool, written for clients, asked when arguments are wrong.
//!
//! Takes: nothing. Gives: [`Form`]. Knows: the keywords of the profile. Must not know: schemars, clients, calls.

use serde_json::{Number, Value};

/// A JSON type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    String,
    Integer,
    Number,
    Boolean,
    Object,
    Array,
    Null,
}

impl Kind {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::String => "string",
            Self::Integer => "integer",
            Self::Number => "number",
            Self::Boolean => "boolean",
            Self::Object => "object",
            Self::Array => "array",
            Self::Null => "null",
        }
    }

    pub(super) fn named(name: &str) -> Option<Self> {
        [Self::String, Self::Integer, Self::Number, Self::Boolean, Self::Object, Self::Array, Self::Null]
            .into_iter()
            .find(|kind| kind.name() == name)
    }
}

/// What an object may hold besides its properties.
#[derive(Clone, Debug, Default)]
pub(super) enum Rest {
    /// Not said: anything.
    #[default]
    Open,
    /// Nothing.
    Closed,
    /// Members of this form: a map.
    Of(Box<Form>),
}

/// One schema.
#[derive(Clone, Debug, Default)]
pub(super) struct Form {
    /// The JSON type; `None` where the arms say it, or anything goes.
    pub(super) kind: Option<Kind>,
    /// A type met again on its own path: a name in the root's `$defs`.
    pub(super) reference: Option<String>,
    pub(super) description: String,
    /// What the variants of an enum mean: name and text.
    pub(super) variants: Vec<(String, String)>,
    /// `enum`.
    pub(super) allowed: Vec<Value>,
    pub(super) properties: Option<Vec<(String, Form)>>,
    pub(super) required: Vec<String>,
    pub(super) rest: Rest,
    pub(super) items: Option<Box<Form>>,
    /// The elements of a tuple, in order; [`Form::items`] is then what fits any of them.
    pub(super) tuple: Vec<Form>,
    pub(super) any_of: Vec<Form>,
    pub(super) all_of: Vec<Form>,
    pub(super) minimum: Option<Number>,
    pub(super) maximum: Option<Number>,
    pub(super) exclusive_minimum: Option<Number>,
    pub(super) exclusive_maximum: Option<Number>,
    pub(super) multiple_of: Option<Number>,
    pub(super) min_length: Option<u64>,
    pub(super) max_length: Option<u64>,
    pub(super) min_items: Option<u64>,
    pub(super) max_items: Option<u64>,
    pub(super) unique_items: bool,
    pub(super) pattern: Option<String>,
    /// The string spells an integer of this range.
    pub(super) digits: Option<&'static str>,
    pub(super) format: Option<String>,
    pub(super) default: Option<Value>,
    /// The bounds are those of a wide integer type: no news for a reader.
    pub(super) wide: bool,
    /// `null` is taken, though the schema does not say so: an `Option` that may as well be left out.
    pub(super) nullable: bool,
    /// The type itself would let pass what these keywords forbid.
    pub(super) checked: bool,
    /// Keywords without a field of their own, as they came.
    pub(super) extra: Vec<(String, Value)>,
}

impl Form {
    pub(super) fn of(kind: Kind) -> Self {
        Self { kind: Some(kind), ..Self::default() }
    }

    /// Whether it says nothing of the value.
    pub(super) fn is_anything(&self) -> bool {
        self.kind.is_none()
            && self.reference.is_none()
            && self.allowed.is_empty()
            && self.properties.is_none()
            && self.any_of.is_empty()
            && self.all_of.is_empty()
            && self.extra.is_empty()
    }

    /// Whether it only says that the value is `null`.
    pub(super) fn is_null(&self) -> bool {
        self.kind == Some(Kind::Null)
    }

    /// Every form directly below this one.
    pub(super) fn children(&self) -> impl Iterator<Item = &Self> {
        let rest = match &self.rest {
            Rest::Of(form) => Some(&**form),
            Rest::Open | Rest::Closed => None,
        };
        self.properties
            .iter()
            .flatten()
            .map(|(_, form)| form)
            .chain(rest)
            .chain(self.items.as_deref())
            .chain(&self.tuple)
            .chain(&self.any_of)
            .chain(&self.all_of)
    }

    /// Whether this form or one below it satisfies `test`; references are not followed.
    pub(super) fn any(&self, test: &impl Fn(&Self) -> bool) -> bool {
        test(self) || self.children().any(|child| child.any(test))
    }

    /// Lays `over` over this form: what both say once, `over` says; what can be said together is.
    pub(super) fn overlay(&mut self, over: Self) {
        fn replace<T>(here: &mut Option<T>, over: Option<T>) {
            if over.is_some() {
                *here = over;
            }
        }
        if !over.description.is_empty() {
            self.description = over.description;
        }
        if !over.variants.is_empty() {
            self.variants = over.variants;
        }
        if !over.allowed.is_empty() {
            self.allowed = over.allowed;
        }
        if let Some(mut properties) = over.properties {
            // The tag of a tagged variant comes first, as serde writes it.
            properties.extend(self.properties.take().into_iter().flatten());
            let mut seen = Vec::with_capacity(properties.len());
            properties.retain(|(name, _)| {
                let new = !seen.contains(name);
                seen.push(name.clone());
                new
            });
            self.properties = Some(properties);
        }
        let below = std::mem::replace(&mut self.required, over.required);
        for name in below {
            if !self.required.contains(&name) {
                self.required.push(name);
            }
        }
        if !matches!(over.rest, Rest::Open) {
            self.rest = over.rest;
        }
        if over.items.is_some() {
            self.items = over.items;
            self.tuple = over.tuple;
        }
        if self.any_of.is_empty() {
            self.any_of = over.any_of;
        } else if !over.any_of.is_empty() {
            // Both unions must hold; only `allOf` can say that.
            self.all_of.push(Self { any_of: over.any_of, ..Self::default() });
        }
        self.all_of.extend(over.all_of);
        replace(&mut self.kind, over.kind);
        replace(&mut self.reference, over.reference);
        replace(&mut self.minimum, over.minimum);
        replace(&mut self.maximum, over.maximum);
        replace(&mut self.exclusive_minimum, over.exclusive_minimum);
        replace(&mut self.exclusive_maximum, over.exclusive_maximum);
        replace(&mut self.multiple_of, over.multiple_of);
        replace(&mut self.min_length, over.min_length);
        replace(&mut self.max_length, over.max_length);
        replace(&mut self.min_items, over.min_items);
        replace(&mut self.max_items, over.max_items);
        replace(&mut self.pattern, over.pattern);
        replace(&mut self.digits, over.digits);
        replace(&mut self.format, over.format);
        replace(&mut self.default, over.default);
        self.unique_items |= over.unique_items;
        self.nullable |= over.nullable;
        self.checked |= over.checked;
        self.extra.retain(|(key, _)| !over.extra.iter().any(|(other, _)| other == key));
        self.extra.extend(over.extra);
    }
}
