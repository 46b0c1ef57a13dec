//! The job that hands a queued mail to the mail server.

use std::time::Duration;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use tenantry_domain::mail::{MailError, OutgoingMail};
use tenantry_operations::jobs::{Job, JobContext, JobError, JobPolicy};

use crate::{App, sealing::Purpose};

/// Sends one mail.
#[derive(Debug)]
pub struct SendMail;

/// A mail may hold a link that signs somebody in, so the ledger keeps it sealed.
#[derive(Debug, Serialize, Deserialize)]
pub struct Payload {
    pub(super) sealed: String,
}

#[async_trait]
impl Job for SendMail {
    const KIND: &'static str = "mail.send";
    type Context = App;
    type Payload = Payload;

    /// Over about a day: mail servers are away for hours at times.
    fn policy() -> JobPolicy {
        JobPolicy {
            max_attempts: 30,
            backoff_base: Duration::from_secs(2),
            backoff_cap: Duration::from_secs(3600),
            attempt_timeout: Duration::from_secs(60),
        }
    }

    async fn run(cx: &JobContext<App>, payload: Payload) -> Result<(), JobError> {
        let app = cx.context();
        let text = app
            .sealer
            .open_text(&Purpose::Mail, &payload.sealed)
            .map_err(|error| JobError::give_up("mail_sealed", error.to_string()))?;
        let mail: OutgoingMail = serde_json::from_str(&text)
            .map_err(|_| JobError::give_up("mail_unreadable", "the stored mail does not read"))?;
        cx.fence().await?;
        app.mailer.send(&mail).await.map_err(|error| match error {
            MailError::Temporary { reason } => JobError::retry("mail_deferred", reason),
            MailError::Permanent { reason } => JobError::give_up("mail_refused", reason),
        })
    }
}
