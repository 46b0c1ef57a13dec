//! Every mail with sample data, to be looked at and to be tried with names that people should not have.

use tenantry_domain::mail::{Message, SecondFactorChange};

/// One message of each kind. `name` stands for every name and reason in them, `link` for every link.
#[must_use]
pub fn samples(name: &str, link: &str) -> Vec<Message> {
    let text = || name.to_owned();
    let link = || link.to_owned();
    let email = || "ada@example.org".to_owned();
    let at = || "21 November 2026 at 14:04 UTC".to_owned();
    let amount = || "49.00 EUR".to_owned();
    vec![
        Message::Confirm { link: link() },
        Message::AlreadyRegistered { link: link() },
        Message::ConfirmAgain { link: link() },
        Message::NothingToConfirm { link: link() },
        Message::Welcome {
            name: text(),
            organization: text(),
            link: link(),
        },
        Message::ResetPassword { link: link() },
        Message::NoAccount { link: link() },
        Message::PasswordChanged {
            name: text(),
            at: at(),
            link: link(),
        },
        Message::ConfirmNewEmail { link: link() },
        Message::EmailChanged {
            name: text(),
            before: email(),
            after: "lovelace@example.org".to_owned(),
            at: at(),
            link: link(),
        },
        Message::NewDevice {
            device: text(),
            address: Some("203.0.113.7".to_owned()),
            at: at(),
            link: link(),
        },
        Message::DeviceAlertsOff { at: at(), link: link() },
        Message::SecondFactorChanged {
            change: SecondFactorChange::Enabled,
            at: at(),
            link: link(),
        },
        Message::OperatorPasswordChanged {
            by: text(),
            at: at(),
            link: link(),
        },
        Message::OperatorSecondFactorReset {
            by: text(),
            at: at(),
            link: link(),
        },
        Message::AccountDeleted {
            name: text(),
            at: at(),
            link: link(),
        },
        Message::TenantReady {
            organization: text(),
            tenant: text(),
            host: "museum.example".to_owned(),
            link: link(),
        },
        Message::ProvisioningFailed {
            organization: text(),
            tenant: text(),
            step: "helm release".to_owned(),
            reason: text(),
            link: link(),
        },
        Message::RefundNeeded {
            organization: text(),
            plan: text(),
            amount: amount(),
            reason: text(),
            page: "cs_test_1".to_owned(),
            link: link(),
        },
        Message::PaymentNeedsPerson {
            object: "sub_1".to_owned(),
            code: "customer_mismatch".to_owned(),
            advice: text(),
            link: link(),
        },
        Message::PaymentRefunded {
            organization: text(),
            plan: text(),
            amount: amount(),
            link: link(),
        },
        Message::PaymentFailed {
            organization: text(),
            plan: text(),
            amount: amount(),
            link: link(),
        },
    ]
}
