//! Attempts to buy: begun, looked at, called off, run out.
//!
//! Each purchase has one open attempt. Whether it succeeded is never decided here, only by settling what the payment
//! provider says.

pub mod begin;
pub mod cancel;
pub mod expire;
mod page;

use sqlx::types::Json;
use tenantry_domain::{
    billing::{
        checkout::{CheckoutFailure, CheckoutState},
        settle::CONTRACT_ENDED,
    },
    ids::{CheckoutId, OrganizationId},
};
use tenantry_postgres::{
    DatabaseError,
    billing::{
        catalog::{self, PriceLabel},
        checkouts::{self, CheckoutDetails},
    },
};

use crate::App;

/// A checkout as its buyer sees it.
#[derive(Debug, Clone)]
pub struct CheckoutView {
    /// The organization's own row.
    pub details: CheckoutDetails,
    /// What is to be paid for it.
    pub price: PriceLabel,
}

/// A checkout of an organization, as its buyer sees it.
///
/// # Errors
/// `NotFound` when the organization has no such checkout; the database.
pub async fn get(app: &App, organization: OrganizationId, checkout: CheckoutId) -> Result<CheckoutView, DatabaseError> {
    let mut tx = app.database.read_organization(organization).await?;
    let mut details = checkouts::find_details(&mut tx, checkout)
        .await?
        .ok_or(DatabaseError::NotFound)?;
    tx.commit().await?;
    if details.is_given_up {
        // What was paid stays paid in the ledger; who waits for a tenant waits in vain.
        details.state = CheckoutState::Failed.as_str().to_owned();
        details.failure = Some(Json(CheckoutFailure {
            code: CONTRACT_ENDED.to_owned(),
            detail: "The subscription ended before its tenant was set up.".to_owned(),
        }));
    }
    let mut tx = app
        .database
        .read_system("read what a price in the catalog says")
        .await?;
    let price = catalog::price_labels(&mut tx, &[details.price_id])
        .await?
        .pop()
        .ok_or(DatabaseError::NotFound)?;
    tx.commit().await?;
    Ok(CheckoutView { details, price })
}
