//! The calls that the stand-in serves, and the parameters that each takes.

use std::sync::LazyLock;

use serde_json::{Value, json};

use crate::errors::ApiError;
use crate::params::{Description, Params};
use crate::state::State;
use crate::{
    account, charges, checkout_sessions, customers, events, invoice_payments, invoices, payment_intents,
    payment_methods, prices, products, refunds, subscriptions, webhook_endpoints,
};

/// A call: the id in its path, and its parameters.
#[derive(Debug, Default)]
pub(crate) struct Call {
    id: String,
    pub(crate) params: Params,
}

impl Call {
    pub(crate) fn new(id: &str, params: Params) -> Self {
        Self {
            id: id.to_owned(),
            params,
        }
    }

    pub(crate) fn id(&self) -> &str {
        &self.id
    }
}

type Handler = fn(&mut State, &Call) -> Result<Value, ApiError>;

/// A method and a path in which `:id` stands for an identifier.
pub(crate) struct Route {
    method: &'static str,
    path: &'static str,
    pub(crate) parameters: Description,
    pub(crate) handler: Handler,
}

const EXPAND: &str = "expand[]";
const NOTHING: &str = "";
const PAGE: &str = "limit:int, starting_after, ending_before, expand[]";

static ROUTES: LazyLock<Vec<Route>> = LazyLock::new(|| {
    let (create_customer, update_customer) = (customers::create_parameters(), customers::update_parameters());
    let table: Vec<(&str, &str, &str, Handler)> = vec![
        ("GET", "/v1/account", EXPAND, account::retrieve),
        ("GET", "/v1/balance", EXPAND, account::balance),
        ("POST", "/v1/customers", &create_customer, customers::create),
        ("GET", "/v1/customers", customers::LIST, customers::list_customers),
        ("GET", "/v1/customers/:id", EXPAND, customers::retrieve),
        ("POST", "/v1/customers/:id", &update_customer, customers::update),
        ("DELETE", "/v1/customers/:id", NOTHING, customers::delete),
        (
            "GET",
            "/v1/customers/:id/payment_methods",
            customers::LIST_METHODS,
            customers::list_payment_methods,
        ),
        ("POST", "/v1/products", products::CREATE, products::create),
        ("GET", "/v1/products", products::LIST, products::list_products),
        ("GET", "/v1/products/:id", EXPAND, products::retrieve),
        ("POST", "/v1/products/:id", products::UPDATE, products::update),
        ("DELETE", "/v1/products/:id", NOTHING, products::delete),
        ("POST", "/v1/prices", prices::CREATE, prices::create),
        ("GET", "/v1/prices", prices::LIST, prices::list_prices),
        ("GET", "/v1/prices/:id", EXPAND, prices::retrieve),
        ("POST", "/v1/prices/:id", prices::UPDATE, prices::update),
        (
            "POST",
            "/v1/checkout/sessions",
            checkout_sessions::CREATE,
            checkout_sessions::create,
        ),
        (
            "GET",
            "/v1/checkout/sessions",
            checkout_sessions::LIST,
            checkout_sessions::list_sessions,
        ),
        ("GET", "/v1/checkout/sessions/:id", EXPAND, checkout_sessions::retrieve),
        (
            "POST",
            "/v1/checkout/sessions/:id",
            checkout_sessions::UPDATE,
            checkout_sessions::update,
        ),
        (
            "POST",
            "/v1/checkout/sessions/:id/expire",
            EXPAND,
            checkout_sessions::expire,
        ),
        (
            "GET",
            "/v1/checkout/sessions/:id/line_items",
            PAGE,
            checkout_sessions::list_line_items,
        ),
        (
            "GET",
            "/v1/subscriptions",
            subscriptions::LIST,
            subscriptions::list_subscriptions,
        ),
        ("GET", "/v1/subscriptions/:id", EXPAND, subscriptions::retrieve),
        (
            "POST",
            "/v1/subscriptions/:id",
            subscriptions::UPDATE,
            subscriptions::update,
        ),
        (
            "DELETE",
            "/v1/subscriptions/:id",
            subscriptions::CANCEL,
            subscriptions::cancel,
        ),
        ("GET", "/v1/invoices", invoices::LIST, invoices::list_invoices),
        ("GET", "/v1/invoices/:id", EXPAND, invoices::retrieve),
        ("POST", "/v1/invoices/:id", invoices::UPDATE, invoices::update),
        ("GET", "/v1/invoices/:id/lines", PAGE, invoices::lines),
        ("POST", "/v1/invoices/:id/pay", invoices::PAY, invoices::pay),
        ("POST", "/v1/invoices/:id/void", EXPAND, invoices::void_call),
        (
            "GET",
            "/v1/invoice_payments",
            invoice_payments::LIST,
            invoice_payments::list_payments,
        ),
        ("GET", "/v1/invoice_payments/:id", EXPAND, invoice_payments::retrieve),
        (
            "GET",
            "/v1/payment_intents",
            payment_intents::LIST,
            payment_intents::list_intents,
        ),
        (
            "GET",
            "/v1/payment_intents/:id",
            payment_intents::RETRIEVE,
            payment_intents::retrieve,
        ),
        ("GET", "/v1/charges", charges::LIST, charges::list_charges),
        ("GET", "/v1/charges/:id", EXPAND, charges::retrieve),
        ("POST", "/v1/refunds", refunds::CREATE, refunds::create),
        ("GET", "/v1/refunds", refunds::LIST, refunds::list_refunds),
        ("GET", "/v1/refunds/:id", EXPAND, refunds::retrieve),
        (
            "GET",
            "/v1/payment_methods",
            payment_methods::LIST,
            payment_methods::list_methods,
        ),
        ("GET", "/v1/payment_methods/:id", EXPAND, payment_methods::retrieve),
        (
            "POST",
            "/v1/payment_methods/:id",
            payment_methods::UPDATE,
            payment_methods::update,
        ),
        (
            "POST",
            "/v1/payment_methods/:id/attach",
            payment_methods::ATTACH,
            payment_methods::attach,
        ),
        (
            "POST",
            "/v1/payment_methods/:id/detach",
            EXPAND,
            payment_methods::detach,
        ),
        (
            "POST",
            "/v1/webhook_endpoints",
            webhook_endpoints::CREATE,
            webhook_endpoints::create,
        ),
        (
            "GET",
            "/v1/webhook_endpoints",
            webhook_endpoints::LIST,
            webhook_endpoints::list_endpoints,
        ),
        ("GET", "/v1/webhook_endpoints/:id", EXPAND, webhook_endpoints::retrieve),
        (
            "POST",
            "/v1/webhook_endpoints/:id",
            webhook_endpoints::UPDATE,
            webhook_endpoints::update,
        ),
        (
            "DELETE",
            "/v1/webhook_endpoints/:id",
            NOTHING,
            webhook_endpoints::delete,
        ),
        ("GET", "/v1/events", events::LIST, events::list_events),
        ("GET", "/v1/events/:id", EXPAND, events::retrieve),
    ];
    table
        .into_iter()
        .map(|(method, path, parameters, handler)| Route {
            method,
            path,
            parameters: Description::parse(parameters),
            handler,
        })
        .collect()
});

