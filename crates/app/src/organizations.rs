//! Organizations: made with their owner and slug, found by their members alone.

mod security;

use std::net::IpAddr;

use chrono::SubsecRound;
use rand::{TryRng, rngs::SysRng};
use tenantry_domain::{
    accounts::{Allowance, rate::ORGANIZATIONS_PER_PERSON},
    display_name::DisplayName,
    ids::{OrganizationId, UserId},
    organizations::{Role, slug},
};
use tenantry_postgres::{
    SystemTx,
    organizations::{self, MembershipPage, MembershipRow},
};

use crate::{
    App, accounts,
    audit::{self, Act},
    error::Fault,
};

pub use security::{FactorDemand, Security, SecurityError, factor_demands, security, set_security};

/// A membership, with what every page shows of its organization.
pub type Membership = MembershipRow;
/// Which part of a user's organizations to list.
pub type Page<'a> = MembershipPage<'a>;

/// Organizations that one person may own: enough for an agency, too few to fill a disk.
pub const MAX_OWNED: i64 = 50;
/// A slug is counted upwards a few times, then drawn; the draw practically never collides.
const SLUG_ATTEMPTS: u32 = 32;

/// How an organization is named in an address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OrganizationKey {
    /// By its id.
    Id(OrganizationId),
    /// By its present or a former slug.
    Slug(String),
}

/// Why no organization is made.
#[derive(Debug, thiserror::Error)]
pub enum CreateError {
    /// The person owns too many.
    #[error("one person owns at most {MAX_OWNED} organizations")]
    TooMany,
    /// The person made too many in a short time.
    #[error("too many organizations were made")]
    TooManyRequests(Allowance),
    /// The person was erased while the request was on its way.
    #[error("the person's account was deleted")]
    NoSuchUser,
    /// Not the caller's fault.
    #[error(transparent)]
    Fault(#[from] Fault),
}

/// Makes an organization that the user owns, and says how many more they may make; or finds it where an earlier attempt
/// made it, which counts once.
///
/// # Errors
/// When the user owns too many, made too many in a short time, or was erased.
pub async fn create(
    app: &App,
    id: OrganizationId,
    owner: UserId,
    name: &DisplayName,
    address: Option<IpAddr>,
) -> Result<(Membership, Option<Allowance>), CreateError> {
    if let Some(made) = find_membership(app, owner, &OrganizationKey::Id(id)).await? {
        return Ok((made, None));
    }
    // A new slug must differ from everybody's.
    let mut tx = app
        .database
        .system("create an organization")
        .await
        .map_err(Fault::from)?;
    let owned = organizations::count_owned(&mut tx, owner)
        .await
        .map_err(Fault::from)?
        .ok_or(CreateError::NoSuchUser)?;
    if owned >= MAX_OWNED {
        return Err(CreateError::TooMany);
    }
    let subject = accounts::counted_subject(app, &["organizations", "person", &owner.to_string()])?;
    let left = accounts::admit_request(app, &mut tx, &subject, ORGANIZATIONS_PER_PERSON)
        .await?
        .map_err(CreateError::TooManyRequests)?;
    let membership = create_owned(app, &mut tx, id, owner, name.as_str(), address).await?;
    tx.commit().await.map_err(Fault::from)?;
    Ok((membership, Some(left)))
}

/// The same inside a transaction that goes on.
pub(crate) async fn create_owned(
    app: &App,
    tx: &mut SystemTx,
    id: OrganizationId,
    owner: UserId,
    name: &str,
    address: Option<IpAddr>,
) -> Result<Membership, Fault> {
    let now = app.clock.now().trunc_subsecs(6);
    organizations::insert(tx, id, name, owner, now).await?;
    let base = slug::from_name(name);
    let mut attempt = 0;
    let slug = loop {
        let random = SysRng.try_next_u32().map_err(|_| Fault::NoRandomness)?;
        let candidate = slug::with_suffix(&base, attempt, random);
        if organizations::insert_slug(tx, id, &candidate, now).await? {
            break candidate;
        }
        attempt += 1;
        if attempt == SLUG_ATTEMPTS {
            return Err(Fault::NoFreeSlug);
        }
    };
    let act = Act::new("organization.created", owner)
        .organization(id)
        .user(owner)
        .address(address)
        .target(id);
    audit::record(app, &mut *tx, act).await?;
    Ok(Membership {
        organization: id,
        slug,
        name: name.to_owned(),
        name_key: name.to_lowercase(),
        role: Role::Owner,
        second_factor_required_from: None,
        created_at: now,
    })
}

/// The user's membership in the organization so named; `None` when there is no such organization or it is not theirs.
///
/// # Errors
/// The database's.
pub async fn find_membership(app: &App, user: UserId, key: &OrganizationKey) -> Result<Option<Membership>, Fault> {
    let mut tx = app.database.user(user).await?;
    let membership = match key {
        OrganizationKey::Id(id) => organizations::find_membership(&mut tx, user, *id).await?,
        OrganizationKey::Slug(slug) => organizations::find_membership_by_slug(&mut tx, user, slug).await?,
    };
    Ok(membership)
}

/// The user's organizations by name.
///
/// # Errors
/// The database's.
pub async fn list(app: &App, user: UserId, page: Page<'_>) -> Result<Vec<Membership>, Fault> {
    let mut tx = app.database.user(user).await?;
    Ok(organizations::list_memberships(&mut tx, user, page).await?)
}

/// The organization that an operator names, by id or by slug.
///
/// # Errors
/// When the ledger does not answer.
pub async fn find_for_operator(app: &App, text: &str) -> Result<Option<OrganizationId>, Fault> {
    let mut tx = app.database.read_system("find an organization for an operator").await?;
    let found = match text.parse() {
        Ok(id) => organizations::is_there(&mut tx, id).await?.then_some(id),
        Err(_) => organizations::find_by_slug(&mut tx, text).await?,
    };
    tx.commit().await?;
    Ok(found)
}
