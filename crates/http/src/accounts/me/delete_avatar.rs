//! The caller removes their picture.

use axum::{Json, extract::State};
use tenantry_app::accounts;

use super::ProfileView;
use crate::{AppState, Problem, SignedIn, accounts::visitor::AtTheDoor};

/// Removes your picture; done twice is done.
#[utoipa::path(
    delete, path = "/me/avatar", tag = "accounts", security(("session" = [])),
    responses((status = 200, description = "The profile without it", body = ProfileView))
)]
pub(super) async fn delete_avatar(
    State(state): State<AppState>,
    signed_in: SignedIn,
    AtTheDoor(visitor): AtTheDoor,
) -> Result<Json<ProfileView>, Problem> {
    let profile = accounts::remove_avatar(&state.app, &signed_in.session, &visitor).await?;
    Ok(Json(ProfileView::from(&profile)))
}
