//! New recovery codes.

use axum::extract::State;
use tenantry_app::accounts;

use super::{RecoveryCodesView, refusal};
use crate::{AppState, Problem, SignedIn, accounts::visitor::AtTheDoor, idempotency::ShownOnce};

/// Gives new recovery codes; those before are void.
#[utoipa::path(
    post, path = "/me/second-factor/recovery-codes", tag = "accounts", security(("session" = [])),
    responses(
        (status = 200, description = "The new ones", body = RecoveryCodesView),
        (status = 403, description = "`step_up_required`", body = crate::problem::ProblemDocument, content_type = "application/problem+json"),
        (status = 404, description = "`second_factor_not_set_up`", body = crate::problem::ProblemDocument, content_type = "application/problem+json"),
    )
)]
pub(in crate::accounts) async fn renew_recovery_codes(
    State(state): State<AppState>,
    signed_in: SignedIn,
    AtTheDoor(visitor): AtTheDoor,
) -> Result<ShownOnce<RecoveryCodesView>, Problem> {
    let codes = accounts::renew_recovery_codes(&state.app, &signed_in.session, &visitor)
        .await
        .map_err(refusal)?;
    Ok(ShownOnce(codes.into()))
}