/// Every call with the names of its parameters.
pub(crate) fn outline() -> Value {
    ROUTES
        .iter()
        .map(|route| json!({"method": route.method, "path": route.path, "parameters": route.parameters.outline()}))
        .collect()
}

/// The route of a request and the id in its path.
pub(crate) fn find<'a>(method: &str, path: &'a str) -> Option<(&'static Route, &'a str)> {
    let path = path.trim_end_matches('/');
    ROUTES
        .iter()
        .filter(|route| route.method == method)
        .find_map(|route| matches(route.path, path).map(|id| (route, id)))
}

fn matches<'a>(pattern: &str, path: &'a str) -> Option<&'a str> {
    let (before, after) = match pattern.split_once(":id") {
        Some(parts) => parts,
        None => return (pattern == path).then_some(""),
    };
    let id = path.strip_prefix(before)?.strip_suffix(after)?;
    (!id.is_empty() && !id.contains('/')).then_some(id)
}

#[cfg(test)]
mod tests {
    use super::{find, matches};

    #[test]
    fn paths_are_matched_whole() {
        assert_eq!(matches("/v1/customers/:id", "/v1/customers/cus_1"), Some("cus_1"));
        assert_eq!(matches("/v1/customers/:id", "/v1/customers/cus_1/x"), None);
        assert_eq!(matches("/v1/invoices/:id/pay", "/v1/invoices/in_1/pay"), Some("in_1"));
        assert_eq!(matches("/v1/account", "/v1/account"), Some(""));
        assert!(find("PUT", "/v1/customers").is_none());
    }
}
