//! Every column that holds what is sealed under a master key, for replacing that key. Only ciphertext passes here.
//!
//! A batch is read and locked in one transaction and written in the same; what is sealed under the current key already is
//! not read again, so that a replacement which was cut short goes on where it stopped.

use uuid::Uuid;

use crate::{DatabaseError, SystemTx, sealed_secrets::SealedSecret};

/// Where something sealed is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SealedColumn {
    /// Secrets in rows of their own.
    Secrets,
    /// The keys of the people in the log.
    PersonalKeys,
    /// Second factors of users.
    UserFactors,
    /// Second factors of users that wait for their first code.
    UserFactorReplacements,
    /// Second factors of operators.
    OperatorFactors,
    /// Keys that sign tokens.
    SigningKeys,
    /// Mails that were not sent yet.
    WaitingMails,
    /// Answers that are given again.
    Answers,
}

impl SealedColumn {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::Secrets,
        Self::PersonalKeys,
        Self::UserFactors,
        Self::UserFactorReplacements,
        Self::OperatorFactors,
        Self::SigningKeys,
        Self::WaitingMails,
        Self::Answers,
    ];

    /// Its table, and the column with the ciphertext.
    #[must_use]
    pub const fn place(self) -> (&'static str, &'static str) {
        match self {
            Self::Secrets => ("sealed_secrets", "ciphertext"),
            Self::PersonalKeys => ("personal_keys", "ciphertext"),
            Self::UserFactors => ("totp_factors", "sealed_secret"),
            Self::UserFactorReplacements => ("totp_factors", "replacement"),
            Self::OperatorFactors => ("operator_totp_factors", "sealed_secret"),
            Self::SigningKeys => ("signing_keys", "sealed_private"),
            Self::WaitingMails => ("jobs", "payload"),
            Self::Answers => ("idempotency_keys", "sealed_response"),
        }
    }
}

/// A secret with all that names it.
#[derive(Debug, sqlx::FromRow)]
pub struct NamedSecret {
    /// The row.
    pub id: Uuid,
    /// What kind of thing its owner is.
    pub scope: String,
    /// The owner's organization.
    pub organization_id: Option<Uuid>,
    /// Its owner.
    pub owner_id: Uuid,
    /// The secret.
    #[sqlx(flatten)]
    pub secret: SealedSecret,
}

/// Secrets that another key seals than `key`, or that are in another form than `format`; without those in `skip`.
///
/// # Errors
/// The database.
pub async fn lock_secrets(
    tx: &mut SystemTx,
    key: &str,
    format: i16,
    skip: &[Uuid],
    limit: i64,
) -> Result<Vec<NamedSecret>, DatabaseError> {
    Ok(sqlx::query_as(
        "select id, scope, organization_id, owner_id, name, format, key_id, wrapped_key, ciphertext \
         from sealed_secrets where (key_id <> $1 or format <> $2) and id <> all($3) order by id limit $4 for update",
    )
    .bind(key)
    .bind(format)
    .bind(skip)
    .bind(limit)
    .fetch_all(&mut *tx)
    .await?)
}

/// Puts a newly sealed secret in the place of the former.
///
/// # Errors
/// The database.
pub async fn set_secret(tx: &mut SystemTx, id: Uuid, secret: &SealedSecret) -> Result<(), DatabaseError> {
    sqlx::query("update sealed_secrets set format = $2, key_id = $3, wrapped_key = $4, ciphertext = $5 where id = $1")
        .bind(id)
        .bind(secret.format)
        .bind(&secret.key_id)
        .bind(&secret.wrapped_key)
        .bind(&secret.ciphertext)
        .execute(&mut *tx)
        .await?;
    Ok(())
}

/// A person's key.
#[derive(Debug, sqlx::FromRow)]
pub struct PersonalKey {
    /// Whose.
    pub user_id: Uuid,
    /// Which master key wraps it.
    pub key_id: String,
    /// The wrapped key.
    pub wrapped_key: Vec<u8>,
    /// The encrypted key.
    pub ciphertext: Vec<u8>,
}

/// People's keys that another key seals than `key`; without those in `skip`.
///
/// # Errors
/// The database.
pub async fn lock_personal_keys(
    tx: &mut SystemTx,
    key: &str,
    skip: &[Uuid],
    limit: i64,
) -> Result<Vec<PersonalKey>, DatabaseError> {
    Ok(sqlx::query_as(
        "select user_id, key_id, wrapped_key, ciphertext from personal_keys \
         where key_id <> $1 and user_id <> all($2) order by user_id limit $3 for update",
    )
    .bind(key)
    .bind(skip)
    .bind(limit)
    .fetch_all(&mut *tx)
    .await?)
}

