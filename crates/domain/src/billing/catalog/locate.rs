//! Where each value of a YAML file stands, by JSON pointer, so that a complaint can name line and column.

use std::{collections::HashMap, fmt};

use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, SeqAccess, Visitor},
};
use serde_json::{Map, Number, Value};
use serde_saphyr::Spanned;

/// A place in a text, both counted from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place {
    pub(super) line: u64,
    pub(super) column: u64,
}

/// A document as plain values, and where each of them begins.
pub(super) struct Located {
    pub(super) value: Value,
    places: HashMap<String, Place>,
}

impl Located {
    pub(super) fn read(text: &str) -> Result<Self, serde_saphyr::Error> {
        let root: Spanned<Node> = serde_saphyr::from_str(text)?;
        let mut places = HashMap::new();
        let value = plain(root, String::new(), &mut places);
        Ok(Self { value, places })
    }

    /// The place of the value at `pointer`, or of the nearest value around it.
    pub(super) fn place(&self, pointer: &str) -> Place {
        let mut rest = pointer;
        loop {
            if let Some(place) = self.places.get(rest) {
                return *place;
            }
            match rest.rfind('/') {
                Some(end) => rest = &rest[..end],
                None => return Place { line: 1, column: 1 },
            }
        }
    }

    /// The place of the key under which `pointer` stands.
    pub(super) fn key_place(&self, pointer: &str) -> Place {
        let key = format!("{pointer}{KEY_MARK}");
        self.places.get(&key).copied().unwrap_or_else(|| self.place(pointer))
    }
}

/// Cannot occur in a pointer, where `~` is always followed by 0 or 1.
const KEY_MARK: &str = "~key";

/// One step further down a JSON pointer.
pub(super) fn below(pointer: &str, key: &str) -> String {
    format!("{pointer}/{}", key.replace('~', "~0").replace('/', "~1"))
}

fn plain(node: Spanned<Node>, pointer: String, places: &mut HashMap<String, Place>) -> Value {
    let place = place_of(&node);
    let value = match node.value {
        Node::Scalar(value) => value,
        Node::List(items) => Value::Array(
            items
                .into_iter()
                .enumerate()
                .map(|(index, item)| plain(item, below(&pointer, &index.to_string()), places))
                .collect(),
        ),
        Node::Mapping(entries) => {
            let mut map = Map::with_capacity(entries.len());
            for (key, item) in entries {
                let inner = below(&pointer, &key.value);
                places.insert(format!("{inner}{KEY_MARK}"), place_of(&key));
                let item = plain(item, inner, places);
                map.insert(key.value, item);
            }
            Value::Object(map)
        }
    };
    places.insert(pointer, place);
    value
}

fn place_of<T>(spanned: &Spanned<T>) -> Place {
    Place {
        line: spanned.referenced.line(),
        column: spanned.referenced.column(),
    }
}

enum Node {
    Scalar(Value),
    List(Vec<Spanned<Node>>),
    Mapping(Vec<(Spanned<String>, Spanned<Node>)>),
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(NodeVisitor)
    }
}

struct NodeVisitor;

impl<'de> Visitor<'de> for NodeVisitor {
    type Value = Node;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Node, E> {
        Ok(Node::Scalar(Value::Bool(value)))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Node, E> {
        Ok(Node::Scalar(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Node, E> {
        Ok(Node::Scalar(value.into()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Node, E> {
        Ok(Node::Scalar(Number::from_f64(value).map_or(Value::Null, Value::Number)))
    }

    fn visit_str<E>(self, value: &str) -> Result<Node, E> {
        Ok(Node::Scalar(value.into()))
    }

    fn visit_unit<E>(self) -> Result<Node, E> {
        Ok(Node::Scalar(Value::Null))
    }

    fn visit_none<E>(self) -> Result<Node, E> {
        Ok(Node::Scalar(Value::Null))
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Node, D::Error> {
        Node::deserialize(deserializer)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Node, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element()? {
            list.push(item);
        }
        Ok(Node::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Node, A::Error> {
        let mut mapping = Vec::new();
        while let Some(entry) = entries.next_entry()? {
            mapping.push(entry);
        }
        Ok(Node::Mapping(mapping))
    }
}
