//! `expand[]`: an id becomes its object, and lists that are left out by default come along.

use serde_json::{Value, json};

use crate::errors::ApiError;
use crate::state::State;
use crate::store::{Kind, id_of};
use crate::{checkout_sessions, invoice_payments, subscriptions};

const MAX_DEPTH: usize = 4;

/// Expands every path that was asked for.
pub(crate) fn expand(state: &State, object: &mut Value, paths: &[Value]) -> Result<(), ApiError> {
    for path in paths.iter().filter_map(Value::as_str) {
        let segments: Vec<&str> = path.split('.').collect();
        let depth = segments.iter().filter(|segment| **segment != "data").count();
        if depth > MAX_DEPTH {
            return Err(ApiError::invalid(format!(
                "You cannot expand more than {MAX_DEPTH} levels of a property. Property: {path}"
            ))
            .with_param("expand"));
        }
        expand_path(state, object, &segments, path)?;
    }
    Ok(())
}

fn expand_path(state: &State, object: &mut Value, segments: &[&str], full: &str) -> Result<(), ApiError> {
    let Some((field, rest)) = segments.split_first() else {
        return Ok(());
    };
    if let Some(items) = object.as_array_mut() {
        return items
            .iter_mut()
            .try_for_each(|item| expand_path(state, item, segments, full));
    }
    if object.get(*field).is_none_or(Value::is_null)
        && let Some(included) = left_out(state, object, field)
    {
        object[*field] = included;
    }
    let Some(value) = object.get_mut(*field) else {
        return Err(not_expandable(full));
    };
    if let Some(id) = value.as_str() {
        match Kind::of_id(id).and_then(|kind| state.store.object(kind, id)) {
            Some(found) => *value = found.clone(),
            None => return Err(not_expandable(full)),
        }
    }
    match value {
        // Null stays null: there is nothing to expand.
        Value::Null => Ok(()),
        Value::Object(_) | Value::Array(_) => expand_path(state, value, rest, full),
        _ => Err(not_expandable(full)),
    }
}

/// Parts that Stripe leaves out unless they are asked for.
fn left_out(state: &State, object: &Value, field: &str) -> Option<Value> {
    match (object["object"].as_str()?, field) {
        ("invoice", "payments") => Some(invoice_payments::of_invoice(state, id_of(object))),
        ("checkout.session", "line_items") => checkout_sessions::line_items(state, id_of(object)),
        ("customer", "subscriptions") => Some(subscriptions::of_customer(state, id_of(object))),
        ("customer", "sources" | "tax_ids") => {
            let url = format!("/v1/customers/{}/{field}", id_of(object));
            Some(json!({"object": "list", "url": url, "has_more": false, "data": []}))
        }
        _ => None,
    }
}

fn not_expandable(path: &str) -> ApiError {
    ApiError::invalid(format!("This property cannot be expanded ({path}).")).with_param("expand")
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::expand;
    use crate::state::State;
    use crate::store::Kind;

    #[test]
    fn nested_paths_and_lists_expand() {
        let mut state = State::default();
        state.create(
            Kind::Customer,
            json!({"id": "cus_1", "object": "customer"}),
            Value::Null,
        );
        state.create(
            Kind::Subscription,
            json!({"id": "sub_1", "object": "subscription", "customer": "cus_1", "schedule": null}),
            Value::Null,
        );
        let mut list = json!({"object": "list", "data": [{"object": "x", "subscription": "sub_1"}]});
        expand(&state, &mut list, &[json!("data.subscription.customer")]).unwrap();
        assert_eq!(list["data"][0]["subscription"]["customer"]["object"], "customer");

        let mut subscription = state.get(Kind::Subscription, "sub_1").unwrap();
        expand(&state, &mut subscription, &[json!("schedule")]).unwrap();
        assert!(expand(&state, &mut subscription, &[json!("nonsense")]).is_err());
        assert!(expand(&state, &mut subscription, &[json!("a.b.c.d.e")]).is_err());
    }
}
