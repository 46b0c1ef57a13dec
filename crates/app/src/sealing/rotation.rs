//! Replacing a master key: whatever another key seals is opened and sealed anew under the current one, batch by batch.
//!
//! Cut short at any moment, it goes on where it stopped when it is run again, and changes nothing when all is done.
//! Servers may run meanwhile, as long as they have both keys.

use serde_json::json;
use tenantry_domain::{
    accounts::FactorHolder,
    ids::{OperatorId, OrganizationId, UserId},
};
use tenantry_postgres::sealed_columns::{self, NamedSecret, PersonalKey, SealedColumn, TextColumn};
use uuid::Uuid;

use super::{Place, Purpose, Sealed, Sealer, SealingError, purpose::OF_NAME, text_prefix};
use crate::{
    App,
    audit::{self, Act},
    error::Fault,
};

/// Rows that are locked at once.
pub const BATCH: i64 = 200;
const WHY: &str = "seal anew under another master key";

/// What became of one column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rotated {
    /// Which.
    pub column: SealedColumn,
    /// Values that the current key seals now.
    pub resealed: u64,
    /// Values that did not open and stay as they were; the log says which.
    pub unopened: u64,
}

/// Seals everything anew that the current master key does not seal yet.
///
/// # Errors
/// The ledger's. What was done before stays done.
pub async fn rotate(app: &App, batch: i64, actor: &str) -> Result<Vec<Rotated>, Fault> {
    let mut all = Vec::with_capacity(SealedColumn::ALL.len());
    for column in SealedColumn::ALL {
        let (resealed, unopened) = match column {
            SealedColumn::Secrets => secrets(app, batch).await?,
            SealedColumn::PersonalKeys => personal_keys(app, batch).await?,
            SealedColumn::UserFactors => texts(app, TextColumn::UserFactors, batch).await?,
            SealedColumn::UserFactorReplacements => texts(app, TextColumn::UserFactorReplacements, batch).await?,
            SealedColumn::OperatorFactors => texts(app, TextColumn::OperatorFactors, batch).await?,
            SealedColumn::SigningKeys => texts(app, TextColumn::SigningKeys, batch).await?,
            SealedColumn::WaitingMails => texts(app, TextColumn::WaitingMails, batch).await?,
            SealedColumn::Answers => texts(app, TextColumn::Answers, batch).await?,
        };
        all.push(Rotated {
            column,
            resealed,
            unopened,
        });
    }
    let resealed: u64 = all.iter().map(|rotated| rotated.resealed).sum();
    if resealed > 0 {
        let mut tx = app.database.system(WHY).await?;
        let act = Act::new("master_key.rotated", actor)
            .target(app.sealer.keys.current())
            .body(json!({ "resealed": resealed }));
        audit::record(app, &mut tx, act).await?;
        tx.commit().await?;
    }
    Ok(all)
}

async fn secrets(app: &App, batch: i64) -> Result<(u64, u64), Fault> {
    let (mut resealed, mut unopened) = (0, Vec::new());
    loop {
        let mut tx = app.database.system(WHY).await?;
        let current = app.sealer.keys.current();
        let rows = sealed_columns::lock_secrets(&mut tx, current, OF_NAME, &unopened, batch).await?;
        if rows.is_empty() {
            return Ok((resealed, count(unopened.len())));
        }
        for row in rows {
            let id = row.id;
            match secret_anew(&app.sealer, row) {
                Ok(anew) => {
                    sealed_columns::set_secret(&mut tx, id, &anew).await?;
                    resealed += 1;
                }
                Err(error) => {
                    complain(SealedColumn::Secrets, &id, &error);
                    unopened.push(id);
                }
            }
        }
        tx.commit().await?;
    }
}

fn secret_anew(
    sealer: &Sealer,
    row: NamedSecret,
) -> Result<tenantry_postgres::sealed_secrets::SealedSecret, SealingError> {
    let name = row.secret.name.clone();
    let place = Place {
        scope: &row.scope,
        organization: row.organization_id.map(OrganizationId::from_uuid),
        owner: row.owner_id,
        name: &name,
    };
    sealer.seal_secret(place, &sealer.open_secret(place, row.secret)?)
}

