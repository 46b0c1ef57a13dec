//! People as operators find them: all of them, by page and by search.

use chrono::{DateTime, Utc};
use sqlx::FromRow;
use tenantry_domain::ids::{OrganizationId, UserId};
use uuid::Uuid;

use crate::{DatabaseError, SystemTx};

/// A person in the list.
#[derive(Debug, Clone, FromRow)]
pub struct UserRow {
    /// Who.
    pub id: Uuid,
    /// Their address.
    pub email_normalized: String,
    /// Their name.
    pub name: String,
    /// When their account became live.
    pub created_at: DateTime<Utc>,
    /// When they were last seen, as far as their sessions are kept.
    pub last_used_at: Option<DateTime<Utc>>,
    /// Whether signing in takes a second factor.
    pub second_factor: bool,
    /// Organizations that they belong to.
    pub organizations: i64,
}

/// One person.
#[derive(Debug, Clone, FromRow)]
pub struct UserDetailRow {
    /// What the list shows.
    #[sqlx(flatten)]
    pub summary: UserRow,
    /// The language of their pages and mails.
    pub locale: String,
    /// Their IANA time zone.
    pub time_zone: String,
    /// When they proved their address.
    pub verified_at: DateTime<Utc>,
}

/// What a person is in an organization.
#[derive(Debug, Clone, FromRow)]
pub struct UserOrganizationRow {
    /// The organization.
    pub id: Uuid,
    /// Its current slug.
    pub slug: String,
    /// Its name.
    pub name: String,
    /// `owner`, `admin` or `member`.
    pub role: String,
    /// Since when.
    pub created_at: DateTime<Utc>,
}

/// People, newest first. `search` holds words of which each must begin a word of the name or address.
///
/// # Errors
/// The database's.
pub async fn list(
    tx: &mut SystemTx,
    search: Option<&str>,
    after: Option<(DateTime<Utc>, Uuid)>,
    limit: i64,
) -> Result<Vec<UserRow>, DatabaseError> {
    let (after_at, after_id) = after.unzip();
    // Two statements, so that each has the plan of its index: the one over all words, the other by time.
    let rows = match search {
        Some(search) => {
            sqlx::query_as(
                "select u.id, u.email_normalized, u.name, u.created_at,
                     (select max(s.last_used_at) from sessions s
                      where s.user_id = u.id and s.ended_at is null and s.impersonator_id is null) as last_used_at,
                     exists (select from totp_factors f where f.user_id = u.id and f.confirmed_at is not null)
                         as second_factor,
                     (select count(*) from memberships m where m.user_id = u.id) as organizations
                 from users u
                 where u.deleted_at is null and user_words(u.name, u.email_normalized) @@ to_tsquery('simple', $1)
                     and ($2::timestamptz is null or (u.created_at, u.id) < ($2, $3::uuid))
                 order by u.created_at desc, u.id desc limit $4",
            )
            .bind(prefixes(search))
            .bind(after_at)
            .bind(after_id)
            .bind(limit)
            .fetch_all(tx)
            .await?
        }
        None => {
            sqlx::query_as(
                "select u.id, u.email_normalized, u.name, u.created_at,
                     (select max(s.last_used_at) from sessions s
                      where s.user_id = u.id and s.ended_at is null and s.impersonator_id is null) as last_used_at,
                     exists (select from totp_factors f where f.user_id = u.id and f.confirmed_at is not null)
                         as second_factor,
                     (select count(*) from memberships m where m.user_id = u.id) as organizations
                 from users u
                 where u.deleted_at is null and ($1::timestamptz is null or (u.created_at, u.id) < ($1, $2::uuid))
                 order by u.created_at desc, u.id desc limit $3",
            )
            .bind(after_at)
            .bind(after_id)
            .bind(limit)
            .fetch_all(tx)
            .await?
        }
    };
    Ok(rows)
}

/// A query of the form `'ada':* & 'love':*`. Punctuation separates words as it does in the index, so that none of it
/// reaches the query's own grammar.
fn prefixes(search: &str) -> String {
    search
        .split(|letter: char| letter.is_whitespace() || letter.is_control() || letter.is_ascii_punctuation())
        .filter(|word| !word.is_empty())
        .map(|word| format!("'{word}':*"))
        .collect::<Vec<_>>()
        .join(" & ")
}

/// One person, unless their account is deleted.
///
/// # Errors
/// The database's.
pub async fn find(tx: &mut SystemTx, user: UserId) -> Result<Option<UserDetailRow>, DatabaseError> {
    let row = sqlx::query_as(
        "select u.id, u.email_normalized, u.name, u.created_at, u.locale, u.time_zone, u.verified_at,
             (select max(s.last_used_at) from sessions s
              where s.user_id = u.id and s.ended_at is null and s.impersonator_id is null) as last_used_at,
             exists (select from totp_factors f where f.user_id = u.id and f.confirmed_at is not null) as second_factor,
             (select count(*) from memberships m where m.user_id = u.id) as organizations
         from users u where u.id = $1 and u.deleted_at is null",
    )
    .bind(user.uuid())
    .fetch_optional(tx)
    .await?;
    Ok(row)
}

/// Whose account has this address.
///
/// # Errors
/// The database's.
pub async fn find_by_email(tx: &mut SystemTx, email: &str) -> Result<Option<UserId>, DatabaseError> {
    let id: Option<Uuid> =
        sqlx::query_scalar("select id from users where email_normalized = $1 and deleted_at is null")
            .bind(email)
            .fetch_optional(tx)
            .await?;
    Ok(id.map(UserId::from_uuid))
}

/// The first organizations of a person, by name.
///
/// # Errors
/// The database's.
pub async fn organizations(
    tx: &mut SystemTx,
    user: UserId,
    limit: i64,
) -> Result<Vec<UserOrganizationRow>, DatabaseError> {
    let rows = sqlx::query_as(
        "select o.id, coalesce(s.slug, '') as slug, o.name, m.role, m.created_at
         from memberships m
         join organizations o on o.id = m.organization_id
         left join organization_slugs s on s.organization_id = o.id and s.is_current
         where m.user_id = $1 and o.state <> 'erased'
         order by lower(o.name), o.id limit $2",
    )
    .bind(user.uuid())
    .bind(limit)
    .fetch_all(tx)
    .await?;
    Ok(rows)
}

/// Every organization that a person belongs to.
///
/// # Errors
/// The database's.
pub async fn all_organizations(tx: &mut SystemTx, user: UserId) -> Result<Vec<OrganizationId>, DatabaseError> {
    let ids: Vec<Uuid> = sqlx::query_scalar("select organization_id from memberships where user_id = $1")
        .bind(user.uuid())
        .fetch_all(tx)
        .await?;
    Ok(ids.into_iter().map(OrganizationId::from_uuid).collect())
}

#[cfg(test)]
mod tests {
    use super::prefixes;

    #[test]
    fn every_word_becomes_a_prefix_and_no_punctuation_remains() {
        assert_eq!(prefixes("Ada Love"), "'Ada':* & 'Love':*");
        assert_eq!(prefixes("ada+x@example.org"), "'ada':* & 'x':* & 'example':* & 'org':*");
        assert_eq!(prefixes("O'Brien'); drop | ! & <-> \\"), "'O':* & 'Brien':* & 'drop':*");
        assert_eq!(prefixes("José 林檎"), "'José':* & '林檎':*");
        assert_eq!(prefixes(" @@@ "), "");
    }
}
