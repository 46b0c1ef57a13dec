//! Codes that browsers carry to products, and what they grant.

use chrono::{DateTime, Utc};
use tenantry_domain::ids::{OrganizationId, SessionId, TenantId, UserId};
use uuid::Uuid;

use crate::{DatabaseError, SystemTx};

/// How a session was begun.
#[derive(Debug, Clone, Copy, sqlx::FromRow)]
pub struct AuthenticationRow {
    /// When its person last proved who they are.
    pub proved_at: DateTime<Utc>,
    /// Whether an operator looks through the person's eyes.
    pub is_impersonated: bool,
}

/// A code to hand out.
#[derive(Debug, Clone)]
pub struct NewCode<'a> {
    /// SHA-256 of the code.
    pub hash: &'a [u8; 32],
    /// For which client.
    pub client_id: &'a str,
    /// Who signs in.
    pub user: UserId,
    /// With which session.
    pub session: SessionId,
    /// On behalf of which organization, where that is known already.
    pub organization: Option<OrganizationId>,
    /// At which tenant of a dedicated product.
    pub tenant: Option<TenantId>,
    /// Where the browser goes.
    pub redirect_uri: &'a str,
    /// What the client will prove to know; none where it shows its secret and a nonce takes the place of this proof.
    pub code_challenge: Option<&'a str>,
    /// What the client will learn.
    pub scope: &'a str,
    /// To be repeated in the ID token.
    pub nonce: Option<&'a str>,
    /// Now.
    pub created_at: DateTime<Utc>,
    /// Its end.
    pub expires_at: DateTime<Utc>,
}

/// A code, whose it is, and what their session says.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct GrantRow {
    /// Who signed in.
    pub user_id: Uuid,
    /// With which session.
    pub session_id: Uuid,
    /// On behalf of which organization.
    pub organization_id: Option<Uuid>,
    /// At which tenant.
    pub tenant_id: Option<Uuid>,
    /// Where the browser went.
    pub redirect_uri: String,
    /// What the client has to prove to know, if anything.
    pub code_challenge: Option<String>,
    /// What the client learns.
    pub scope: String,
    /// To be repeated in the ID token.
    pub nonce: Option<String>,
    /// The organizations on whose behalf it was exchanged so far.
    pub exchanged_for: Vec<Uuid>,
    /// The code's end.
    pub code_expires_at: DateTime<Utc>,
    /// When the person last proved who they are.
    pub proved_at: DateTime<Utc>,
    /// Whether with a second factor.
    pub by_second_factor: bool,
    /// Whether the organization on whose behalf it is demands one, by now, that the person has not, or has not shown.
    pub lacks_second_factor: bool,
    /// The person's address, which is proven.
    pub email: String,
    /// The person's name.
    pub name: String,
    /// Their language.
    pub locale: String,
    /// Their time zone.
    pub time_zone: String,
}

/// Which sessions count as live.
#[derive(Debug, Clone, Copy)]
pub struct Liveness {
    /// Now.
    pub now: DateTime<Utc>,
    /// A session that was not used since then has ended.
    pub idle_since: DateTime<Utc>,
}

/// How a session was begun.
///
/// # Errors
/// The database's.
pub async fn authentication(tx: &mut SystemTx, session: SessionId) -> Result<AuthenticationRow, DatabaseError> {
    Ok(
        sqlx::query_as("select proved_at, impersonator_id is not null as is_impersonated from sessions where id = $1")
            .bind(session.uuid())
            .fetch_one(tx)
            .await?,
    )
}

/// Keeps a code.
///
/// # Errors
/// The database's.
pub async fn insert(tx: &mut SystemTx, code: &NewCode<'_>) -> Result<(), DatabaseError> {
    sqlx::query(
        "insert into oidc_codes (hash, client_id, user_id, session_id, organization_id, tenant_id, redirect_uri,
             code_challenge, scope, nonce, created_at, expires_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)",
    )
    .bind(code.hash.as_slice())
    .bind(code.client_id)
    .bind(code.user.uuid())
    .bind(code.session.uuid())
    .bind(code.organization.map(OrganizationId::uuid))
    .bind(code.tenant.map(TenantId::uuid))
    .bind(code.redirect_uri)
    .bind(code.code_challenge)
    .bind(code.scope)
    .bind(code.nonce)
    .bind(code.created_at)
    .bind(code.expires_at)
    .execute(tx)
    .await?;
    Ok(())
}

/// Spends a client's code: of several that show it, one does.
///
/// # Errors
/// The database's.
pub async fn spend(tx: &mut SystemTx, hash: &[u8], client_id: &str, now: DateTime<Utc>) -> Result<bool, DatabaseError> {
    let spent =
        sqlx::query("update oidc_codes set used_at = $3 where hash = $1 and client_id = $2 and used_at is null")
            .bind(hash)
            .bind(client_id)
            .bind(now)
            .execute(tx)
            .await?;
    Ok(spent.rows_affected() == 1)
}

