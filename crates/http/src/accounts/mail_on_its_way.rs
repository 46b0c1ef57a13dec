//! The answer to everybody who has a mail sent somewhere: the same, whoever has the address.

use axum::{
    Json,
    response::{IntoResponse, Response},
};
use http::StatusCode;
use serde::Serialize;
use tenantry_app::accounts::AskForMailError;
use tenantry_domain::accounts::{Allowance, Email};
use utoipa::ToSchema;

use crate::{
    Problem,
    rate_limit::{self, RateLimit},
};

/// Nothing to tell.
#[derive(Debug, Serialize, ToSchema)]
pub struct Empty {}

/// A mail was queued, and so many more may be asked for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct MailOnItsWay(pub(crate) Allowance);

impl IntoResponse for MailOnItsWay {
    fn into_response(self) -> Response {
        (StatusCode::ACCEPTED, RateLimit(self.0), Json(Empty {})).into_response()
    }
}

impl From<AskForMailError> for Problem {
    fn from(error: AskForMailError) -> Self {
        match error {
            AskForMailError::TooManyAttempts(allowance) => rate_limit::used_up(allowance),
            AskForMailError::Fault(fault) => fault.into(),
        }
    }
}

/// Reads the address `email` of a request whose rules have looked at it.
pub(crate) fn address(email: &str) -> Result<Email, Problem> {
    Email::parse(email).map_err(|error| Problem::field("/email", error.code(), error.to_string()))
}
