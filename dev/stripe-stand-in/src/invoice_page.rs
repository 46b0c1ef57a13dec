//! The page that `hosted_invoice_url` leads to: what was charged, and whether it is paid.

use std::fmt::Write;

use axum::extract::{Path, State as Extract};
use axum::http::StatusCode;
use axum::response::Html;

use crate::page::{escape, money, page};
use crate::server::App;
use crate::store::Kind;

pub(crate) async fn show(Extract(app): Extract<App>, Path(token): Path<String>) -> (StatusCode, Html<String>) {
    let state = app.shared.lock();
    let ending = format!("/i/{token}");
    let invoice = state
        .store
        .all(Kind::Invoice)
        .map(|(_, record)| &record.object)
        .find(|invoice| {
            invoice["hosted_invoice_url"]
                .as_str()
                .is_some_and(|url| url.ends_with(&ending))
        });
    let Some(invoice) = invoice else {
        let body = "<h1>No such invoice</h1><p role=\"alert\">This address leads to no invoice.</p>";
        return (StatusCode::NOT_FOUND, Html(page("Invoice", body)));
    };
    let currency = invoice["currency"].as_str().unwrap_or_default();
    let amount = |name: &str| money(invoice[name].as_i64().unwrap_or(0), currency);
    let mut rows = String::new();
    for line in invoice["lines"]["data"].as_array().into_iter().flatten() {
        // Writing to a string cannot fail.
        let _ = write!(
            rows,
            "<tr><td>{}</td><td class=\"amount\">{}</td></tr>",
            escape(line["description"].as_str().unwrap_or_default()),
            money(line["amount"].as_i64().unwrap_or(0), currency),
        );
    }
    let body = format!(
        "<h1>Invoice {}</h1><p>{} · {}</p><table>{rows}\
         <tr class=\"total\"><td>Total</td><td class=\"amount\">{}</td></tr>\
         <tr><td>Paid</td><td class=\"amount\">{}</td></tr><tr><td>Due</td><td class=\"amount\">{}</td></tr></table>",
        escape(invoice["number"].as_str().unwrap_or_default()),
        escape(invoice["customer_email"].as_str().unwrap_or_default()),
        escape(invoice["status"].as_str().unwrap_or_default()),
        amount("total"),
        amount("amount_paid"),
        amount("amount_remaining"),
    );
    (StatusCode::OK, Html(page("Invoice", &body)))
}
