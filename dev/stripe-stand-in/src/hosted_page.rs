//! The hosted payment page: plain forms that work without script.

use std::fmt::Write;

use axum::Router;
use axum::extract::{Form, Path, State as Extract};
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse, Redirect, Response};
use axum::routing::get;
use serde::Deserialize;
use serde_json::Value;

use crate::checkout_payment::{self, Instrument, Progress};
use crate::errors::ApiError;
use crate::invoice_page;
use crate::page::{escape, money, page};
use crate::payment_methods::Payer;
use crate::server::App;
use crate::state::API_VERSION;
use crate::store::{Kind, id_of};

pub(crate) fn routes() -> Router<App> {
    let authentication = get(show_authentication).post(submit_authentication);
    Router::new()
        .route("/c/pay/{session}", get(show).post(submit))
        .route("/c/pay/{session}/authenticate", authentication)
        .route("/i/{token}", get(invoice_page::show))
}

pub(crate) async fn about(Extract(app): Extract<App>) -> Html<String> {
    let objects = app.shared.lock().store.count(Kind::Event);
    Html(page(
        "Stripe stand-in",
        &format!(
            "<h1>Stripe stand-in</h1>\
             <p>This program answers in Stripe's place while Tenantry is developed and tested. It is not Stripe and moves no money.</p>\
             <dl><dt>API</dt><dd><code>/v1</code>, version {API_VERSION}</dd>\
             <dt>Controls</dt><dd><a href=\"/_control/\"><code>/_control</code></a></dd>\
             <dt>Events so far</dt><dd>{objects}</dd></dl>"
        ),
    ))
}

/// What the payer typed; everything may be missing.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct PaymentForm {
    email: String,
    name: String,
    method: String,
    card_number: String,
    exp: String,
    cvc: String,
    iban: String,
}

async fn show(Extract(app): Extract<App>, Path(session): Path<String>) -> Response {
    let found = load(&app, &session);
    match found {
        Ok((session, lines)) => Html(payment_page(&session, &lines, &PaymentForm::default(), None)).into_response(),
        Err(answer) => answer.into_response(),
    }
}

async fn submit(Extract(app): Extract<App>, Path(id): Path<String>, Form(form): Form<PaymentForm>) -> Response {
    let (session, lines) = match load(&app, &id) {
        Ok(found) => found,
        Err(answer) => return answer.into_response(),
    };
    let instrument = if form.method == "sepa_debit" {
        Instrument::SepaDebit {
            iban: form.iban.clone(),
        }
    } else {
        Instrument::Card {
            number: form.card_number.clone(),
            expiry: form.exp.clone(),
            cvc: form.cvc.clone(),
        }
    };
    let email = if form.email.is_empty() {
        known_email(&session).map(str::to_owned)
    } else {
        Some(form.email.clone())
    };
    let result = match email {
        None => Err(ApiError::invalid("Your email is needed.").with_param("email")),
        Some(email) => {
            let payer = Payer {
                email: Some(email),
                name: Some(form.name.clone()).filter(|name| !name.is_empty()),
            };
            checkout_payment::pay(&mut app.shared.lock(), &id, &instrument, &payer)
        }
    };
    app.shared.deliveries.notify_one();
    match result {
        Ok(Progress::Complete) => Redirect::to(&success_url(&session)).into_response(),
        Ok(Progress::AsksPayer) => Redirect::to(&format!("/c/pay/{id}/authenticate")).into_response(),
        Err(error) => Html(payment_page(&session, &lines, &form, Some(&error))).into_response(),
    }
}

async fn show_authentication(Extract(app): Extract<App>, Path(id): Path<String>) -> Response {
    match load(&app, &id) {
        Ok((session, _)) => Html(authentication_page(&session)).into_response(),
        Err(answer) => answer.into_response(),
    }
}

#[derive(Debug, Deserialize)]
struct AuthenticationForm {
    result: String,
}

async fn submit_authentication(
    Extract(app): Extract<App>,
    Path(id): Path<String>,
    Form(form): Form<AuthenticationForm>,
) -> Response {
    let (session, lines) = match load(&app, &id) {
        Ok(found) => found,
        Err(answer) => return answer.into_response(),
    };
    let result = checkout_payment::authenticate(&mut app.shared.lock(), &id, form.result == "complete");
    app.shared.deliveries.notify_one();
    match result {
        Ok(_) => Redirect::to(&success_url(&session)).into_response(),
        Err(error) => Html(payment_page(&session, &lines, &PaymentForm::default(), Some(&error))).into_response(),
    }
}

