//! An authenticator app learns its secret.

use axum::extract::State;
use tenantry_app::accounts;

use super::{TotpSetupView, refusal};
use crate::{AppState, Problem, SignedIn, accounts::visitor::AtTheDoor, idempotency::ShownOnce};

/// Makes a secret for an authenticator app. It counts once a code of it was confirmed; an app from before counts until then.
#[utoipa::path(
    post, path = "/me/second-factor/totp", tag = "accounts", security(("session" = [])),
    responses(
        (status = 200, description = "The secret", body = TotpSetupView),
        (status = 403, description = "`step_up_required`", body = crate::problem::ProblemDocument, content_type = "application/problem+json"),
    )
)]
pub(in crate::accounts) async fn set_up_totp(
    State(state): State<AppState>,
    signed_in: SignedIn,
    AtTheDoor(visitor): AtTheDoor,
) -> Result<ShownOnce<TotpSetupView>, Problem> {
    let setup = accounts::set_up_totp(&state.app, &signed_in.session, &visitor)
        .await
        .map_err(refusal)?;
    Ok(ShownOnce(TotpSetupView::new(&setup)?))
}