async fn personal_keys(app: &App, batch: i64) -> Result<(u64, u64), Fault> {
    let (mut resealed, mut unopened) = (0, Vec::new());
    loop {
        let mut tx = app.database.system(WHY).await?;
        let current = app.sealer.keys.current();
        let rows = sealed_columns::lock_personal_keys(&mut tx, current, &unopened, batch).await?;
        if rows.is_empty() {
            return Ok((resealed, count(unopened.len())));
        }
        for row in rows {
            let subject = row.user_id;
            match personal_key_anew(&app.sealer, row) {
                Ok(anew) => {
                    sealed_columns::set_personal_key(&mut tx, &anew).await?;
                    resealed += 1;
                }
                Err(error) => {
                    complain(SealedColumn::PersonalKeys, &subject, &error);
                    unopened.push(subject);
                }
            }
        }
        tx.commit().await?;
    }
}

fn personal_key_anew(sealer: &Sealer, row: PersonalKey) -> Result<PersonalKey, SealingError> {
    let purpose = Purpose::PersonalKey { subject: row.user_id };
    let sealed = Sealed {
        format: purpose.format(),
        key_id: row.key_id,
        wrapped_key: row.wrapped_key,
        ciphertext: row.ciphertext,
    };
    let anew = sealer.seal(&purpose, &sealer.open(&purpose, &sealed)?)?;
    Ok(PersonalKey {
        user_id: row.user_id,
        key_id: anew.key_id,
        wrapped_key: anew.wrapped_key,
        ciphertext: anew.ciphertext,
    })
}

async fn texts(app: &App, column: TextColumn, batch: i64) -> Result<(u64, u64), Fault> {
    let prefix = text_prefix(app.sealer.keys.current());
    let (mut resealed, mut unopened) = (0, Vec::new());
    loop {
        let mut tx = app.database.system(WHY).await?;
        let rows = sealed_columns::lock_texts(&mut tx, column, &prefix, &unopened, batch).await?;
        if rows.is_empty() {
            return Ok((resealed, count(unopened.len())));
        }
        for (row, sealed) in rows {
            match text_anew(&app.sealer, column, &row, &sealed) {
                Ok(anew) => {
                    sealed_columns::set_text(&mut tx, column, &row, &anew).await?;
                    resealed += 1;
                }
                Err(error) => {
                    complain(column, &row, &error);
                    unopened.push(row);
                }
            }
        }
        tx.commit().await?;
    }
}

fn text_anew(sealer: &Sealer, column: TextColumn, row: &str, sealed: &str) -> Result<String, SealingError> {
    let id = || row.parse::<Uuid>().map_err(|_| SealingError::Tampered);
    let answer: (String, String);
    let purpose = match column {
        TextColumn::UserFactors | TextColumn::UserFactorReplacements => {
            Purpose::Totp(FactorHolder::User(UserId::from_uuid(id()?)))
        }
        TextColumn::OperatorFactors => Purpose::Totp(FactorHolder::Operator(OperatorId::from_uuid(id()?))),
        TextColumn::SigningKeys => Purpose::SigningKey { kid: row },
        TextColumn::WaitingMails => Purpose::Mail,
        TextColumn::Answers => {
            answer = serde_json::from_str(row).map_err(|_| SealingError::Tampered)?;
            Purpose::Answer {
                principal: &answer.0,
                key: &answer.1,
            }
        }
    };
    sealer.seal_text(&purpose, &sealer.open_text(&purpose, sealed)?)
}

fn complain(column: impl std::fmt::Debug, row: &impl std::fmt::Display, error: &SealingError) {
    tracing::error!(?column, %row, %error, "what is sealed here does not open and stays as it is");
}

fn count(unopened: usize) -> u64 {
    u64::try_from(unopened).unwrap_or(u64::MAX)
}