/// Puts a newly sealed key in the place of the former.
///
/// # Errors
/// The database.
pub async fn set_personal_key(tx: &mut SystemTx, key: &PersonalKey) -> Result<(), DatabaseError> {
    sqlx::query("update personal_keys set key_id = $2, wrapped_key = $3, ciphertext = $4 where user_id = $1")
        .bind(key.user_id)
        .bind(&key.key_id)
        .bind(&key.wrapped_key)
        .bind(&key.ciphertext)
        .execute(&mut *tx)
        .await?;
    Ok(())
}

/// Columns of sealed texts, each with what finds a row of it again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TextColumn {
    /// By the user's id.
    UserFactors,
    /// By the user's id.
    UserFactorReplacements,
    /// By the operator's id.
    OperatorFactors,
    /// By the key's id.
    SigningKeys,
    /// By the job's id.
    WaitingMails,
    /// By a JSON array of principal and key.
    Answers,
}

/// Texts of a column that do not begin with `prefix`, each after what finds its row again; without those in `skip`.
///
/// # Errors
/// The database.
pub async fn lock_texts(
    tx: &mut SystemTx,
    column: TextColumn,
    prefix: &str,
    skip: &[String],
    limit: i64,
) -> Result<Vec<(String, String)>, DatabaseError> {
    let query = match column {
        TextColumn::UserFactors => sqlx::query_as(
            "select user_id::text, sealed_secret from totp_factors \
             where not starts_with(sealed_secret, $1) and user_id::text <> all($2) \
             order by user_id limit $3 for update",
        ),
        TextColumn::UserFactorReplacements => sqlx::query_as(
            "select user_id::text, replacement from totp_factors \
             where not starts_with(replacement, $1) and user_id::text <> all($2) order by user_id limit $3 for update",
        ),
        TextColumn::OperatorFactors => sqlx::query_as(
            "select operator_id::text, sealed_secret from operator_totp_factors \
             where not starts_with(sealed_secret, $1) and operator_id::text <> all($2) \
             order by operator_id limit $3 for update",
        ),
        TextColumn::SigningKeys => sqlx::query_as(
            "select kid, sealed_private from signing_keys \
             where not starts_with(sealed_private, $1) and kid <> all($2) order by kid limit $3 for update",
        ),
        // One that was sent is never opened again.
        TextColumn::WaitingMails => sqlx::query_as(
            "select id::text, payload ->> 'sealed' from jobs \
             where kind = 'mail.send' and state <> 'done' and not starts_with(payload ->> 'sealed', $1) \
                 and id::text <> all($2) \
             order by id limit $3 for update",
        ),
        TextColumn::Answers => sqlx::query_as(
            "select jsonb_build_array(principal, key)::text, convert_from(sealed_response, 'UTF8') \
             from idempotency_keys \
             where not starts_with(convert_from(sealed_response, 'UTF8'), $1) \
                 and jsonb_build_array(principal, key)::text <> all($2) \
             order by principal, key limit $3 for update",
        ),
    };
    Ok(query.bind(prefix).bind(skip).bind(limit).fetch_all(&mut *tx).await?)
}

/// Puts a newly sealed text in the place of the former.
///
/// # Errors
/// The database.
pub async fn set_text(tx: &mut SystemTx, column: TextColumn, row: &str, sealed: &str) -> Result<(), DatabaseError> {
    let query = match column {
        TextColumn::UserFactors => {
            sqlx::query("update totp_factors set sealed_secret = $2 where user_id = ($1::text)::uuid")
        }
        TextColumn::UserFactorReplacements => {
            sqlx::query("update totp_factors set replacement = $2 where user_id = ($1::text)::uuid")
        }
        TextColumn::OperatorFactors => {
            sqlx::query("update operator_totp_factors set sealed_secret = $2 where operator_id = ($1::text)::uuid")
        }
        TextColumn::SigningKeys => sqlx::query("update signing_keys set sealed_private = $2 where kid = $1"),
        TextColumn::WaitingMails => sqlx::query(
            "update jobs set payload = jsonb_set(payload, '{sealed}', to_jsonb($2::text)) \
             where id = ($1::text)::uuid",
        ),
        TextColumn::Answers => sqlx::query(
            "update idempotency_keys set sealed_response = convert_to($2, 'UTF8') \
             where principal = ($1::text)::jsonb ->> 0 and key = ($1::text)::jsonb ->> 1",
        ),
    };
    query.bind(row).bind(sealed).execute(&mut *tx).await?;
    Ok(())
}
