//! W3C trace context: one trace follows a request into jobs and operations, in which it is kept as text.

use axum::extract::FromRequestParts;
use http::{HeaderMap, request::Parts};
use rand::{TryRng, rngs::SysRng};

use crate::{AppState, problem::Problem};

/// The trace that a request belongs to, and the request's own span in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TraceContext {
    trace_id: String,
    span_id: String,
}

impl TraceContext {
    /// A trace that begins here.
    pub(crate) fn root() -> Self {
        Self {
            trace_id: random_hex::<16>(),
            span_id: random_hex::<8>(),
        }
    }

    /// Goes on with the caller's trace. Only for callers whose word counts: a trace from outside begins anew, or anybody
    /// could write into ours.
    pub(crate) fn from_trusted(headers: &HeaderMap) -> Option<Self> {
        let header = headers.get("traceparent")?.to_str().ok()?;
        let mut parts = header.split('-');
        let (version, trace_id, parent_id) = (parts.next()?, parts.next()?, parts.next()?);
        let is_hex = |text: &str, length: usize| {
            text.len() == length
                && text.bytes().all(|letter| matches!(letter, b'0'..=b'9' | b'a'..=b'f'))
                && text.bytes().any(|letter| letter != b'0')
        };
        let well_formed = version.len() == 2 && version != "ff" && is_hex(trace_id, 32) && is_hex(parent_id, 16);
        well_formed.then(|| Self {
            trace_id: trace_id.to_owned(),
            span_id: parent_id.to_owned(),
        })
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

    fn read(header: &str) -> Option<String> {
        let mut headers = HeaderMap::new();
        headers.insert("traceparent", header.parse().unwrap());
        TraceContext::from_trusted(&headers).map(|trace| trace.trace_id)
    }

    #[test]
    fn only_well_formed_contexts_are_gone_on_with() {
        let id = "4bf92f3577b34da6a3ce929d0e0e4736";
        assert_eq!(read(&format!("00-{id}-00f067aa0ba902b7-01")), Some(id.to_owned()));
        assert_eq!(
            read(&format!("cc-{id}-00f067aa0ba902b7-01-future")),
            Some(id.to_owned())
        );
        for header in [
            "",
            "00",
            "00-0-0-0",
            "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        ] {
            assert_eq!(read(header), None, "{header}");
        }
        assert_eq!(read("00-00000000000000000000000000000000-00f067aa0ba902b7-01"), None);
        assert_eq!(read("00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01"), None);
    }

    #[test]
    fn a_root_is_a_context() {
        let root = TraceContext::root();
        assert_eq!(read(&root.traceparent()), Some(root.trace_id));
    }
}
