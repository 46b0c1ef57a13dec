//! Which name a tenant may have.

use serde::Serialize;
use tenantry_domain::{
    ids::OrganizationId,
    provisioning::{HostLabel, NameError, identifiers},
};
use tenantry_postgres::{DatabaseError, SystemTx, provisioning::domains};

use crate::{App, error::Fault};

/// How many numbered names are looked up before the search is given up.
const SUGGESTIONS: u32 = 20;

/// Why a name cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CheckNameError {
    /// It is no name, or a reserved one.
    #[error(transparent)]
    Name(#[from] NameError),
    /// Somebody has it.
    #[error("{host} is taken; choose another name")]
    Taken {
        /// The host that the name stands for.
        host: String,
    },
}

impl CheckNameError {
    /// Stable, for programs.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Name(error) => error.code(),
            Self::Taken { .. } => "name_taken",
        }
    }
}

/// What is said about a name that somebody considers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Availability {
    /// The name, as it would be used.
    pub name: String,
    /// Whether it can be had now.
    pub available: bool,
    /// Why not, for programs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<&'static str>,
    /// Why not, for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// One that can be had.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub suggestion: Option<String>,
    /// The host that it stands for.
    pub host: String,
}

/// Whether a name can be had, and if not, one that can.
///
/// # Errors
/// When the ledger does not answer.
pub async fn check_name(app: &App, name: &str, organization_name: &str) -> Result<Availability, Fault> {
    let mut tx = app.database.read_system("see whether a host is taken").await?;
    let refused = match HostLabel::parse(name) {
        Ok(label) if !is_taken(&mut tx, app, &label).await? => {
            let host = identifiers::host(&label, &app.settings.tenant_domain);
            return Ok(Availability {
                name: label.to_string(),
                available: true,
                reason: None,
                detail: None,
                suggestion: None,
                host,
            });
        }
        Ok(label) => CheckNameError::Taken {
            host: identifiers::host(&label, &app.settings.tenant_domain),
        },
        Err(error) => CheckNameError::Name(error),
    };
    let near = match HostLabel::parse(name) {
        Ok(label) => label,
        Err(_) => HostLabel::suggest(
            if name.trim().is_empty() {
                organization_name
            } else {
                name
            },
            "tenant",
        ),
    };
    let suggestion = free_name(&mut tx, app, near).await?;
    let shown: String = name.chars().take(100).collect();
    Ok(Availability {
        host: identifiers::host_of_text(&shown, &app.settings.tenant_domain),
        name: shown,
        available: false,
        reason: Some(refused.code()),
        detail: Some(refused.to_string()),
        suggestion: suggestion.map(|label| label.to_string()),
    })
}

/// A free name for an organization that has not chosen one.
///
/// # Errors
/// When the ledger does not answer.
pub async fn suggest_name(
    app: &App,
    organization: OrganizationId,
    organization_name: &str,
) -> Result<Option<HostLabel>, Fault> {
    let id = organization.to_string();
    // The end of an id is its random part.
    let fallback = id.get(id.len().saturating_sub(8)..).unwrap_or("tenant");
    let mut tx = app.database.read_system("see whether a host is taken").await?;
    free_name(&mut tx, app, HostLabel::suggest(organization_name, fallback)).await
}

async fn free_name(tx: &mut SystemTx, app: &App, wanted: HostLabel) -> Result<Option<HostLabel>, Fault> {
    if !is_taken(tx, app, &wanted).await? {
        return Ok(Some(wanted));
    }
    for number in 2..=SUGGESTIONS {
        let candidate = wanted.numbered(number);
        if !is_taken(tx, app, &candidate).await? {
            return Ok(Some(candidate));
        }
    }
    Ok(None)
}

async fn is_taken(tx: &mut SystemTx, app: &App, label: &HostLabel) -> Result<bool, DatabaseError> {
    domains::is_taken(
        tx,
        &identifiers::host(label, &app.settings.tenant_domain),
        app.clock.now(),
    )
    .await
}
