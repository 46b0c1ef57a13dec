//! Sorts Stripe's answers by what is to be done about them.

use std::time::Duration;

use serde::Deserialize;
use tenantry_domain::billing::PaymentError;

/// The body of a failed call. Everything may be missing.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct ErrorBody {
    error: ErrorDetails,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct ErrorDetails {
    r#type: Option<String>,
    code: Option<String>,
    decline_code: Option<String>,
    param: Option<String>,
    message: Option<String>,
}

/// Longer texts from outside are cut before they reach a log or a page.
const MAX_MESSAGE_CHARS: usize = 300;
/// Whoever asks for a longer pause does not get it: a person will look sooner.
const MAX_RETRY_AFTER: Duration = Duration::from_secs(300);

/// What a status other than 2xx means.
pub(crate) fn failure(status: u16, retry_after: Option<&str>, body: &[u8]) -> PaymentError {
    let details = serde_json::from_slice::<ErrorBody>(body).unwrap_or_default().error;
    let message = message_of(&details);
    let code = details
        .code
        .clone()
        .or_else(|| details.r#type.clone())
        .unwrap_or_default();
    match status {
        401 | 403 => PaymentError::Unauthorized { message },
        402 => PaymentError::Declined {
            code: details.decline_code.unwrap_or(code),
            message,
        },
        404 => PaymentError::NotFound,
        // The same key with other parameters is reported as a bad request.
        400 if details.r#type.as_deref() == Some("idempotency_error") => PaymentError::Conflict {
            code: "idempotency_error".to_owned(),
            message,
        },
        409 => PaymentError::Conflict { code, message },
        429 => PaymentError::RateLimited {
            retry_after: retry_after
                .and_then(|seconds| seconds.trim().parse().ok())
                .map(|seconds| Duration::from_secs(seconds).min(MAX_RETRY_AFTER)),
        },
        500..=599 => PaymentError::ServerError { status },
        _ => PaymentError::Invalid {
            param: details.param.unwrap_or_default(),
            code,
            message,
        },
    }
}

/// Stripe repeats a wrong key in its message, with its middle starred out: that, too, stays out of our logs.
fn message_of(details: &ErrorDetails) -> String {
    let message = details.message.as_deref().unwrap_or("no reason given");
    let words = message.split(' ').map(|word| {
        let looks_like_a_key = ["sk_", "rk_", "pk_", "whsec_"]
            .iter()
            .any(|prefix| word.contains(prefix));
        if looks_like_a_key { "[key]" } else { word }
    });
    let text: Vec<_> = words.collect();
    text.join(" ")
        .chars()
        .filter(|letter| !letter.is_control())
        .take(MAX_MESSAGE_CHARS)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn body(text: &str) -> Vec<u8> {
        text.as_bytes().to_vec()
    }

    #[test]
    fn statuses_are_sorted() {
        let declined = body(
            r#"{"error":{"type":"card_error","code":"card_declined","decline_code":"generic_decline","message":"no"}}"#,
        );
        assert!(
            matches!(failure(402, None, &declined), PaymentError::Declined { code, .. } if code == "generic_decline")
        );
        let reused = body(r#"{"error":{"type":"idempotency_error","message":"other parameters"}}"#);
        assert!(
            matches!(failure(400, None, &reused), PaymentError::Conflict { code, .. } if code == "idempotency_error")
        );
        let missing = body(
            r#"{"error":{"type":"invalid_request_error","code":"resource_missing","param":"price","message":"No such price"}}"#,
        );
        assert!(matches!(failure(400, None, &missing), PaymentError::Invalid { param, .. } if param == "price"));
        assert_eq!(failure(404, None, &missing), PaymentError::NotFound);
        assert_eq!(failure(503, None, b"<html>"), PaymentError::ServerError { status: 503 });
        assert_eq!(
            failure(429, Some("7"), b""),
            PaymentError::RateLimited {
                retry_after: Some(Duration::from_secs(7))
            }
        );
        assert_eq!(
            failure(429, Some("never"), b""),
            PaymentError::RateLimited { retry_after: None }
        );
    }

    #[test]
    fn keys_never_reach_a_message() {
        let text = body(r#"{"error":{"message":"Invalid API Key provided: sk_test_abc***xyz"}}"#);
        let PaymentError::Unauthorized { message } = failure(401, None, &text) else {
            panic!()
        };
        assert_eq!(message, "Invalid API Key provided: [key]");
    }
}
