//! Mail leaves by a job that is queued in the transaction that causes it: no mail for what was rolled back, none lost
//! when the mail server is away, none twice for one cause.

mod send;

use chrono::{DateTime, Utc};
use sha2::{Digest, Sha256};
use tenantry_domain::mail::{Message, OutgoingMail};
use tenantry_operations::jobs::{self, NewJob};
use tenantry_postgres::{DatabaseError, SystemTx};

pub use send::SendMail;

use crate::{App, error::Fault};

/// What the sealed payload of a mail job is bound to.
const PURPOSE: &str = "mail";

/// Queues a mail. `cause` names what it is about, once and for all: `tenant_ready:ten_…`.
///
/// # Errors
/// The database's, or the sealer's.
pub async fn queue(tx: &mut SystemTx, app: &App, cause: &str, to: &str, message: Message) -> Result<(), Fault> {
    let mail = OutgoingMail {
        message_id: message_id(app, cause),
        to: to.to_owned(),
        message,
    };
    let sealed = app.sealer.seal_text(PURPOSE, &serde_json::to_string(&mail)?)?;
    let job = NewJob::of::<SendMail>(&send::Payload { sealed })?.unique_key(format!("mail:{cause}"));
    jobs::enqueue(tx.connection(), job).await.map_err(DatabaseError::from)?;
    Ok(())
}

/// A moment as mails say it.
pub(crate) fn moment(at: DateTime<Utc>) -> String {
    at.format("%-d %B %Y, %H:%M UTC").to_string()
}

/// The same cause gives the same id, on every attempt and every replica; the id tells nothing of the cause.
fn message_id(app: &App, cause: &str) -> String {
    let mut hash = Sha256::new();
    hash.update(app.settings.installation.to_string());
    hash.update(cause);
    let host = app.settings.public_url.host_str().unwrap_or("localhost");
    format!("{}@{host}", hex::encode(&hash.finalize()[..16]))
}