/// Takes back what a code gave; whose it was, if there was anything to take back.
///
/// # Errors
/// The database's.
pub async fn revoke(
    tx: &mut SystemTx,
    hash: &[u8],
    client_id: &str,
    now: DateTime<Utc>,
) -> Result<Option<(UserId, SessionId)>, DatabaseError> {
    let row: Option<(Uuid, Uuid)> = sqlx::query_as(
        "update oidc_codes set revoked_at = $3 where hash = $1 and client_id = $2 and used_at is not null
             and revoked_at is null
         returning user_id, session_id",
    )
    .bind(hash)
    .bind(client_id)
    .bind(now)
    .fetch_optional(tx)
    .await?;
    Ok(row.map(|(user, session)| (UserId::from_uuid(user), SessionId::from_uuid(session))))
}

/// What a code that was spent grants its client, for as long as its session lives and nobody took it back.
///
/// # Errors
/// The database's.
pub async fn find_grant(
    tx: &mut SystemTx,
    hash: &[u8],
    client_id: &str,
    liveness: Liveness,
) -> Result<Option<GrantRow>, DatabaseError> {
    Ok(sqlx::query_as(
        "select c.user_id, c.session_id, c.organization_id, c.tenant_id, c.redirect_uri, c.code_challenge, c.scope, c.nonce,
             c.exchanged_for, c.expires_at as code_expires_at, s.proved_at, s.mfa_at is not null as by_second_factor,
             exists (select from organizations o where o.id = c.organization_id and o.second_factor_required_from <= $3)
                 and (s.mfa_at is null or not exists (
                     select from totp_factors f where f.user_id = c.user_id and f.confirmed_at is not null))
                 as lacks_second_factor,
             u.email_normalized as email, u.name, u.locale, u.time_zone
         from oidc_codes c join sessions s on s.id = c.session_id join users u on u.id = c.user_id
         where c.hash = $1 and c.client_id = $2 and c.used_at is not null and c.revoked_at is null
             and s.ended_at is null and s.expires_at > $3 and s.last_used_at > $4 and s.impersonator_id is null
             and u.deleted_at is null",
    )
    .bind(hash)
    .bind(client_id)
    .bind(liveness.now)
    .bind(liveness.idle_since)
    .fetch_optional(tx)
    .await?)
}

/// Remembers on whose behalf what a code gave is exchanged; `false` when it was before.
///
/// # Errors
/// The database's.
pub async fn note_exchange(
    tx: &mut SystemTx,
    hash: &[u8],
    organization: OrganizationId,
) -> Result<bool, DatabaseError> {
    let noted = sqlx::query(
        "update oidc_codes set exchanged_for = exchanged_for || $2::uuid
         where hash = $1 and not ($2::uuid = any (exchanged_for))",
    )
    .bind(hash)
    .bind(organization.uuid())
    .execute(tx)
    .await?;
    Ok(noted.rows_affected() == 1)
}

/// What an organization may use of a product, and what the person is in it.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct UseRow {
    /// The organization.
    pub organization_id: Uuid,
    /// Its present slug.
    pub slug: String,
    /// Its name.
    pub organization_name: String,
    /// The person's role in it.
    pub role: String,
    /// The plan's key.
    pub plan: String,
    /// Which version of the plan.
    pub plan_version: i32,
    /// How much is open: `full`, `grace`, `read_only` or `suspended`.
    pub access: String,
    /// Grows with every change of what is allowed.
    pub entitlement_version: i64,
    /// Whether the organization demands a second factor that the person does not have, or has not shown.
    pub lacks_second_factor: bool,
}

/// Every organization of a person that has a contract for a product, with the best contract of each: the tenant's own
/// where one is named, else the one that opens most. `organization` is an id or a slug, also a former one.
///
/// # Errors
/// The database's.
pub async fn list_uses(
    tx: &mut SystemTx,
    user: UserId,
    product: &str,
    organization: Option<&str>,
    tenant: Option<TenantId>,
    by_second_factor: bool,
    now: DateTime<Utc>,
) -> Result<Vec<UseRow>, DatabaseError> {
    let id = organization
        .and_then(|text| text.parse().ok())
        .map(OrganizationId::uuid);
    Ok(sqlx::query_as(
        "select distinct on (o.id) o.id as organization_id, current.slug, o.name as organization_name, m.role, v.plan,
             v.version as plan_version, e.access,
             (extract(epoch from e.updated_at) * 1000000)::bigint as entitlement_version,
             coalesce(o.second_factor_required_from <= $6, false) and not ($7 and exists (
                 select from totp_factors f where f.user_id = m.user_id and f.confirmed_at is not null))
                 as lacks_second_factor
         from memberships m
         join organizations o on o.id = m.organization_id and o.state = 'active'
         join organization_slugs current on current.organization_id = o.id and current.is_current
         join subscriptions s on s.organization_id = o.id and s.product = $2 and s.ended_at is null
         join plan_versions v on v.id = s.plan_version_id
         join entitlements e on e.subscription_id = s.id and e.access <> 'none'
         left join tenants t on t.organization_id = o.id and t.id = $5
         where m.user_id = $1
             and ($3::text is null or o.id = $4
                  or exists (select from organization_slugs n where n.organization_id = o.id and n.slug = $3))
             and ($5::uuid is null or t.subscription_id = s.id)
         order by o.id, array_position(array['full', 'grace', 'read_only', 'suspended'], e.access), s.created_at desc",
    )
    .bind(user.uuid())
    .bind(product)
    .bind(organization)
    .bind(id)
    .bind(tenant.map(TenantId::uuid))
    .bind(now)
    .bind(by_second_factor)
    .fetch_all(tx)
    .await?)
}
