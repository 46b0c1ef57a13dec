//! The web interface, embedded in the binary. Built files carry a hash in their names and never change; the page that
//! names them is asked for each time.

use axum::{
    body::Body,
    extract::Request,
    response::{IntoResponse, Response},
};
use http::{HeaderValue, Method, StatusCode, header};
use rust_embed::{EmbeddedFile, RustEmbed};

use crate::problem::{Problem, kinds};

/// What `npm run build` makes. A server without it has the API alone.
#[derive(RustEmbed)]
#[folder = "../../web/dist"]
#[allow_missing = true]
struct Files;

const INDEX: &str = "index.html";
/// The description of the API for people; the one page that needs no script.
const REFERENCE: &str = "docs.html";
/// Vite puts everything with a hash in its name here.
const HASHED: &str = "assets/";

/// Everything that no route answers.
pub(crate) async fn serve(request: Request) -> Response {
    let path = request.uri().path().trim_start_matches('/');
    if is_for_programs(path) || !matches!(*request.method(), Method::GET | Method::HEAD) {
        return Problem::of(kinds::NOT_FOUND).into_response();
    }
    let path = if matches!(path, "docs" | "docs/") {
        REFERENCE
    } else {
        path
    };
    if let Some(file) = Files::get(path).filter(|_| !path.is_empty()) {
        return answer(&request, path, &file);
    }
    if !is_navigation(&request, path) {
        return Problem::of(kinds::NOT_FOUND).into_response();
    }
    match Files::get(INDEX) {
        Some(index) => answer(&request, INDEX, &index),
        None => Problem::new(
            kinds::NOT_FOUND,
            "This server was built without the web interface; its API is at /api/v1.",
        )
        .into_response(),
    }
}

/// Addresses where a page would only confuse a program.
fn is_for_programs(path: &str) -> bool {
    path.split('/')
        .next()
        .is_some_and(|first| matches!(first, "api" | "webhooks" | ".well-known" | "oauth"))
}

/// A person follows a link: the page decides by itself what the address means.
fn is_navigation(request: &Request, path: &str) -> bool {
    let wants_html = request
        .headers()
        .get(header::ACCEPT)
        .and_then(|accept| accept.to_str().ok())
        .is_some_and(|accept| accept.contains("text/html"));
    let names_a_file = path.rsplit('/').next().is_some_and(|last| last.contains('.'));
    wants_html && !names_a_file
}

fn answer(request: &Request, path: &str, file: &EmbeddedFile) -> Response {
    let tag = format!("\"{}\"", hex::encode(&file.metadata.sha256_hash()[..16]));
    let known = request
        .headers()
        .get(header::IF_NONE_MATCH)
        .and_then(|tags| tags.to_str().ok())
        .is_some_and(|tags| {
            tags.split(',')
                .any(|known| known.trim().trim_start_matches("W/") == tag)
        });
    let mut response = if known {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        let kind = mime_guess::from_path(path).first_or_octet_stream();
        let body = Body::from(file.data.clone().into_owned());
        ([(header::CONTENT_TYPE, with_charset(kind.essence_str()))], body).into_response()
    };
    let caching = if path.starts_with(HASHED) {
        "public, max-age=31536000, immutable"
    } else {
        "no-cache"
    };
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(caching));
    // Weak, because the same bytes also travel compressed.
    if let Ok(tag) = HeaderValue::try_from(format!("W/{tag}")) {
        headers.insert(header::ETAG, tag);
    }
    response
}

fn with_charset(kind: &str) -> String {
    if kind.starts_with("text/") {
        format!("{kind}; charset=utf-8")
    } else {
        kind.to_owned()
    }
}
