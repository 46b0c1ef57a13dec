//! Errors in the form of OAuth (RFC 6749, section 5.2): what libraries of products understand.

use axum::{
    Json,
    response::{IntoResponse, Response},
};
use http::{HeaderValue, StatusCode, header};
use serde::Serialize;
use tenantry_app::error::Fault;
use tenantry_domain::accounts::Allowance;

use utoipa::ToSchema;

use crate::rate_limit::RateLimit;

/// Why a product gets nothing (RFC 6749, section 5.2).
#[derive(Debug, Serialize, ToSchema)]
pub struct OAuthProblem {
    /// For programs.
    #[schema(value_type = String, example = "invalid_grant")]
    pub error: &'static str,
    /// For people.
    #[schema(example = "the code is not good, or was asked for with another redirect_uri or code_challenge")]
    pub error_description: String,
}

/// One refusal.
#[derive(Debug)]
pub(super) struct OAuthError {
    status: StatusCode,
    error: &'static str,
    description: String,
    challenge: Option<&'static str>,
    used_up: Option<RateLimit>,
}

impl OAuthError {
    pub(super) fn new(error: &'static str, description: impl Into<String>) -> Self {
        Self {
            status: StatusCode::BAD_REQUEST,
            error,
            description: description.into(),
            challenge: None,
            used_up: None,
        }
    }

    /// The same request may be made later.
    pub(super) fn too_many_requests(allowance: Allowance) -> Self {
        Self {
            status: StatusCode::TOO_MANY_REQUESTS,
            used_up: Some(RateLimit(allowance)),
            ..Self::new(
                "temporarily_unavailable",
                "too many tokens were asked for: wait as long as Retry-After says",
            )
        }
    }

    pub(super) fn invalid_request(description: impl Into<String>) -> Self {
        Self::new("invalid_request", description)
    }

    /// The client did not show who it is.
    pub(super) fn invalid_client(description: &'static str) -> Self {
        Self {
            status: StatusCode::UNAUTHORIZED,
            challenge: Some("Basic realm=\"Tenantry\""),
            ..Self::new("invalid_client", description)
        }
    }

    /// The access token is not good.
    pub(super) fn invalid_token() -> Self {
        Self {
            status: StatusCode::UNAUTHORIZED,
            challenge: Some("Bearer error=\"invalid_token\""),
            ..Self::new(
                "invalid_token",
                "the access token is not good any more, or was not given for this",
            )
        }
    }
}

impl From<Fault> for OAuthError {
    fn from(fault: Fault) -> Self {
        let is_passing = matches!(&fault, Fault::Database(error) if error.is_worth_retrying());
        tracing::error!(error = %fault, "single sign-on failed");
        if is_passing {
            Self {
                status: StatusCode::SERVICE_UNAVAILABLE,
                ..Self::new("temporarily_unavailable", "try again in a few seconds")
            }
        } else {
            Self {
                status: StatusCode::INTERNAL_SERVER_ERROR,
                ..Self::new("server_error", "something went wrong on our side")
            }
        }
    }
}

impl IntoResponse for OAuthError {
    fn into_response(self) -> Response {
        let body = OAuthProblem {
            error: self.error,
            error_description: self.description,
        };
        let mut response = (self.status, Json(body)).into_response();
        if let Some(challenge) = self.challenge {
            response
                .headers_mut()
                .insert(header::WWW_AUTHENTICATE, HeaderValue::from_static(challenge));
        }
        if let Some(limit) = self.used_up {
            limit.write_used_up(response.headers_mut());
        }
        response
    }
}
