//! Problem documents (RFC 9457): how every failure reaches a client.
//!
//! A kind has a stable code, a status and a title; an occurrence adds what happened and what to do. Neither ever holds
//! an inner message: those are logged once, here, beside the request's id.

mod document;
pub mod kinds;
#[cfg(test)]
mod page;

use std::{error::Error, sync::Arc, time::Duration};

use axum::response::{IntoResponse, Response};
use http::StatusCode;
use tenantry_app::{
    accounts::{HashingError, StepUpRequired},
    error::Fault,
    sealing::SealingError,
};
use tenantry_postgres::DatabaseError;

use crate::{accounts, rate_limit::RateLimit};

pub use document::{FieldProblem, ProblemDocument, ProblemOrganization};
pub use kinds::ProblemKind;

/// One failure of one request.
#[derive(Debug, Clone)]
#[must_use]
pub struct Problem(Arc<Occurrence>);

#[derive(Debug, Clone)]
struct Occurrence {
    kind: ProblemKind,
    detail: String,
    errors: Vec<FieldProblem>,
    organizations: Vec<ProblemOrganization>,
    retry_after: Option<Duration>,
    rate_limit: Option<RateLimit>,
    /// For the log alone.
    source: Option<Arc<dyn Error + Send + Sync>>,
}

impl Problem {
    /// A problem of this kind. `detail` says to a person what happened here and what to do.
    pub fn new(kind: ProblemKind, detail: impl Into<String>) -> Self {
        Self(Arc::new(Occurrence {
            kind,
            detail: detail.into(),
            errors: Vec::new(),
            organizations: Vec::new(),
            retry_after: None,
            rate_limit: None,
            source: None,
        }))
    }

    /// A problem whose kind says it all.
    pub fn of(kind: ProblemKind) -> Self {
        Self::new(kind, kind.advice)
    }

    /// A defect or an outage of ours: the client learns that it was us, the log learns why.
    pub fn internal(source: impl Error + Send + Sync + 'static) -> Self {
        Self::of(kinds::INTERNAL_ERROR).caused_by(source)
    }

    /// One value of the request body is not acceptable.
    pub fn field(pointer: &str, code: &str, detail: impl Into<String>) -> Self {
        Self::fields(vec![FieldProblem {
            pointer: pointer.to_owned(),
            code: code.to_owned(),
            detail: detail.into(),
        }])
    }

    /// Several values of the request body are not acceptable.
    pub fn fields(errors: Vec<FieldProblem>) -> Self {
        Self::of(kinds::VALIDATION_FAILED).with_errors(errors)
    }

    /// Adds which values are at fault.
    pub fn with_errors(self, errors: Vec<FieldProblem>) -> Self {
        self.change(|occurrence| occurrence.errors = errors)
    }

    /// Adds which organizations it is about, so that a page can lead there.
    pub fn with_organizations(self, organizations: Vec<ProblemOrganization>) -> Self {
        self.change(|occurrence| occurrence.organizations = organizations)
    }

    /// Adds when another attempt may succeed; sent as `Retry-After`.
    pub fn retry_after(self, after: Duration) -> Self {
        self.change(|occurrence| occurrence.retry_after = Some(after))
    }

    /// Adds how much is left to the caller.
    pub(crate) fn rate_limit(self, limit: RateLimit) -> Self {
        self.change(|occurrence| occurrence.rate_limit = Some(limit))
    }

    /// Adds what the log should say about it.
    pub fn caused_by(self, source: impl Error + Send + Sync + 'static) -> Self {
        self.change(|occurrence| occurrence.source = Some(Arc::new(source)))
    }

    /// What kind of problem it is.
    #[must_use]
    pub fn kind(&self) -> ProblemKind {
        self.0.kind
    }

    fn change(mut self, change: impl FnOnce(&mut Occurrence)) -> Self {
        change(Arc::make_mut(&mut self.0));
        self
    }

    /// The chain of causes, for the log.
    pub(crate) fn causes(&self) -> Option<String> {
        let mut text = String::new();
        let mut next: Option<&(dyn Error + 'static)> = self.0.source.as_deref().map(|source| source as _);
        while let Some(error) = next {
            if !text.is_empty() {
                text.push_str(": ");
            }
            text.push_str(&error.to_string());
            next = error.source();
        }
        (!text.is_empty()).then_some(text)
    }

    /// The whole answer.
    pub(crate) fn render(&self, request_id: &str) -> Response {
        document::render(&self.0, request_id)
    }
}

/// Leaves the problem beside an empty answer; the edge, which knows the request's id, writes it out.
impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response = StatusCode::from(self.0.kind).into_response();
        response.extensions_mut().insert(self);
        response
    }
}

impl From<DatabaseError> for Problem {
    fn from(error: DatabaseError) -> Self {
        match error {
            DatabaseError::NotFound => Self::of(kinds::NOT_FOUND),
            error if error.is_worth_retrying() => Self::of(kinds::TEMPORARILY_UNAVAILABLE)
                .retry_after(Duration::from_secs(2))
                .caused_by(error),
            error => Self::internal(error),
        }
    }
}

impl From<SealingError> for Problem {
    fn from(error: SealingError) -> Self {
        Self::internal(error)
    }
}

impl From<HashingError> for Problem {
    fn from(error: HashingError) -> Self {
        match error {
            HashingError::Busy => Self::of(kinds::TEMPORARILY_UNAVAILABLE)
                .retry_after(Duration::from_secs(5))
                .caused_by(error),
            error => Self::internal(error),
        }
    }
}

impl From<StepUpRequired> for Problem {
    fn from(_: StepUpRequired) -> Self {
        Self::of(accounts::problems::STEP_UP_REQUIRED)
    }
}

impl From<Fault> for Problem {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::Database(error) => error.into(),
            Fault::Sealing(error) => error.into(),
            Fault::Hashing(error) => error.into(),
            fault => Self::internal(fault),
        }
    }
}
