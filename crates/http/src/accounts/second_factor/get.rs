//! What there is.

use axum::{Json, extract::State};
use chrono::{DateTime, Utc};
use serde::Serialize;
use tenantry_app::{accounts, organizations};
use utoipa::ToSchema;

use crate::{AppState, Problem, SignedIn};

/// A second factor.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = SecondFactor)]
pub struct SecondFactorView {
    /// Whether codes are asked for.
    pub enabled: bool,
    /// Since when.
    #[schema(required)]
    pub confirmed_at: Option<DateTime<Utc>>,
    /// Recovery codes that were not used.
    pub recovery_codes_left: i64,
    /// Organizations that require it of their members, the earliest first.
    pub required_by: Vec<FactorDemand>,
}

/// An organization that requires a second factor.
#[derive(Debug, Serialize, ToSchema)]
pub struct FactorDemand {
    /// The organization.
    #[schema(example = "org_01jd3r8v6yf3qb5c1zk3s9x0aa")]
    pub organization: String,
    /// Its name.
    #[schema(example = "Museum of Examples")]
    pub name: String,
    /// From when on it lets nobody in without one.
    pub from: DateTime<Utc>,
}

impl From<organizations::FactorDemand> for FactorDemand {
    fn from(demand: organizations::FactorDemand) -> Self {
        Self {
            organization: demand.organization.to_string(),
            name: demand.name,
            from: demand.from,
        }
    }
}

/// The caller's second factor.
#[utoipa::path(
    get, path = "/me/second-factor", tag = "accounts", security(("session" = [])),
    responses((status = 200, description = "What there is", body = SecondFactorView))
)]
pub(in crate::accounts) async fn get_second_factor(
    State(state): State<AppState>,
    signed_in: SignedIn,
) -> Result<Json<SecondFactorView>, Problem> {
    let status = accounts::second_factor_status(&state.app, &signed_in.session).await?;
    Ok(Json(SecondFactorView {
        enabled: status.confirmed_at.is_some(),
        confirmed_at: status.confirmed_at,
        recovery_codes_left: status.recovery_codes_left,
        required_by: status.required_by.into_iter().map(FactorDemand::from).collect(),
    }))
}
