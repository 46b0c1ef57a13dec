//! What these endpoints refuse.

use std::time::Duration;

use tenantry_app::billing::{BillingFault, checkout::begin::BeginError};
use tenantry_domain::billing::{PaymentError, provider::WebhookRefusal};

use crate::{
    Problem,
    problem::{FieldProblem, kinds},
    problem_kinds,
    provisioning::problems::name_problem,
};

problem_kinds! {
    PRICE_UNKNOWN = 422 "price_unknown": "Nothing is sold under this price", "Choose a price from the list of products.";
    PRICE_NOT_READY = 409 "price_not_ready": "The price cannot be paid yet", "The catalog is being applied; try again in a minute.";
    NOT_DEDICATED = 422 "not_dedicated": "This is not bought with a name of its own", "Choose a product that gives you an instance of your own.";
    ALREADY_BOUGHT = 409 "already_bought": "This was bought already", "Look at the checkout that was paid: what you bought is being made.";
    CHECKOUT_SUPERSEDED = 409 "checkout_superseded": "Another attempt at the same purchase was begun meanwhile", "Go on in the window where it was begun, or start again.";
    TOO_MANY_OPEN_CHECKOUTS = 409 "too_many_open_checkouts": "Too many purchases wait for their payment", "Pay for one of them, or cancel one that is not wanted any more, then try again. Each ends by itself after an hour.";
    PAYMENT_PROVIDER_UNAVAILABLE = 503 "payment_provider_unavailable": "Payments cannot be taken right now", "Nothing was charged. Try again in a minute.";
    REFUND_NOT_NEEDED = 409 "refund_not_needed": "No payment here is to go back", "Only a payment that bought nothing goes back by this button.";
    REFUND_WITHOUT_PAYMENT = 409 "refund_without_payment": "There is no payment to send back", "Look at the subscription at the payment provider.";
    REFUND_REFUSED = 409 "refund_refused": "The payment provider refuses the refund", "Look at the payment there.";
    EVENT_NOT_HANDLED = 422 "event_not_handled": "This event says nothing about a purchase", "Only events about purchases can be looked at once more.";
    SIGNATURE_REFUSED = 400 "signature_refused": "The delivery is not believed", "Check the endpoint's signing secret and the clocks.";
    BODY_REFUSED = 400 "body_refused": "The delivery is not an event", "Send the event exactly as the payment provider wrote it.";
}

impl From<BeginError> for Problem {
    fn from(error: BeginError) -> Self {
        let price = |kind, error: &BeginError| {
            Self::new(kind, error.to_string()).with_errors(vec![FieldProblem {
                pointer: "/price".to_owned(),
                code: kind.code.to_owned(),
                detail: error.to_string(),
            }])
        };
        match error {
            BeginError::PriceUnknown(_) => price(PRICE_UNKNOWN, &error),
            BeginError::PriceNotReady(_) => Self::of(PRICE_NOT_READY).retry_after(Duration::from_secs(30)),
            BeginError::NotDedicated(_) => price(NOT_DEDICATED, &error),
            BeginError::Name(error) => name_problem(&error, "/tenant_name"),
            BeginError::AlreadyBought { checkout } => Self::new(
                ALREADY_BOUGHT,
                format!("It was paid for in checkout {checkout}; what you bought is being made."),
            ),
            BeginError::TooManyOpen => Self::of(TOO_MANY_OPEN_CHECKOUTS),
            BeginError::Superseded => Self::of(CHECKOUT_SUPERSEDED),
            BeginError::Payment(error) => payment_problem(error),
            BeginError::Fault(fault) => fault.into(),
        }
    }
}

impl From<BillingFault> for Problem {
    fn from(error: BillingFault) -> Self {
        match error {
            BillingFault::Payment(error) => payment_problem(error),
            BillingFault::Overtaken => Self::of(kinds::TEMPORARILY_UNAVAILABLE)
                .retry_after(Duration::from_secs(2))
                .caused_by(error),
            BillingFault::Fault(fault) => fault.into(),
        }
    }
}

/// The customer learns that nothing was charged and when to try again; the log learns what the provider said.
fn payment_problem(error: PaymentError) -> Problem {
    let after = match &error {
        PaymentError::RateLimited {
            retry_after: Some(after),
        } => *after,
        _ => Duration::from_secs(30),
    };
    Problem::of(PAYMENT_PROVIDER_UNAVAILABLE)
        .retry_after(after)
        .caused_by(error)
}

impl From<WebhookRefusal> for Problem {
    fn from(refusal: WebhookRefusal) -> Self {
        let detail = format!("{} ({}).", refusal, refusal.code());
        match refusal {
            WebhookRefusal::NotUtf8 | WebhookRefusal::NotAnEvent { .. } => Self::new(BODY_REFUSED, detail),
            // A secret that is missing here is our fault: the provider delivers again.
            WebhookRefusal::NoSecret => Self::new(kinds::TEMPORARILY_UNAVAILABLE, detail).caused_by(refusal),
            _ => Self::new(SIGNATURE_REFUSED, detail),
        }
    }
}