/// The open session and its lines, or the page that says why it cannot be paid.
fn load(app: &App, id: &str) -> Result<(Value, Value), (StatusCode, Html<String>)> {
    let state = app.shared.lock();
    match checkout_payment::open_session(&state, id) {
        Ok(session) => Ok((session, state.hidden(Kind::CheckoutSession, id, "line_items"))),
        Err(error) => {
            let session = state.store.object(Kind::CheckoutSession, id);
            let status = if session.is_some() {
                StatusCode::GONE
            } else {
                StatusCode::NOT_FOUND
            };
            let back = session.and_then(back_link).unwrap_or_default();
            Err((
                status,
                Html(page(
                    "Payment page closed",
                    &format!(
                        "<h1>Nothing to pay here</h1><p id=\"closed\" role=\"alert\">{}</p>{back}",
                        escape(error.message())
                    ),
                )),
            ))
        }
    }
}

fn success_url(session: &Value) -> String {
    session["success_url"]
        .as_str()
        .unwrap_or("/")
        .replace("{CHECKOUT_SESSION_ID}", id_of(session))
}

fn back_link(session: &Value) -> Option<String> {
    let url = session["cancel_url"]
        .as_str()?
        .replace("{CHECKOUT_SESSION_ID}", id_of(session));
    Some(format!(
        "<p><a id=\"back\" class=\"back\" href=\"{}\">← Back</a></p>",
        escape(&url)
    ))
}

fn known_email(session: &Value) -> Option<&str> {
    session["customer_details"]["email"]
        .as_str()
        .or(session["customer_email"].as_str())
}

fn payment_page(session: &Value, lines: &Value, form: &PaymentForm, error: Option<&ApiError>) -> String {
    let mut body = String::new();
    let currency = session["currency"].as_str().unwrap_or_default();
    let total = money(session["amount_total"].as_i64().unwrap_or(0), currency);
    body.push_str(&back_link(session).unwrap_or_default());
    body.push_str("<h1>Pay</h1>");
    body.push_str(&summary(lines, &total, session));
    if let Some(error) = error {
        let code = error.body()["code"].as_str().unwrap_or("invalid").to_owned();
        // Writing to a string cannot fail.
        let _ = write!(
            body,
            "<p id=\"payment-error\" class=\"error\" role=\"alert\" data-code=\"{}\">{}</p>",
            escape(&code),
            escape(error.message())
        );
    }
    body.push_str(&form_fields(session, form, &total));
    body.push_str(TEST_CARDS);
    page("Pay", &body)
}

fn summary(lines: &Value, total: &str, session: &Value) -> String {
    let mut rows = String::new();
    for line in lines.as_array().into_iter().flatten() {
        let price = &line["price"];
        let every = price["recurring"]["interval"]
            .as_str()
            .map(|interval| format!(" per {interval}"))
            .unwrap_or_default();
        let _ = write!(
            rows,
            "<tr><td>{} × {}</td><td class=\"amount\">{}{every}</td></tr>",
            line["quantity"],
            escape(line["description"].as_str().unwrap_or("Item")),
            money(
                line["amount_total"].as_i64().unwrap_or(0),
                price["currency"].as_str().unwrap_or_default()
            ),
        );
    }
    let trial = if session["amount_total"] == 0 && session["mode"] == "subscription" {
        "<tr><td>Trial</td><td class=\"amount\">nothing is charged today</td></tr>"
    } else {
        ""
    };
    format!(
        "<table>{rows}{trial}<tr class=\"total\"><td>Due today</td><td class=\"amount\" id=\"total\">{total}</td></tr></table>"
    )
}

