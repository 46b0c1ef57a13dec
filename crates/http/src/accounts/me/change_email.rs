//! The caller wants another address for their account.

use axum::extract::State;
use garde::Validate;
use serde::Deserialize;
use tenantry_app::accounts::{self, ChangeEmailError};
use utoipa::ToSchema;

use crate::{
    AppState, Problem, SignedIn, ValidJson,
    accounts::{
        mail_on_its_way::{Empty, MailOnItsWay, address},
        visitor::AtTheDoor,
    },
    body::rules,
    rate_limit,
};

/// The new address.
#[derive(Debug, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ChangeEmailRequest {
    /// Where the link for confirming goes.
    #[garde(custom(rules::email))]
    #[schema(format = "email", max_length = 254, example = "ada.lovelace@example.org")]
    pub email: String,
}

/// Sends a link to a new address of your account.
///
/// The account keeps its address until the link is confirmed; a newer request replaces the link. The answer is the same
/// whether the new address has an account or not.
#[utoipa::path(
    post, path = "/me/email", tag = "accounts", security(("session" = [])), request_body = ChangeEmailRequest,
    responses(
        (status = 202, description = "A mail is on its way to the new address", body = Empty),
        (status = 403, description = "`step_up_required`, or one that any call gets", body = crate::problem::ProblemDocument, content_type = "application/problem+json"),
        (status = 429, description = "`too_many_attempts`, with `Retry-After`", body = crate::problem::ProblemDocument, content_type = "application/problem+json"),
    )
)]
pub(super) async fn change_email(
    State(state): State<AppState>,
    signed_in: SignedIn,
    AtTheDoor(visitor): AtTheDoor,
    ValidJson(request): ValidJson<ChangeEmailRequest>,
) -> Result<MailOnItsWay, Problem> {
    let email = address(&request.email)?;
    let left = accounts::change_email(&state.app, &signed_in.session, &email, &visitor)
        .await
        .map_err(|error| match error {
            ChangeEmailError::Unchanged => {
                Problem::field("/email", "email_unchanged", "This is your account's address already.")
            }
            ChangeEmailError::StepUpRequired(missing) => missing.into(),
            ChangeEmailError::TooManyAttempts(allowance) => rate_limit::used_up(allowance),
            ChangeEmailError::Fault(fault) => fault.into(),
        })?;
    Ok(MailOnItsWay(left))
}
