//! What a person sees when a product sends them here with something that cannot be believed: a page of ours, never a way on
//! to an address that nobody registered.

use axum::response::{Html, IntoResponse, Response};
use http::StatusCode;

/// The page. Both texts are ours.
pub(super) fn refusal(heading: &str, text: &str) -> Response {
    let page = format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>{heading} · Tenantry</title>\n\
         <style>:root{{color-scheme:light dark}}body{{font:1rem/1.5 system-ui,sans-serif;max-width:32rem;margin:20vh auto;\
         padding:0 1.5rem}}h1{{font-size:1.5rem}}</style>\n</head>\n<body>\n<main>\n<h1>{heading}</h1>\n<p>{text}</p>\n\
         <p><a href=\"/\">Go to Tenantry</a></p>\n</main>\n</body>\n</html>\n"
    );
    (StatusCode::BAD_REQUEST, Html(page)).into_response()
}
