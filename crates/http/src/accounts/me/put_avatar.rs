//! The caller sends a picture of themselves.

use axum::{
    Json,
    extract::{Request, State},
};
use http::header;
use tenantry_app::accounts::{self, SetAvatarError};
use utoipa::ToSchema;

use super::ProfileView;
use crate::{AppState, Problem, SignedIn, accounts::visitor::AtTheDoor, body, problem::kinds};

/// More than a telephone's pictures have.
const MAX_BYTES: usize = 5 * 1024 * 1024;
/// What is taken. SVG is a program, not a picture.
const TYPES: [&str; 3] = ["image/png", "image/jpeg", "image/webp"];

/// The bytes of a picture.
#[derive(Debug, ToSchema)]
#[schema(value_type = String, format = Binary)]
pub struct ImageFile(#[allow(dead_code, reason = "described, never made")] Vec<u8>);

/// Sets your picture.
///
/// At most 5 MiB and 50 megapixels. What is kept is drawn anew, at most 512 pixels wide and high.
#[utoipa::path(
    put, path = "/me/avatar", tag = "accounts", security(("session" = [])),
    request_body(
        content((ImageFile = "image/png"), (ImageFile = "image/jpeg"), (ImageFile = "image/webp")),
        description = "The file"
    ),
    responses((status = 200, description = "The profile with the picture's address", body = ProfileView))
)]
pub(super) async fn put_avatar(
    State(state): State<AppState>,
    signed_in: SignedIn,
    AtTheDoor(visitor): AtTheDoor,
    request: Request,
) -> Result<Json<ProfileView>, Problem> {
    let content_type = request.headers().get(header::CONTENT_TYPE);
    let is_taken = content_type
        .and_then(|kind| kind.to_str().ok())
        .and_then(|kind| kind.split(';').next())
        .is_some_and(|kind| TYPES.iter().any(|taken| kind.trim().eq_ignore_ascii_case(taken)));
    if !is_taken {
        return Err(Problem::new(
            kinds::UNSUPPORTED_MEDIA_TYPE,
            "Send the bytes of a picture as image/png, image/jpeg or image/webp.",
        ));
    }
    let file = body::collect(request, MAX_BYTES).await?;
    let profile = accounts::set_avatar(&state.app, &signed_in.session, file.to_vec(), &visitor)
        .await
        .map_err(|error| match error {
            SetAvatarError::Invalid(reason) => {
                Problem::field("/", reason.code(), format!("{}.", sentence(&reason.to_string())))
            }
            SetAvatarError::Fault(fault) => fault.into(),
        })?;
    Ok(Json(ProfileView::from(&profile)))
}

fn sentence(phrase: &str) -> String {
    let mut letters = phrase.chars();
    letters
        .next()
        .map(|first| first.to_uppercase().chain(letters).collect())
        .unwrap_or_default()
}
