//! The caller leaves.

use axum::{
    extract::State,
    response::{AppendHeaders, IntoResponse, Response},
};
use garde::Validate;
use http::{StatusCode, header::SET_COOKIE};
use serde::Deserialize;
use tenantry_app::accounts::{self, DeleteAccountError};
use utoipa::ToSchema;

use crate::{
    AppState, Problem, SignedIn, ValidJson,
    accounts::{mail_on_its_way::address, problems, visitor::AtTheDoor},
    body::rules,
    cookie::SessionCookie,
    problem::ProblemOrganization,
};

/// Typed by a person who means it.
#[derive(Debug, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DeleteAccountRequest {
    /// The address of your account.
    #[garde(custom(rules::email))]
    #[schema(format = "email", max_length = 254, example = "ada@example.org")]
    pub email: String,
}

/// Deletes your account.
///
/// Everything personal is erased at once, every session ends, and the address becomes free. Refused while you are the
/// only owner of an organization.
#[utoipa::path(
    post, path = "/me/delete", tag = "accounts", security(("session" = [])), request_body = DeleteAccountRequest,
    responses(
        (status = 204, description = "The account is gone, and so is the cookie"),
        (status = 403, description = "`step_up_required`, or one that any call gets", body = crate::problem::ProblemDocument, content_type = "application/problem+json"),
        (status = 409, description = "`sole_owner`; `organizations` lists them", body = crate::problem::ProblemDocument, content_type = "application/problem+json"),
    )
)]
pub(super) async fn delete_account(
    State(state): State<AppState>,
    signed_in: SignedIn,
    AtTheDoor(visitor): AtTheDoor,
    ValidJson(request): ValidJson<DeleteAccountRequest>,
) -> Result<Response, Problem> {
    let email = address(&request.email)?;
    accounts::delete_account(&state.app, &signed_in.session, &email, &visitor)
        .await
        .map_err(|error| match error {
            DeleteAccountError::OtherAddress => {
                Problem::field("/email", "email_mismatch", "Type the address of your account.")
            }
            DeleteAccountError::SoleOwner(organizations) => {
                let names: Vec<String> = organizations
                    .iter()
                    .map(|organization| format!("{} ({})", organization.name, organization.id))
                    .collect();
                let detail = format!(
                    "You are the only owner of {}. {}",
                    names.join(", "),
                    problems::SOLE_OWNER.advice
                );
                let organizations = organizations
                    .into_iter()
                    .map(|organization| ProblemOrganization {
                        id: organization.id.to_string(),
                        name: organization.name,
                    })
                    .collect();
                Problem::new(problems::SOLE_OWNER, detail).with_organizations(organizations)
            }
            DeleteAccountError::StepUpRequired(missing) => missing.into(),
            DeleteAccountError::Fault(fault) => fault.into(),
        })?;
    let cleared = AppendHeaders([(SET_COOKIE, SessionCookie::User.clear())]);
    Ok((StatusCode::NO_CONTENT, cleared).into_response())
}
