//! Every route of the API against callers and requests that it must refuse. The table has a line for each route, the
//! tests are its columns: who is not let in, whose things are not found, whose role is too small, which bodies and
//! queries are refused. A refusal is a problem that the description of the route declares.

mod bodies;
mod callers;
mod fields;
mod others;
mod provider;
mod roles;
mod table;
mod undescribed;

pub(crate) use table::{Door, routes};

use crate::support::{Answer, Browser};
use table::Route;

/// How a call is refused.
#[track_caller]
fn assert_refused(answer: &Answer, status: u16, code: &str, what: &str) {
    assert_eq!(answer.status, status, "{what}: {}", answer.text());
    assert_eq!(answer.code(), code, "{what}: {}", answer.text());
}

async fn send(browser: &mut Browser, route: &Route, address: &str, body: &[u8]) -> Answer {
    send_with(browser, route, address, &[("content-type", "application/json")], body).await
}

async fn send_with(
    browser: &mut Browser,
    route: &Route,
    address: &str,
    headers: &[(&str, &str)],
    body: &[u8],
) -> Answer {
    browser
        .send(route.method.clone(), address, headers, body.to_vec())
        .await
}
