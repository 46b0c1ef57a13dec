//! The caller's own picture.

use axum::{
    extract::State,
    response::{IntoResponse, Response},
};
use http::{HeaderMap, StatusCode, header};
use tenantry_app::accounts;

use super::put_avatar::ImageFile;
use crate::{AppState, Problem, SignedIn, problem::kinds};

/// Browsers keep it, and ask whether it is still the one.
const CACHING: &str = "private, no-cache";

/// Your picture.
#[utoipa::path(
    get, path = "/me/avatar", tag = "accounts", security(("session" = [])),
    responses(
        (status = 200, description = "The picture, with its `ETag`", content(
            (ImageFile = "image/jpeg"), (ImageFile = "image/png"))),
        (status = 304, description = "It is the one that `If-None-Match` names"),
        (status = 404, description = "`not_found`: there is none", body = crate::problem::ProblemDocument, content_type = "application/problem+json"),
    )
)]
pub(super) async fn get_avatar(
    State(state): State<AppState>,
    signed_in: SignedIn,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let avatar = accounts::find_avatar(&state.app, &signed_in.session)
        .await?
        .ok_or_else(|| Problem::of(kinds::NOT_FOUND))?;
    let tag = format!("\"{}\"", hex::encode(&avatar.sha256));
    let is_known = headers
        .get_all(header::IF_NONE_MATCH)
        .iter()
        .filter_map(|tags| tags.to_str().ok())
        .flat_map(|tags| tags.split(','))
        .any(|known| known.trim().trim_start_matches("W/") == tag);
    let about = [(header::ETAG, tag), (header::CACHE_CONTROL, CACHING.to_owned())];
    Ok(if is_known {
        (StatusCode::NOT_MODIFIED, about).into_response()
    } else {
        let kind = [(header::CONTENT_TYPE, avatar.content_type)];
        (about, kind, avatar.bytes).into_response()
    })
}
