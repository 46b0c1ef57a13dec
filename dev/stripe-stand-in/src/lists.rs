//! Lists: filters, pages, and their shape.

use serde_json::{Value, json};

use crate::errors::ApiError;
use crate::params::Params;
use crate::state::State;
use crate::store::{Kind, Record};

/// A condition on the objects of a list, by JSON pointer.
#[derive(Clone, Debug)]
pub(crate) enum Filter {
    Everything,
    Equals(&'static str, Value),
    Differs(&'static str, Value),
    OneOf(&'static str, Vec<Value>),
    Prefix(&'static str, String),
    Bounds(&'static str, Value),
}

impl Filter {
    /// The `created` parameter that every list takes.
    pub(crate) fn created(params: &Params) -> Self {
        match params.get("created") {
            Some(bounds) if bounds.is_object() => Self::Bounds("/created", bounds.clone()),
            Some(moment) if moment.is_number() => Self::Equals("/created", moment.clone()),
            _ => Self::Everything,
        }
    }

    /// The parameter `name`, where given, equals the value at `pointer`.
    pub(crate) fn param(params: &Params, name: &str, pointer: &'static str) -> Self {
        match params.get(name) {
            Some(value) if !value.is_null() => Self::Equals(pointer, value.clone()),
            _ => Self::Everything,
        }
    }

    fn admits(&self, object: &Value) -> bool {
        let at = |pointer: &str| object.pointer(pointer).unwrap_or(&Value::Null);
        match self {
            Self::Everything => true,
            Self::Equals(pointer, value) => at(pointer) == value,
            Self::Differs(pointer, value) => at(pointer) != value,
            Self::OneOf(pointer, values) => values.contains(at(pointer)),
            Self::Prefix(pointer, prefix) => at(pointer)
                .as_str()
                .is_some_and(|text| text.starts_with(prefix.as_str())),
            Self::Bounds(pointer, bounds) => {
                let Some(moment) = at(pointer).as_i64() else {
                    return false;
                };
                let holds = |name: &str, test: fn(i64, i64) -> bool| {
                    bounds[name].as_i64().is_none_or(|bound| test(moment, bound))
                };
                holds("gt", |a, b| a > b)
                    && holds("gte", |a, b| a >= b)
                    && holds("lt", |a, b| a < b)
                    && holds("lte", |a, b| a <= b)
            }
        }
    }
}

/// One page of the objects of a type, newest first.
pub(crate) fn list(state: &State, kind: Kind, params: &Params, filters: &[Filter]) -> Result<Value, ApiError> {
    let by_index = filters.iter().find_map(|filter| match filter {
        Filter::Equals(pointer, Value::String(value)) => state.store.by_index(kind, pointer, value),
        _ => None,
    });
    let admitted = |(_, record): &(u64, &Record)| {
        record.object["deleted"] != json!(true) && filters.iter().all(|filter| filter.admits(&record.object))
    };
    let after = cursor(state, kind, params, "starting_after")?;
    let before = cursor(state, kind, params, "ending_before")?;
    let limit = limit(params)?;
    let (objects, has_more) = match by_index {
        Some(records) => page(records.into_iter().filter(admitted), limit, after, before)?,
        None => page(state.store.all(kind).filter(admitted), limit, after, before)?,
    };
    Ok(shape(kind.list_url(), objects, has_more))
}

/// A list object.
pub(crate) fn shape(url: &str, data: Vec<Value>, has_more: bool) -> Value {
    json!({"object": "list", "url": url, "has_more": has_more, "data": data})
}

/// One page of objects that do not stand in the store by themselves, in their own order.
pub(crate) fn page_of(url: &str, all: Vec<Value>, params: &Params) -> Result<Value, ApiError> {
    let limit = limit(params)?;
    let start = params.text("starting_after").map_or(0, |id| {
        all.iter()
            .position(|object| object["id"] == id)
            .map_or(all.len(), |position| position + 1)
    });
    let has_more = all.len().saturating_sub(start) > limit;
    Ok(shape(url, all.into_iter().skip(start).take(limit).collect(), has_more))
}

fn page<'a>(
    records: impl DoubleEndedIterator<Item = (u64, &'a Record)>,
    limit: usize,
    after: Option<u64>,
    before: Option<u64>,
) -> Result<(Vec<Value>, bool), ApiError> {
    let take = |records: &mut dyn Iterator<Item = (u64, &'a Record)>| {
        let mut objects: Vec<Value> = records
            .take(limit + 1)
            .map(|(_, record)| record.object.clone())
            .collect();
        let has_more = objects.len() > limit;
        objects.truncate(limit);
        (objects, has_more)
    };
    match (after, before) {
        (Some(_), Some(_)) => Err(ApiError::invalid(
            "You may only specify one of these parameters: starting_after, ending_before.",
        )),
        // The page just above the cursor is found from below, then turned round to newest first.
        (None, Some(before)) => {
            let (mut objects, has_more) = take(&mut records.filter(|(position, _)| *position > before));
            objects.reverse();
            Ok((objects, has_more))
        }
        (after, None) => {
            let after = after.unwrap_or(u64::MAX);
            Ok(take(&mut records.rev().filter(|(position, _)| *position < after)))
        }
    }
}

fn limit(params: &Params) -> Result<usize, ApiError> {
    let limit = params.integer("limit").unwrap_or(10);
    if !(1..=100).contains(&limit) {
        let (code, message) = if limit < 1 {
            (
                "parameter_invalid_integer",
                "This value must be greater than or equal to 1.",
            )
        } else {
            (
                "parameter_invalid_integer",
                "This value must be less than or equal to 100.",
            )
        };
        return Err(ApiError::invalid_code(code, message).with_param("limit"));
    }
    usize::try_from(limit).map_err(|_| ApiError::invalid("Invalid limit"))
}

fn cursor(state: &State, kind: Kind, params: &Params, name: &str) -> Result<Option<u64>, ApiError> {
    params
        .text(name)
        .map(|id| {
            state
                .store
                .position(kind, id)
                .ok_or_else(|| ApiError::no_such_param(kind.noun(), id, name))
        })
        .transpose()
}

#[cfg(test)]
mod tests {
    use serde_json::{Map, Value, json};

    use super::{Filter, list};
    use crate::params::Params;
    use crate::state::State;
    use crate::store::Kind;

    fn state() -> State {
        let mut state = State::default();
        for number in 1..=5 {
            state.create(
                Kind::Customer,
                json!({"id": format!("cus_{number}"), "created": number}),
                Value::Null,
            );
        }
        state
    }

    fn ids(params: &[(&str, Value)]) -> (Vec<String>, bool) {
        let params = Params(
            params
                .iter()
                .map(|(name, value)| ((*name).to_owned(), value.clone()))
                .collect::<Map<_, _>>(),
        );
        let filters = [Filter::created(&params)];
        let page = list(&state(), Kind::Customer, &params, &filters).unwrap();
        let ids = page["data"]
            .as_array()
            .unwrap()
            .iter()
            .map(|object| object["id"].as_str().unwrap().to_owned());
        (ids.collect(), page["has_more"] == json!(true))
    }

    #[test]
    fn pages_walk_down_and_up() {
        assert_eq!(
            ids(&[("limit", json!(2))]),
            (vec!["cus_5".into(), "cus_4".into()], true)
        );
        assert_eq!(
            ids(&[("starting_after", json!("cus_2"))]),
            (vec!["cus_1".into()], false)
        );
        assert_eq!(
            ids(&[("ending_before", json!("cus_2")), ("limit", json!(2))]),
            (vec!["cus_4".into(), "cus_3".into()], true)
        );
    }

    #[test]
    fn bounds_are_kept() {
        assert_eq!(ids(&[("created", json!({"gte": 4}))]).0, ["cus_5", "cus_4"]);
        assert_eq!(ids(&[("created", json!({"lt": 2}))]).0, ["cus_1"]);
    }

    #[test]
    fn wrong_pages_are_refused() {
        let error = |name: &str, value| {
            let params = Params([(name.to_owned(), value)].into_iter().collect());
            list(&state(), Kind::Customer, &params, &[]).unwrap_err().body()
        };
        assert_eq!(error("limit", json!(101))["param"], "limit");
        assert_eq!(error("starting_after", json!("cus_x"))["code"], "resource_missing");
    }
}
