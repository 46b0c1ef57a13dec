//! W3C trace context: one trace follows a request into jobs and operations, in which it is kept as text.

use axum::extract::FromRequestParts;
use http::request::Parts;
use rand::{TryRng, rngs::SysRng};

use crate::{AppState, problem::Problem};

/// The trace that a request belongs to, and the request's own span in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TraceContext {
    trace_id: String,
    span_id: String,
}

impl TraceContext {
    /// A trace that begins here, as every one from outside does: otherwise anybody could write into ours.
    pub(crate) fn root() -> Self {
        Self {
            trace_id: random_hex::<16>(),
            span_id: random_hex::<8>(),
        }
    }

    /// 32 hexadecimal digits.
    #[must_use]
    pub fn trace_id(&self) -> &str {
        &self.trace_id
    }

    /// The `traceparent` to keep with what this request causes.
    #[must_use]
    pub fn traceparent(&self) -> String {
        format!("00-{}-{}-01", self.trace_id, self.span_id)
    }
}

fn random_hex<const N: usize>() -> String {
    let mut bytes = [0; N];
    // Without randomness the id is all zeros, which tracers take for none.
    let _ = SysRng.try_fill_bytes(&mut bytes);
    hex::encode(bytes)
}

impl FromRequestParts<AppState> for TraceContext {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &AppState) -> Result<Self, Problem> {
        Ok(parts.extensions.get().cloned().unwrap_or_else(Self::root))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_root_is_a_trace_of_its_own() {
        let (one, other) = (TraceContext::root(), TraceContext::root());
        assert_ne!(one.trace_id(), other.trace_id());
        assert_eq!(one.traceparent().len(), 55);
        assert!(one.traceparent().contains(one.trace_id()));
    }
}