fn form_fields(session: &Value, form: &PaymentForm, total: &str) -> String {
    let email = if form.email.is_empty() {
        known_email(session).unwrap_or_default()
    } else {
        &form.email
    };
    let takes = |method: &str| {
        session["payment_method_types"]
            .as_array()
            .is_some_and(|types| types.iter().any(|taken| taken == method))
    };
    let sepa = form.method == "sepa_debit";
    let sepa_fields = if takes("sepa_debit") {
        format!(
            "<label class=\"choice\"><input type=\"radio\" name=\"method\" id=\"method-sepa\" value=\"sepa_debit\"{}> SEPA debit (settles later)</label>\
             <div class=\"sepa\"><label for=\"iban\">IBAN</label>\
             <input id=\"iban\" name=\"iban\" autocomplete=\"off\" placeholder=\"AT61 1904 3002 3457 3201\" value=\"{}\"></div>",
            if sepa { " checked" } else { "" },
            escape(&form.iban)
        )
    } else {
        String::new()
    };
    format!(
        "<form method=\"post\" action=\"/c/pay/{id}\" id=\"payment-form\">\
         <label for=\"email\">E-mail</label><input id=\"email\" name=\"email\" type=\"email\" autocomplete=\"email\" required value=\"{email}\">\
         <fieldset><legend>Payment method</legend>\
         <label class=\"choice\"><input type=\"radio\" name=\"method\" id=\"method-card\" value=\"card\"{card_checked}> Card</label>\
         <div class=\"card\">\
         <label for=\"card_number\">Card number</label><input id=\"card_number\" name=\"card_number\" inputmode=\"numeric\" autocomplete=\"cc-number\" placeholder=\"1234 1234 1234 1234\">\
         <div class=\"pair\"><div><label for=\"exp\">Expiry</label><input id=\"exp\" name=\"exp\" inputmode=\"numeric\" autocomplete=\"cc-exp\" placeholder=\"MM / YY\"></div>\
         <div><label for=\"cvc\">CVC</label><input id=\"cvc\" name=\"cvc\" inputmode=\"numeric\" autocomplete=\"cc-csc\" placeholder=\"123\"></div></div>\
         <label for=\"name\">Name on card</label><input id=\"name\" name=\"name\" autocomplete=\"cc-name\" value=\"{name}\">\
         </div>{sepa_fields}</fieldset>\
         <button id=\"pay\" type=\"submit\" name=\"action\" value=\"pay\">{verb} {total}</button></form>",
        id = id_of(session),
        email = escape(email),
        name = escape(&form.name),
        card_checked = if sepa { "" } else { " checked" },
        verb = if session["mode"] == "subscription" {
            "Subscribe for"
        } else {
            "Pay"
        },
    )
}

const TEST_CARDS: &str = "<details><summary>Test cards</summary><ul>\
    <li><code>4242 4242 4242 4242</code> succeeds</li>\
    <li><code>4000 0000 0000 0002</code> is declined</li>\
    <li><code>4000 0000 0000 9995</code> has insufficient funds</li>\
    <li><code>4000 0025 0000 3155</code> asks for confirmation (3-D Secure)</li>\
    <li><code>4000 0000 0000 0341</code> can be saved, but is declined when charged</li>\
    <li>IBAN <code>AT61 1904 3002 3457 3201</code> settles after 5 seconds, <code>AT86 1904 3002 3547 3202</code> fails after 5</li>\
    </ul><p>Any expiry date in the future, any CVC.</p></details>";

fn authentication_page(session: &Value) -> String {
    let total = money(
        session["amount_total"].as_i64().unwrap_or(0),
        session["currency"].as_str().unwrap_or_default(),
    );
    page(
        "Confirm with your bank",
        &format!(
            "<h1>Confirm with your bank</h1>\
             <p>This is where a bank would ask its customer to confirm {total} (3-D Secure).</p>\
             <form method=\"post\" action=\"/c/pay/{id}/authenticate\" id=\"authentication-form\">\
             <button id=\"complete\" name=\"result\" value=\"complete\">Complete</button>\
             <button id=\"fail\" class=\"quiet\" name=\"result\" value=\"fail\">Fail</button></form>",
            id = id_of(session),
        ),
    )
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{PaymentForm, payment_page};

    #[test]
    fn what_others_wrote_is_escaped() {
        let session = json!({
            "id": "cs_test_1", "currency": "eur", "amount_total": 4900, "cancel_url": "https://x/\"onclick=\"",
            "payment_method_types": ["card"], "mode": "subscription", "customer_details": null,
        });
        let lines = json!([{"quantity": 1, "description": "<b>", "amount_total": 4900, "price": {"currency": "eur"}}]);
        let page = payment_page(&session, &lines, &PaymentForm::default(), None);
        assert!(page.contains("49.00&nbsp;EUR") && page.contains("&lt;b&gt;") && !page.contains("\"onclick"));
        assert!(!page.contains("name=\"iban\""));
    }
}
