//! Stripe's form encoding: `items[0][price]=price_1&metadata[key]=value&expand[]=customer`.

use std::collections::BTreeMap;

use crate::errors::ApiError;

/// Deeper nesting than any parameter of Stripe has.
const MAX_DEPTH: usize = 8;
/// More parameters than any call of Stripe takes.
const MAX_PARAMETERS: usize = 1_000;

/// A decoded form: text at the leaves. Lists are still maps with numeric keys; only the description of a call's
/// parameters knows which maps are lists.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum FormNode {
    Text(String),
    Map(BTreeMap<FormKey, FormNode>),
}

/// Numbers sort before names and by value, so that `items[10]` follows `items[9]`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum FormKey {
    Index(usize),
    Name(String),
}

impl FormKey {
    pub(crate) fn text(&self) -> String {
        match self {
            Self::Index(index) => index.to_string(),
            Self::Name(name) => name.clone(),
        }
    }
}

/// Decodes a query string or a form body.
pub(crate) fn decode(raw: &[u8]) -> Result<BTreeMap<FormKey, FormNode>, ApiError> {
    let mut root = BTreeMap::new();
    for (count, (name, value)) in url::form_urlencoded::parse(raw).enumerate() {
        if count >= MAX_PARAMETERS {
            return Err(ApiError::invalid("Too many parameters."));
        }
        insert(&mut root, &split_name(&name)?, value.into_owned(), &name)?;
    }
    Ok(root)
}

fn split_name(name: &str) -> Result<Vec<&str>, ApiError> {
    let malformed = || ApiError::invalid(format!("Invalid parameter name: {name}"));
    let Some(open) = name.find('[') else {
        return Ok(vec![name]);
    };
    let mut parts = vec![&name[..open]];
    let mut rest = &name[open..];
    while !rest.is_empty() {
        let inner = rest.strip_prefix('[').ok_or_else(malformed)?;
        let close = inner.find(']').ok_or_else(malformed)?;
        parts.push(&inner[..close]);
        rest = &inner[close + 1..];
        if parts.len() > MAX_DEPTH {
            return Err(malformed());
        }
    }
    Ok(parts)
}

fn insert(
    map: &mut BTreeMap<FormKey, FormNode>,
    path: &[&str],
    value: String,
    full_name: &str,
) -> Result<(), ApiError> {
    let Some((first, rest)) = path.split_first() else {
        return Ok(());
    };
    let key = if first.is_empty() {
        FormKey::Index(map.len())
    } else {
        match first.parse::<usize>() {
            Ok(index) => FormKey::Index(index),
            Err(_) => FormKey::Name((*first).to_owned()),
        }
    };
    if rest.is_empty() {
        map.insert(key, FormNode::Text(value));
        return Ok(());
    }
    let node = map.entry(key).or_insert_with(|| FormNode::Map(BTreeMap::new()));
    match node {
        FormNode::Map(inner) => insert(inner, rest, value, full_name),
        FormNode::Text(_) => Err(ApiError::invalid(format!(
            "Parameter {full_name} is given both as a value and as a hash."
        ))),
    }
}

#[cfg(test)]
mod tests {
    use super::{FormKey, FormNode, decode};

    fn child<'a>(node: &'a FormNode, key: &str) -> &'a FormNode {
        let FormNode::Map(map) = node else { panic!("not a map") };
        let key = key
            .parse()
            .map_or_else(|_| FormKey::Name(key.to_owned()), FormKey::Index);
        &map[&key]
    }

    #[test]
    fn nested_names_and_lists_are_decoded() {
        let form =
            decode(b"items[0][price]=price_1&items[10][price]=b&metadata[a%20b]=c+d&expand[]=x&expand[]=y").unwrap();
        let root = FormNode::Map(form);
        assert_eq!(
            child(child(child(&root, "items"), "0"), "price"),
            &FormNode::Text("price_1".into())
        );
        assert_eq!(child(child(&root, "metadata"), "a b"), &FormNode::Text("c d".into()));
        assert_eq!(child(child(&root, "expand"), "1"), &FormNode::Text("y".into()));
    }

    #[test]
    fn broken_names_are_refused() {
        assert!(decode(b"a[b=1").is_err());
        assert!(decode(b"a=1&a[b]=2").is_err());
        assert!(decode(format!("a{}=1", "[b]".repeat(20)).as_bytes()).is_err());
    }
}
