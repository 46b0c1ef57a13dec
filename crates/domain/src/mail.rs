//! Mail that Tenantry sends: what each one says as data, and the port that delivers it. How it looks is the adapter's.

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

/// What a mail is about. Links are absolute and made from the installation's public address.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "message", rename_all = "snake_case")]
pub enum Message {
    /// Somebody signed up with this address and proves by the link that it is theirs. Until then, as in every mail to an
    /// address that nobody has proven, not a word of whoever signed up is passed on: it may be a stranger's, who has us
    /// write to somebody.
    Confirm {
        /// Leads to a page that acts by a button, never by being fetched.
        link: String,
    },
    /// Somebody signed up with the address of an account that exists.
    AlreadyRegistered {
        /// Where to sign in.
        link: String,
    },
    /// Somebody asked for the link of their sign-up again.
    ConfirmAgain {
        /// Leads to a page that acts by a button, never by being fetched.
        link: String,
    },
    /// Somebody asked for the link of a sign-up, and none waits for it.
    NothingToConfirm {
        /// Where to sign in or up.
        link: String,
    },
    /// The account is live.
    Welcome {
        /// The person's name.
        name: String,
        /// The organization that came with the account.
        organization: String,
        /// Where to begin.
        link: String,
    },
    /// Somebody forgot the password of this address's account.
    ResetPassword {
        /// Leads to a page that asks for a new password.
        link: String,
    },
    /// Somebody forgot the password of an account that this address does not have.
    NoAccount {
        /// Where to sign up.
        link: String,
    },
    /// The password of the account is another one now.
    PasswordChanged {
        /// The person's name.
        name: String,
        /// When, as people write it.
        at: String,
        /// Where to take the account back.
        link: String,
    },
    /// The owner of an account wants this address to be its address.
    ConfirmNewEmail {
        /// Leads to a page that acts by a button, never by being fetched.
        link: String,
    },
    /// The account has another address now; both are told.
    EmailChanged {
        /// The person's name.
        name: String,
        /// The address until now.
        before: String,
        /// The address from now on.
        after: String,
        /// When, as people write it.
        at: String,
        /// Where to sign in.
        link: String,
    },
    /// Somebody signed in from a browser that was not seen before.
    NewDevice {
        /// What the browser or program calls itself, in a few words.
        device: String,
        /// The network address, where it is known.
        address: Option<String>,
        /// When, as people write it.
        at: String,
        /// Leads to the list of sessions.
        link: String,
    },
    /// Nobody is told any more of sign-ins from browsers that were not seen before.
    DeviceAlertsOff {
        /// When, as people write it.
        at: String,
        /// Leads to the list of sessions.
        link: String,
    },
    /// The second factor of an account is another one than before.
    SecondFactorChanged {
        /// What became of it.
        change: SecondFactorChange,
        /// When, as people write it.
        at: String,
        /// Leads to the page where it is managed.
        link: String,
    },
    /// An operator has another password.
    OperatorPasswordChanged {
        /// Who changed it, as people say it.
        by: String,
        /// When, as people write it.
        at: String,
        /// Where operators sign in.
        link: String,
    },
    /// Somebody took an operator's second factor away; another one is set up by a link that they have.
    OperatorSecondFactorReset {
        /// Who did, as people say it.
        by: String,
        /// When, as people write it.
        at: String,
        /// Where operators sign in.
        link: String,
    },
    /// The account of this address is gone.
    AccountDeleted {
        /// The person's name.
        name: String,
        /// When, as people write it.
        at: String,
        /// Where to sign up again.
        link: String,
    },
    /// A tenant runs.
    TenantReady {
        /// Whose it is.
        organization: String,
        /// The tenant's name.
        tenant: String,
        /// Its host name.
        host: String,
        /// Where it answers.
        link: String,
    },
    /// For operators: a tenant could not be provisioned.
    ProvisioningFailed {
        /// Whose it is.
        organization: String,
        /// The tenant's name.
        tenant: String,
        /// The step that gave up.
        step: String,
        /// Why.
        reason: String,
        /// The operation in the console.
        link: String,
    },
    /// For operators: money came that bought nothing, and is to go back.
    RefundNeeded {
        /// Whose money.
        organization: String,
        /// What it was for.
        plan: String,
        /// How much, as people write it.
        amount: String,
        /// Why it bought nothing.
        reason: String,
        /// The payment provider's identifier of the page that was paid on.
        page: String,
        /// Leads to the console.
        link: String,
    },
    /// For operators: what the payment provider says cannot be followed without a person.
    PaymentNeedsPerson {
        /// The provider's identifier of what it is about.
        object: String,
        /// The stable code of what is wrong.
        code: String,
        /// What it means and what to do.
        advice: String,
        /// Leads to the events.
        link: String,
    },
    /// A payment that bought nothing has gone back.
    PaymentRefunded {
        /// Whose payment.
        organization: String,
        /// What it was for.
        plan: String,
        /// The amount, as people write it.
        amount: String,
        /// Leads to what was bought.
        link: String,
    },
    /// A payment did not go through.
    PaymentFailed {
        /// Whose payment.
        organization: String,
        /// The plan that it was for.
        plan: String,
        /// The amount, as people write it.
        amount: String,
        /// Where to pay.
        link: String,
    },
}

