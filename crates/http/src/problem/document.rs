//! The form that a problem takes on the wire.

use axum::{
    body::Body,
    response::{IntoResponse, Response},
};
use http::{HeaderValue, StatusCode, header};
use serde::Serialize;
use utoipa::ToSchema;

use super::Occurrence;
use crate::rate_limit::whole_seconds;

/// The media type of problem documents.
pub(crate) const MEDIA_TYPE: &str = "application/problem+json";

/// What went wrong, for programs and for people (RFC 9457).
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Problem)]
pub struct ProblemDocument {
    /// A URN that names the kind of problem.
    #[serde(rename = "type")]
    #[schema(example = "urn:tenantry:problem:validation_failed")]
    pub kind: String,
    /// A few words about this kind.
    pub title: String,
    /// The HTTP status.
    pub status: u16,
    /// The stable code to branch on.
    #[schema(example = "validation_failed")]
    pub code: String,
    /// What happened here, and what to do.
    pub detail: String,
    /// Which values of the body are at fault.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    pub errors: Vec<FieldProblem>,
    /// The organizations that it is about.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    pub organizations: Vec<ProblemOrganization>,
    /// The request, as the server's log names it.
    pub request_id: String,
}

/// An organization that a problem is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct ProblemOrganization {
    /// The organization.
    #[schema(example = "org_01jd3r8v6yf3qb5c1zk3s9x0aa")]
    pub id: String,
    /// Its name.
    #[schema(example = "Museum of Examples")]
    pub name: String,
}

/// One value of the body that is not acceptable.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct FieldProblem {
    /// Where it stands: a JSON pointer (RFC 6901).
    #[schema(example = "/email")]
    pub pointer: String,
    /// The stable code to branch on.
    #[schema(example = "too_long")]
    pub code: String,
    /// What would do.
    pub detail: String,
}

pub(super) fn render(occurrence: &Occurrence, request_id: &str) -> Response {
    let kind = occurrence.kind;
    let document = ProblemDocument {
        kind: format!("urn:tenantry:problem:{}", kind.code),
        title: kind.title.to_owned(),
        status: kind.status,
        code: kind.code.to_owned(),
        detail: occurrence.detail.clone(),
        errors: occurrence.errors.clone(),
        organizations: occurrence.organizations.clone(),
        request_id: request_id.to_owned(),
    };
    // Plain strings and numbers always serialise.
    let body = serde_json::to_vec(&document).unwrap_or_default();
    let mut response = (StatusCode::from(kind), Body::from(body)).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(MEDIA_TYPE));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if kind.status == 401 {
        headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    }
    if let Some(after) = occurrence.retry_after {
        headers.insert(header::RETRY_AFTER, HeaderValue::from(whole_seconds(after).max(1)));
    }
    if let Some(limit) = occurrence.rate_limit {
        limit.write(headers);
    }
    response
}
