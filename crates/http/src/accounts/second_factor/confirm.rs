//! An authenticator app shows its first code.

use axum::extract::State;
use tenantry_app::accounts;

use super::{CodeRequest, RecoveryCodesView, refusal};
use crate::{
    AppState, Problem, SignedIn, ValidJson,
    accounts::{login_second_factor::code, visitor::AtTheDoor},
    idempotency::ShownOnce,
    rate_limit::RateLimit,
};

/// Makes the app count from now on. Its codes are asked for at the next sign-in.
///
/// The secret waits ten minutes for this.
#[utoipa::path(
    post, path = "/me/second-factor/totp/confirm", tag = "accounts", security(("session" = [])),
    request_body = CodeRequest,
    responses(
        (status = 200, description = "It counts; these are the recovery codes", body = RecoveryCodesView),
        (status = 401, description = "`code_invalid`: not the prepared app's, or nothing was prepared in the last ten minutes", body = crate::problem::ProblemDocument, content_type = "application/problem+json"),
        (status = 403, description = "`step_up_required`", body = crate::problem::ProblemDocument, content_type = "application/problem+json"),
        (status = 429, description = "`too_many_attempts`, with `Retry-After`", body = crate::problem::ProblemDocument, content_type = "application/problem+json"),
    )
)]
pub(in crate::accounts) async fn confirm_totp(
    State(state): State<AppState>,
    signed_in: SignedIn,
    AtTheDoor(visitor): AtTheDoor,
    ValidJson(request): ValidJson<CodeRequest>,
) -> Result<(RateLimit, ShownOnce<RecoveryCodesView>), Problem> {
    let code = code(&request.code)?;
    let (codes, left) = accounts::confirm_totp(&state.app, &signed_in.session, &code, &visitor)
        .await
        .map_err(refusal)?;
    Ok((RateLimit(left), ShownOnce(codes.into())))
}
