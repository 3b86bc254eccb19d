//! The JSON schema of what is sent, from the declarations of the types themselves.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};

use serde_json::{Value, json};

/// Named schemas of the types that others refer to.
pub type Definitions = BTreeMap<&'static str, Value>;

/// A type whose JSON form is known.
pub trait Shape {
    /// Its schema; types with a name are put into `definitions` and referred to below `place`, such as `#/$defs/`.
    fn shape(place: &str, definitions: &mut Definitions) -> Value;

    /// Adds the value as JSON, the same octets as `serde_json` writes. Names of members are written as they stand in
    /// the declaration, without a look for what must be escaped in them: for tables of ten thousand rows that is a
    /// third of the cost.
    fn write_json(&self, out: &mut Vec<u8>);
}

/// One member of an object.
pub(crate) struct Member {
    pub(crate) name: &'static str,
    pub(crate) docs: &'static [&'static str],
    pub(crate) shape: fn(&str, &mut Definitions) -> Value,
}

/// The reference to an object, whose schema is put into `definitions` with its first use.
pub(crate) fn object(
    name: &'static str,
    docs: &[&str],
    members: &[Member],
    place: &str,
    definitions: &mut Definitions,
) -> Value {
    if !definitions.contains_key(name) {
        definitions.insert(name, Value::Null);
        let mut properties = serde_json::Map::new();
        for member in members {
            let mut shape = (member.shape)(place, definitions);
            if let Some(shape) = shape.as_object_mut() {
                shape.insert("description".to_owned(), sentence(member.docs).into());
            }
            properties.insert(member.name.to_owned(), shape);
        }
        let required: Vec<&str> = members.iter().map(|member| member.name).collect();
        let schema = json!({
            "type": "object",
            "description": sentence(docs),
            "properties": properties,
            "required": required,
        });
        definitions.insert(name, schema);
    }
    json!({ "$ref": format!("{place}{name}") })
}

fn sentence(docs: &[&str]) -> String {
    docs.iter().map(|line| line.trim()).collect::<Vec<_>>().join(" ")
}

/// The whole JSON schema (draft 2020-12) of a document.
pub fn schema<T: Shape>(title: &str) -> Value {
    let mut definitions = Definitions::new();
    let root = T::shape("#/$defs/", &mut definitions);
    let mut whole = json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": title,
        "$defs": definitions,
    });
    if let (Some(whole), Some(root)) = (whole.as_object_mut(), root.as_object()) {
        whole.extend(root.clone());
    }
    whole
}

/// The reference of a type below `place`; its schema and those it needs are put into `definitions`.
pub fn schemas<T: Shape>(place: &str, definitions: &mut Definitions) -> Value {
    T::shape(place, definitions)
}

macro_rules! plain {
    ($($type:ty => $shape:tt),* $(,)?) => {
        $(impl Shape for $type {
            fn shape(_: &str, _: &mut Definitions) -> Value {
                json!($shape)
            }

            fn write_json(&self, out: &mut Vec<u8>) {
                // A vector takes everything, and a number or a text can always be written.
                let _ = serde_json::to_writer(out, self);
            }
        })*
    };
}

plain! {
    bool => { "type": "boolean" },
    u8 => { "type": "integer", "minimum": 0 },
    u16 => { "type": "integer", "minimum": 0 },
    u32 => { "type": "integer", "minimum": 0 },
    u64 => { "type": "integer", "minimum": 0 },
    usize => { "type": "integer", "minimum": 0 },
    i64 => { "type": "integer" },
    f64 => { "type": "number" },
    String => { "type": "string" },
    Cow<'static, str> => { "type": "string" },
    SocketAddr => { "type": "string" },
    IpAddr => { "type": "string" },
}

impl<T: Shape> Shape for Vec<T> {
    fn shape(place: &str, definitions: &mut Definitions) -> Value {
        json!({ "type": "array", "items": T::shape(place, definitions) })
    }

    fn write_json(&self, out: &mut Vec<u8>) {
        out.push(b'[');
        for (i, item) in self.iter().enumerate() {
            if i > 0 {
                out.push(b',');
            }
            item.write_json(out);
        }
        out.push(b']');
    }
}

impl<T: Shape> Shape for Option<T> {
    fn shape(place: &str, definitions: &mut Definitions) -> Value {
        let mut shape = T::shape(place, definitions);
        match shape.get("type").cloned() {
            Some(Value::String(kind)) => {
                shape["type"] = json!([kind, "null"]);
                shape
            }
            _ => json!({ "anyOf": [shape, { "type": "null" }] }),
        }
    }

    fn write_json(&self, out: &mut Vec<u8>) {
        match self {
            Some(value) => value.write_json(out),
            None => out.extend_from_slice(b"null"),
        }
    }
}

impl<A: Shape, B: Shape> Shape for (A, B) {
    fn shape(place: &str, definitions: &mut Definitions) -> Value {
        let items = [A::shape(place, definitions), B::shape(place, definitions)];
        json!({ "type": "array", "prefixItems": items, "minItems": 2, "maxItems": 2 })
    }

    fn write_json(&self, out: &mut Vec<u8>) {
        out.push(b'[');
        self.0.write_json(out);
        out.push(b',');
        self.1.write_json(out);
        out.push(b']');
    }
}

/// Declares the words of an enum that is sent as one of them.
macro_rules! words {
    ($type:ty: $($word:literal),+) => {
        impl $crate::live::Shape for $type {
            fn shape(_: &str, _: &mut std::collections::BTreeMap<&'static str, serde_json::Value>) -> serde_json::Value {
                serde_json::json!({ "type": "string", "enum": [$($word),+] })
            }

            fn write_json(&self, out: &mut Vec<u8>) {
                // A vector takes everything, and a word can always be written.
                let _ = serde_json::to_writer(out, self);
            }
        }
    };
}
pub(crate) use words;

/// Declares a structure that is sent as JSON together with its schema: the documentation of each field is the
/// description in the schema, so that the two cannot differ.
macro_rules! twin {
    ($(#[doc = $doc:literal])+ $name:ident { $($(#[doc = $field_doc:literal])+ $field:ident: $type:ty,)+ }) => {
        $(#[doc = $doc])+
        #[derive(Clone, Debug, Default, PartialEq, serde::Serialize, serde::Deserialize)]
        pub struct $name {
            $($(#[doc = $field_doc])+ pub $field: $type,)+
        }

        impl $crate::live::Shape for $name {
            fn shape(
                place: &str,
                definitions: &mut std::collections::BTreeMap<&'static str, serde_json::Value>,
            ) -> serde_json::Value {
                use $crate::live::shape::{Member, object};
                let members = [$(Member {
                    name: stringify!($field),
                    docs: &[$($field_doc),+],
                    shape: <$type as $crate::live::Shape>::shape,
                }),+];
                object(stringify!($name), &[$($doc),+], &members, place, definitions)
            }

            fn write_json(&self, out: &mut Vec<u8>) {
                out.push(b'{');
                $(
                    out.extend_from_slice(concat!("\"", stringify!($field), "\":").as_bytes());
                    $crate::live::Shape::write_json(&self.$field, out);
                    out.push(b',');
                )+
                // Every structure has a member, so that the last octet is a comma.
                if let Some(last) = out.last_mut() {
                    *last = b'}';
                }
            }
        }
    };
}
pub(crate) use twin;
