//! What can go wrong between us and the provider, by what is to be done about it.

use std::time::Duration;

/// Why a call to the payment provider did not succeed. Holds no key, no card and no personal field.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PaymentError {
    /// The key is wrong, expired or may not do this.
    #[error("the payment provider refused our key: {message}")]
    Unauthorized {
        /// The provider's own words.
        message: String,
    },
    /// The customer's payment was declined.
    #[error("the payment was declined ({code})")]
    Declined {
        /// The provider's code, such as `card_declined`.
        code: String,
        /// The provider's own words.
        message: String,
    },
    /// Another call with the same key is under way, or the object is not in a state that allows this.
    #[error("the payment provider reports a conflict ({code}): {message}")]
    Conflict {
        /// The provider's code, such as `lock_timeout`.
        code: String,
        /// The provider's own words.
        message: String,
    },
    /// Too many calls.
    #[error("the payment provider asks us to slow down")]
    RateLimited {
        /// How long it asked us to wait, if it said so.
        retry_after: Option<Duration>,
    },
    /// The provider failed. With the same key it would answer the same again, so the object is looked up first.
    #[error("the payment provider failed with status {status}")]
    ServerError {
        /// The HTTP status.
        status: u16,
    },
    /// No connection.
    #[error("the payment provider cannot be reached: {reason}")]
    Unreachable {
        /// What the connection said, without the address's credentials.
        reason: String,
    },
    /// No answer in time: the call may have been carried out.
    #[error("the payment provider did not answer in time")]
    Timeout,
    /// The request is wrong: repeating it will not help.
    #[error("the payment provider refused the request ({code}, {param}): {message}")]
    Invalid {
        /// Which parameter, or an empty text.
        param: String,
        /// The provider's code, or an empty text.
        code: String,
        /// The provider's own words.
        message: String,
    },
    /// The object is not, or no longer, there.
    #[error("the payment provider has no such object")]
    NotFound,
    /// The answer is not one that we understand.
    #[error("the payment provider's answer cannot be read: {reason}")]
    Unreadable {
        /// Which part.
        reason: String,
    },
}

/// What may be done with the idempotency key of a write that failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AfterFailure {
    /// Nothing is certain or nothing happened: send the same request under the same key again.
    SameKey,
    /// The provider would replay its failure for this key: look the object up, and if it is not there use a new key.
    LookUpThenNewKey,
    /// Repeating will not help.
    GiveUp,
}

impl PaymentError {
    /// What a writer does next.
    #[must_use]
    pub fn after_failure(&self) -> AfterFailure {
        match self {
            Self::RateLimited { .. } | Self::Unreachable { .. } | Self::Timeout | Self::Unauthorized { .. } => {
                AfterFailure::SameKey
            }
            // A used key with another body is a conflict that no repetition mends; every other one passes.
            Self::Conflict { code, .. } if code == "idempotency_error" => AfterFailure::LookUpThenNewKey,
            Self::Conflict { .. } => AfterFailure::SameKey,
            Self::ServerError { .. } | Self::Unreadable { .. } => AfterFailure::LookUpThenNewKey,
            Self::Declined { .. } | Self::Invalid { .. } | Self::NotFound => AfterFailure::GiveUp,
        }
    }

    /// Whether waiting and asking again can help.
    #[must_use]
    pub fn is_temporary(&self) -> bool {
        match self {
            Self::RateLimited { .. }
            | Self::Unreachable { .. }
            | Self::Timeout
            | Self::ServerError { .. }
            | Self::Conflict { .. } => true,
            // A rotated key is put right by a person; what waits for it must not be lost meanwhile.
            Self::Unauthorized { .. } => true,
            // A proxy's page, or an answer that was cut short: the next one can be read.
            Self::Unreadable { .. } => true,
            Self::Declined { .. } | Self::Invalid { .. } | Self::NotFound => false,
        }
    }

    /// The codes of failures that pass by themselves, or when a person has put the connection in order, and that say
    /// nothing about the object that was asked for. An answer that cannot be read is none of them: it may be the object.
    pub const CODES_OF_OUTAGES: [&str; 6] = [
        "payment_provider_unauthorized",
        "payment_provider_conflict",
        "payment_provider_rate_limited",
        "payment_provider_failed",
        "payment_provider_unreachable",
        "payment_provider_timeout",
    ];

    /// The stable code under which people meet this failure.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Unauthorized { .. } => "payment_provider_unauthorized",
            Self::Declined { .. } => "payment_declined",
            Self::Conflict { .. } => "payment_provider_conflict",
            Self::RateLimited { .. } => "payment_provider_rate_limited",
            Self::ServerError { .. } => "payment_provider_failed",
            Self::Unreachable { .. } => "payment_provider_unreachable",
            Self::Timeout => "payment_provider_timeout",
            Self::Invalid { .. } => "payment_request_refused",
            Self::NotFound => "payment_object_gone",
            Self::Unreadable { .. } => "payment_answer_unreadable",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_that_cannot_be_read_is_asked_for_again() {
        let error = PaymentError::Unreadable {
            reason: "<html>".to_owned(),
        };
        assert!(error.is_temporary());
        assert!(!PaymentError::NotFound.is_temporary());
    }

    #[test]
    fn the_codes_of_outages_are_those_of_errors_that_pass() {
        let (message, code) = (String::new(), String::new());
        let outages = [
            PaymentError::Unauthorized {
                message: message.clone(),
            },
            PaymentError::Conflict { code, message },
            PaymentError::RateLimited { retry_after: None },
            PaymentError::ServerError { status: 500 },
            PaymentError::Unreachable { reason: String::new() },
            PaymentError::Timeout,
        ];
        assert!(outages.iter().all(PaymentError::is_temporary));
        assert_eq!(
            outages.each_ref().map(PaymentError::code),
            PaymentError::CODES_OF_OUTAGES
        );
    }
}
