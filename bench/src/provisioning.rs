//! P2: from the payment to the tenant's own answer, one and several at once, beside a script.

use std::{
    collections::BTreeMap,
    sync::atomic::{AtomicU32, Ordering},
    time::Instant,
};

use futures::future::try_join_all;
use serde::Serialize;
use tenantry_demo::{
    customer::{Customer, Person, Tenant},
    error::DemoError,
    options::Options,
    parts::{Parts, control_plane::tenantry, output},
    timeline::Timeline,
};

use crate::{
    processor::until_quiet,
    script::Script,
    usage::{Seconds, Snapshot},
};

/// What is measured before the first step: from the payment until Tenantry has told its customer of it.
const PAYMENT: &str = "payment known";

/// Names must differ between rounds.
static NEXT: AtomicU32 = AtomicU32::new(1);

/// Tenants made at the same time.
#[derive(Debug, Default, Serialize)]
pub struct Round {
    /// From the first payment to the last tenant active.
    pub all_secs: f64,
    /// Each tenant, from its payment.
    pub each_secs: Vec<f64>,
    /// How long each step took, one figure a tenant, waiting included.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub steps_ms: Vec<(String, Vec<u64>)>,
    /// Processor time of every program meanwhile.
    pub processor_secs: Seconds,
    /// Share of the processors that was in use when it began.
    pub busy_before: f64,
}

/// Rounds of ours beside rounds of the script, in turn on the same machine.
#[derive(Debug, Serialize)]
pub struct Comparison {
    /// Tenants at once.
    pub together: usize,
    pub ours: Vec<Round>,
    pub script: Vec<Round>,
}

/// `pairs` rounds of each, who goes first in turn. What a round made is gone before the next begins.
pub async fn compare(options: &Options, parts: &Parts, together: usize, pairs: usize) -> Result<Comparison, String> {
    let mut comparison = Comparison {
        together,
        ours: Vec::new(),
        script: Vec::new(),
    };
    let mut script: Option<Script> = None;
    for pair in 0..pairs {
        // The script copies a tenant of ours, so that one is made before.
        if let Some(script) = script.as_ref().filter(|_| pair % 2 == 1) {
            comparison.script.push(script.measure(together).await?);
        }
        let (round, tenants) = measure(parts, together).await?;
        comparison.ours.push(round);
        let script = match &mut script {
            Some(script) => script,
            none => none.insert(Script::copying(parts, &tenants[0].namespace).await?),
        };
        remove(options, parts, &tenants).await?;
        if pair % 2 == 0 {
            comparison.script.push(script.measure(together).await?);
        }
    }
    Ok(comparison)
}

/// Signs customers up first; only what follows the payment is timed.
async fn measure(parts: &Parts, together: usize) -> Result<(Round, Vec<Tenant>), String> {
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
    let busy_before = until_quiet().await;

    let (used, begun) = (Snapshot::take(), Instant::now());
    let paid = buyers.iter().map(|(customer, checkout)| async {
        let paying = Instant::now();
        let patience = customer.pays(checkout).await?;
        let operation = customer.until_paid(checkout, patience).await?;
        let known = u64::try_from(paying.elapsed().as_millis()).unwrap_or(u64::MAX);
        let mut timeline = Timeline::default();
        timeline.follow(customer.watches(&operation).await?).await?;
        let mut steps = vec![(PAYMENT.to_owned(), known)];
        steps.extend(timeline.into_durations());
        Ok((paying.elapsed().as_secs_f64(), begun.elapsed().as_secs_f64(), steps))
    });
    let made = try_join_all(paid).await.map_err(text)?;
    let processor_secs = Snapshot::take().since(&used);

    let mut tenants = Vec::new();
    for (customer, checkout) in &buyers {
        let tenant = customer.tenant(checkout).await.map_err(text)?;
        customer.opens(&tenant).await.map_err(text)?;
        tenants.push(tenant);
    }
    let round = Round {
        all_secs: made.iter().map(|(_, ended, _)| *ended).fold(0.0, f64::max),
        each_secs: made.iter().map(|(elapsed, ..)| *elapsed).collect(),
        steps_ms: by_step(made.into_iter().map(|(.., steps)| steps)),
        processor_secs,
        busy_before,
    };
    Ok((round, tenants))
}

/// In the order in which the first tenant had them.
fn by_step(tenants: impl Iterator<Item = Vec<(String, u64)>>) -> Vec<(String, Vec<u64>)> {
    let mut order = Vec::new();
    let mut figures: BTreeMap<String, Vec<u64>> = BTreeMap::new();
    for (step, milliseconds) in tenants.flatten() {
        figures
            .entry(step.clone())
            .or_insert_with(|| {
                order.push(step);
                Vec::new()
            })
            .push(milliseconds);
    }
    order
        .into_iter()
        .filter_map(|step| figures.remove_entry(&step))
        .collect()
}

async fn remove(options: &Options, parts: &Parts, tenants: &[Tenant]) -> Result<(), String> {
    let removals = tenants.iter().map(|tenant| async {
        let mut command = tenantry(options, &parts.environment);
        command.args(["tenant", "deprovision", &tenant.host, "--yes", "--wait"]);
        output("removing a tenant", &mut command).await
    });
    try_join_all(removals).await.map_err(|error| error.to_string())?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_gathered_by_step() {
        let tenant = |quota: u64| vec![("namespace".to_owned(), 5), ("quota".to_owned(), quota)];
        assert_eq!(
            by_step([tenant(7), tenant(9)].into_iter()),
            [("namespace".to_owned(), vec![5, 5]), ("quota".to_owned(), vec![7, 9])]
        );
    }
}
