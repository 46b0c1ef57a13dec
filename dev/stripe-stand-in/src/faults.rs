//! Faults on demand: the next matching requests get an error, or no answer, before or after their effect.

use serde::{Deserialize, Serialize};

use crate::errors::ApiError;

/// What goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Failure {
    /// An error with this status: 400, 401, 402, 409, 429 or 500.
    Status(u16),
    /// No answer for this many seconds, then the connection is closed.
    Hang(u64),
    /// The connection is closed without an answer.
    Close,
}

/// Whether the request's effect happens.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum When {
    /// Nothing happens.
    #[default]
    Before,
    /// The effect is done, only its answer is lost or replaced.
    After,
}

/// A fault that waits for requests.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Fault {
    /// Any where absent.
    #[serde(default)]
    pub(crate) method: Option<String>,
    /// A path; `*` stands for anything. Any where absent.
    #[serde(default)]
    pub(crate) path: Option<String>,
    pub(crate) failure: Failure,
    #[serde(default)]
    pub(crate) when: When,
    /// How many requests it meets.
    #[serde(default = "once")]
    pub(crate) count: u32,
}

fn once() -> u32 {
    1
}

#[derive(Debug, Default)]
pub(crate) struct Faults {
    waiting: Vec<Fault>,
}

impl Faults {
    pub(crate) fn add(&mut self, fault: Fault) {
        self.waiting.push(fault);
    }

    pub(crate) fn clear(&mut self) {
        self.waiting.clear();
    }

    pub(crate) fn waiting(&self) -> &[Fault] {
        &self.waiting
    }

    /// The fault that meets this request, if one waits for it.
    pub(crate) fn take(&mut self, method: &str, path: &str) -> Option<(Failure, When)> {
        let position = self.waiting.iter().position(|fault| {
            fault.count > 0
                && fault
                    .method
                    .as_ref()
                    .is_none_or(|wanted| wanted.eq_ignore_ascii_case(method))
                && fault.path.as_ref().is_none_or(|pattern| matches(pattern, path))
        })?;
        let fault = &mut self.waiting[position];
        fault.count -= 1;
        let met = (fault.failure, fault.when);
        if fault.count == 0 {
            self.waiting.remove(position);
        }
        Some(met)
    }
}

/// The error that a status stands for.
pub(crate) fn error_for(status: u16, key: Option<&str>) -> ApiError {
    match status {
        401 => ApiError::unauthorized("Invalid API Key provided: sk_test_*********************fail"),
        402 => ApiError::card_declined("card_declined", Some("generic_decline"), "Your card was declined."),
        409 => ApiError::key_in_use(key.unwrap_or("none")),
        429 => ApiError::rate_limited(),
        500.. => ApiError::internal().with_status(status),
        _ => ApiError::invalid("The Stripe stand-in was told to refuse this request.").with_status(status),
    }
}

fn matches(pattern: &str, path: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == path,
        Some((before, after)) => path.strip_prefix(before).is_some_and(|rest| {
            (0..=rest.len()).any(|start| rest.is_char_boundary(start) && matches(after, &rest[start..]))
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::{Failure, Fault, Faults, When, matches};

    #[test]
    fn a_fault_meets_as_many_requests_as_it_counts() {
        let mut faults = Faults::default();
        faults.add(Fault {
            method: Some("POST".into()),
            path: Some("/v1/checkout/*".into()),
            failure: Failure::Status(500),
            when: When::After,
            count: 2,
        });
        assert_eq!(faults.take("GET", "/v1/checkout/sessions"), None);
        assert_eq!(
            faults.take("POST", "/v1/checkout/sessions"),
            Some((Failure::Status(500), When::After))
        );
        assert!(faults.take("POST", "/v1/checkout/sessions").is_some());
        assert_eq!(faults.take("POST", "/v1/checkout/sessions"), None);
    }

    #[test]
    fn stars_match_anything() {
        assert!(matches("/v1/*/expire", "/v1/checkout/sessions/cs_1/expire"));
        assert!(matches("*", "/v1/x"));
        assert!(!matches("/v1/prices", "/v1/prices/x"));
    }
}