impl Message {
    /// The name of its templates, by which it can be looked at.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Confirm { .. } => "confirm",
            Self::AlreadyRegistered { .. } => "already_registered",
            Self::ConfirmAgain { .. } => "confirm_again",
            Self::NothingToConfirm { .. } => "nothing_to_confirm",
            Self::Welcome { .. } => "welcome",
            Self::ResetPassword { .. } => "reset_password",
            Self::NoAccount { .. } => "no_account",
            Self::PasswordChanged { .. } => "password_changed",
            Self::ConfirmNewEmail { .. } => "confirm_new_email",
            Self::EmailChanged { .. } => "email_changed",
            Self::NewDevice { .. } => "new_device",
            Self::DeviceAlertsOff { .. } => "device_alerts_off",
            Self::SecondFactorChanged { .. } => "second_factor_changed",
            Self::OperatorPasswordChanged { .. } => "operator_password_changed",
            Self::OperatorSecondFactorReset { .. } => "operator_second_factor_reset",
            Self::AccountDeleted { .. } => "account_deleted",
            Self::TenantReady { .. } => "tenant_ready",
            Self::ProvisioningFailed { .. } => "provisioning_failed",
            Self::RefundNeeded { .. } => "refund_needed",
            Self::PaymentNeedsPerson { .. } => "payment_needs_person",
            Self::PaymentRefunded { .. } => "payment_refunded",
            Self::PaymentFailed { .. } => "payment_failed",
        }
    }
}

/// What became of a second factor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SecondFactorChange {
    /// It was set up, or moved to another app.
    Enabled,
    /// It is gone: a password alone signs in.
    Disabled,
    /// The recovery codes are new ones; those before are void.
    CodesRenewed,
}

/// One mail to one recipient.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OutgoingMail {
    /// The same for every attempt to send the same mail, so that a mailbox shows it once.
    pub message_id: String,
    /// The recipient's address.
    pub to: String,
    /// What it says.
    #[serde(flatten)]
    pub message: Message,
}

/// Why a mail was not accepted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MailError {
    /// The server is away or asks to come back: the same mail may go through later.
    #[error("the mail server did not take the mail now: {reason}")]
    Temporary {
        /// What the server said.
        reason: String,
    },
    /// This mail will never be accepted.
    #[error("the mail cannot be sent: {reason}")]
    Permanent {
        /// What the server or the composer said.
        reason: String,
    },
}

/// Who delivers mail.
#[async_trait]
pub trait Mailer: Send + Sync {
    /// Hands one mail to the server.
    async fn send(&self, mail: &OutgoingMail) -> Result<(), MailError>;

    /// Connects and signs in without sending anything.
    async fn check(&self) -> Result<(), MailError>;
}
