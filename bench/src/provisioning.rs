//! P2: from the payment to the tenant's own answer, one and several at once.

use std::{
    sync::atomic::{AtomicU32, Ordering},
    time::Instant,
};

use futures::future::try_join_all;
use serde::Serialize;
use tenantry_demo::{
    customer::{Customer, Person},
    error::DemoError,
    parts::Parts,
    timeline::Timeline,
};

/// Names must differ between rounds.
static NEXT: AtomicU32 = AtomicU32::new(1);

/// One round of tenants paid for at the same time.
#[derive(Debug, Serialize)]
pub struct Round {
    /// How many at once.
    pub together: usize,
    /// From the first payment to the last tenant active.
    pub all_secs: f64,
    /// Each tenant, from its payment.
    pub each_secs: Vec<f64>,
    /// Namespaces made, for the script to copy from.
    #[serde(skip)]
    pub namespaces: Vec<String>,
}

/// A round of ours beside one of the script's.
#[derive(Debug, Serialize)]
pub struct Comparison {
    pub ours: Round,
    pub script: Round,
}

/// Signs customers up first; only what follows the payment is timed.
pub async fn measure(parts: &Parts, together: usize) -> Result<Round, String> {
    let text = |error: DemoError| error.to_string();
    let mut buyers = Vec::new();
    for _ in 0..together {
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let person = Person {
            email: format!("curator-{number}@museum.example"),
            organization: format!("Museum {number}"),
            tenant: format!("museum-{number}"),
        };
        let mut customer = Customer::new(parts, person).map_err(text)?;
        customer.signs_up(true).await.map_err(text)?;
        let checkout = customer.begins_checkout().await.map_err(text)?;
        buyers.push((customer, checkout));
    }
    let begun = Instant::now();
    let paid = buyers.iter().map(|(customer, checkout)| async {
        let begun = Instant::now();
        let patience = customer.pays(checkout).await?;
        let operation = customer.until_paid(checkout, patience).await?;
        Timeline::default().follow(customer.watches(&operation).await?).await?;
        let elapsed = begun.elapsed().as_secs_f64();
        let tenant = customer.tenant(checkout).await?;
        customer.opens(&tenant).await?;
        Ok((elapsed, tenant.namespace))
    });
    let tenants = try_join_all(paid).await.map_err(text)?;
    let all_secs = begun.elapsed().as_secs_f64();
    let (each_secs, namespaces) = tenants.into_iter().unzip();
    Ok(Round {
        together,
        all_secs,
        each_secs,
        namespaces,
    })
}
