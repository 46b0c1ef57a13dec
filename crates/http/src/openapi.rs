//! The description of the API: made from the handlers, completed with what holds for all of them, and kept as a file,
//! so that every change to it is seen in review.

mod complete;
mod examples;

use std::sync::OnceLock;

use axum::{
    Router,
    response::{IntoResponse, Response},
    routing::get,
};
use http::header;
use serde_json::Value;
use tower_http::compression::CompressionLayer;
use utoipa::{
    OpenApi as _,
    openapi::{
        OpenApi,
        security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityScheme},
    },
};

use crate::{AppState, cookie::SessionCookie, csrf, problem::ProblemDocument, router};

/// The part that does not come from handlers.
#[derive(utoipa::OpenApi)]
#[openapi(
    info(
        title = "Tenantry",
        description = "Paid, isolated instances of a product for every customer, from payment to pods.",
        license(name = "Apache-2.0", identifier = "Apache-2.0")
    ),
    servers((url = "/", description = "This server")),
    components(schemas(ProblemDocument)),
    tags(
        (name = "accounts", description = "Signing up, in and out."),
        (name = "single-sign-on", description = "Signing people in to a product, by OpenID Connect. These addresses follow its rules instead of ours: bodies are forms, failures are `error` and `error_description`, and browsers are sent on."),
        (name = "organizations", description = "Customers and their members."),
        (name = "billing", description = "What is sold, buying it, and subscriptions."),
        (name = "tenants", description = "Running instances and the operations that change them."),
        (name = "operator", description = "For those who run this installation; another cookie, another door."),
        (name = "meta", description = "About this installation."),
    )
)]
struct Base;

pub(crate) fn base() -> OpenApi {
    let mut document = Base::openapi();
    let components = document.components.get_or_insert_default();
    let schemes = [
        (
            "session",
            ApiKey::Cookie(ApiKeyValue::with_description(
                SessionCookie::User.name(),
                "Set by signing in.",
            )),
        ),
        (
            "operator",
            ApiKey::Cookie(ApiKeyValue::with_description(
                SessionCookie::Operator.name(),
                "Set by an operator's signing in.",
            )),
        ),
        (
            "csrf",
            ApiKey::Header(ApiKeyValue::with_description(
                csrf::TOKEN_HEADER,
                "csrf_token of the session; unsafe calls carry it.",
            )),
        ),
    ];
    for (name, scheme) in schemes {
        components.add_security_scheme(name, SecurityScheme::ApiKey(scheme));
    }
    let bearer = HttpBuilder::new()
        .scheme(HttpAuthScheme::Bearer)
        .bearer_format("JWT")
        .description(Some(
            "The access token of a program; opens what a session opens, without the CSRF token.",
        ))
        .build();
    components.add_security_scheme("bearer", SecurityScheme::Http(bearer));
    let client = HttpBuilder::new()
        .scheme(HttpAuthScheme::Basic)
        .description(Some(
            "client_id and client_secret of a product, each encoded as in a form first. A form may carry them, too; a client \
             without a secret names itself there.",
        ))
        .build();
    components.add_security_scheme("client", SecurityScheme::Http(client));
    let product = HttpBuilder::new()
        .scheme(HttpAuthScheme::Bearer)
        .bearer_format("JWT")
        .description(Some(
            "The access token of a sign-in to a product; opens nothing of the API.",
        ))
        .build();
    components.add_security_scheme("product", SecurityScheme::Http(product));
    document
}

/// The whole description, in the order in which it is written to files.
#[must_use]
pub fn document() -> &'static Value {
    static DOCUMENT: OnceLock<Value> = OnceLock::new();
    DOCUMENT.get_or_init(|| {
        let (_, described) = router::api().split_for_parts();
        // Descriptions are plain values, which always serialise.
        let mut document = serde_json::to_value(described).unwrap_or_default();
        complete::complete(&mut document);
        document
    })
}

/// The text of [`document`], served and kept as a file.
pub(crate) fn text() -> &'static str {
    static TEXT: OnceLock<String> = OnceLock::new();
    TEXT.get_or_init(|| serde_json::to_string_pretty(document()).unwrap_or_default() + "\n")
}

pub(crate) fn routes() -> Router<AppState> {
    Router::new()
        .route("/api/v1/openapi.json", get(serve))
        .layer(CompressionLayer::new())
}

async fn serve() -> Response {
    let headers = [
        (header::CONTENT_TYPE, "application/json"),
        (header::CACHE_CONTROL, "no-cache"),
    ];
    (headers, text()).into_response()
}

#[cfg(test)]
mod tests;
