//! The caller's own profile.

use axum::{Json, extract::State};
use tenantry_app::accounts;

use super::ProfileView;
use crate::{AppState, Problem, SignedIn};

/// Your profile.
#[utoipa::path(
    get, path = "/me", tag = "accounts", security(("session" = [])),
    responses((status = 200, description = "The profile", body = ProfileView))
)]
pub(super) async fn get_profile(
    State(state): State<AppState>,
    signed_in: SignedIn,
) -> Result<Json<ProfileView>, Problem> {
    let profile = accounts::get_profile(&state.app, &signed_in.session).await?;
    Ok(Json(ProfileView::from(&profile)))
}
