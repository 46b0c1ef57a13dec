//! How much is left to whoever asks for something that has a price: told before it is used up, in the headers that
//! clients know, and when it is.

use std::{convert::Infallible, time::Duration};

use axum::response::{IntoResponseParts, ResponseParts};
use http::{HeaderMap, HeaderValue, header};
use tenantry_domain::accounts::Allowance;

use crate::{Problem, accounts::problems};

/// Adds `RateLimit-Limit`, `RateLimit-Remaining` and `RateLimit-Reset` (in seconds) to an answer.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RateLimit(pub(crate) Allowance);

impl RateLimit {
    pub(crate) fn write(self, headers: &mut HeaderMap) {
        let Self(allowance) = self;
        headers.insert("ratelimit-limit", HeaderValue::from(allowance.limit));
        headers.insert("ratelimit-remaining", HeaderValue::from(allowance.remaining));
        headers.insert("ratelimit-reset", HeaderValue::from(whole_seconds(self.resets_after())));
    }

    /// The same with `Retry-After`, where nothing is left.
    pub(crate) fn write_used_up(self, headers: &mut HeaderMap) {
        self.write(headers);
        let seconds = whole_seconds(self.resets_after()).max(1);
        headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }

    fn resets_after(self) -> Duration {
        self.0.resets_after.to_std().unwrap_or_default()
    }
}

/// Rounded up: a client that comes a moment too soon would only be sent away again.
pub(crate) fn whole_seconds(span: Duration) -> u64 {
    span.as_secs() + u64::from(span.subsec_nanos() > 0)
}

impl IntoResponseParts for RateLimit {
    type Error = Infallible;

    fn into_response_parts(self, mut parts: ResponseParts) -> Result<ResponseParts, Infallible> {
        self.write(parts.headers_mut());
        Ok(parts)
    }
}

/// Nothing is left: `too_many_attempts`, with `Retry-After`.
pub(crate) fn used_up(allowance: Allowance) -> Problem {
    let limit = RateLimit(allowance);
    Problem::of(problems::TOO_MANY_ATTEMPTS)
        .retry_after(limit.resets_after())
        .rate_limit(limit)
}
