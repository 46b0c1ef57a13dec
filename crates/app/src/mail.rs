//! Mail leaves by a job that is queued in the transaction that causes it: no mail for what was rolled back, none lost
//! when the mail server is away, none queued twice for one cause within a month.

mod send;

use chrono::{DateTime, Utc};
use sha2::{Digest, Sha256};
use tenantry_domain::{
    accounts::Notifications,
    mail::{Message, OutgoingMail},
};
use tenantry_operations::jobs::{self, NewJob};
use tenantry_postgres::{DatabaseError, SystemTx, accounts::users, mail_causes};

pub use send::SendMail;

use crate::{App, error::Fault, sealing::Purpose};

/// Queues a mail. `cause` names what it is about: `tenant_ready:ten_…`. A cause that has had its mail gets no second one
/// for as long as causes are kept, which is thirty days ([`crate::sweep`]). What is still wrong after a month, such as a
/// payment that nobody has looked at, is worth another mail.
///
/// # Errors
/// The database's, or the sealer's.
pub async fn queue(tx: &mut SystemTx, app: &App, cause: &str, to: &str, message: Message) -> Result<(), Fault> {
    queue_in(tx, app, None, cause, to, message).await
}

/// The same in a trace that it belongs to.
///
/// # Errors
/// The database's, or the sealer's.
pub async fn queue_in(
    tx: &mut SystemTx,
    app: &App,
    trace: Option<&str>,
    cause: &str,
    to: &str,
    message: Message,
) -> Result<(), Fault> {
    if !mail_causes::insert(tx, &Sha256::digest(cause), app.clock.now()).await? {
        return Ok(());
    }
    let mail = OutgoingMail {
        message_id: message_id(app, cause),
        to: to.to_owned(),
        message,
    };
    let sealed = app.sealer.seal_text(&Purpose::Mail, &serde_json::to_string(&mail)?)?;
    let job = NewJob::of::<SendMail>(&send::Payload { sealed })?
        .unique_key(format!("mail:{cause}"))
        .trace_id(trace.map(str::to_owned));
    jobs::enqueue(tx.connection(), job).await.map_err(DatabaseError::from)?;
    Ok(())
}

/// Whether a mail was queued for this cause.
///
/// # Errors
/// The database's.
pub(crate) async fn was_queued(tx: &mut SystemTx, cause: &str) -> Result<bool, DatabaseError> {
    mail_causes::exists(tx, &Sha256::digest(cause)).await
}

/// Whether whoever has this address wants a mail of a kind that they may do without.
///
/// # Errors
/// The database's.
pub(crate) async fn is_wanted(
    tx: &mut SystemTx,
    to: &str,
    choice: impl FnOnce(Notifications) -> bool,
) -> Result<bool, Fault> {
    let chosen = users::find_notifications(tx, to).await?;
    Ok(choice(chosen.unwrap_or_default()))
}

/// A moment as a mail says it.
pub(crate) fn written(at: DateTime<Utc>) -> String {
    at.format("%-d %B %Y at %H:%M UTC").to_string()
}

/// The same cause gives the same id, on every attempt and every replica; the id tells nothing of the cause.
fn message_id(app: &App, cause: &str) -> String {
    let mut hash = Sha256::new();
    hash.update(app.settings.installation.to_string());
    hash.update(cause);
    let host = app.settings.public_url.host_str().unwrap_or("localhost");
    format!("{}@{host}", hex::encode(&hash.finalize()[..16]))
}
