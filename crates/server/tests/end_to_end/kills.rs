//! `kill -9` at three moments of every step: after *started* is written, after the effect and before *done* is written,
//! and after *done*. Somebody else takes over, the operation ends as it should, and everything agrees.
//!
//! `TENANTRY_TEST_RANDOM_KILLS=500` kills at that many random points instead, `TENANTRY_TEST_SEED` repeats such a run,
//! and `TENANTRY_TEST_LANES` says how many installations work side by side.

mod plan;

use std::{cell::RefCell, collections::VecDeque, env};

use futures::future::join_all;

use self::plan::{Case, Phase, every_step, random};
use crate::harness::{Customer, Installation, audit, unique};

const LANES: usize = 4;

#[tokio::test]
async fn every_step_survives_kill_9() {
    let steps = steps().await;
    let cases = match number("TENANTRY_TEST_RANDOM_KILLS") {
        Some(count) => random(&steps, count, number("TENANTRY_TEST_SEED")),
        None => every_step(&steps),
    };
    let (count, begun) = (cases.len(), std::time::Instant::now());
    let queue = RefCell::new(VecDeque::from(cases));
    let lanes = number("TENANTRY_TEST_LANES").unwrap_or(LANES);
    let kills: usize = join_all((0..lanes).map(|_| lane(&queue))).await.into_iter().sum();
    eprintln!(
        "{kills} kills in {count} lives of tenants, {:.0} s",
        begun.elapsed().as_secs_f64()
    );
}

fn number(variable: &str) -> Option<usize> {
    env::var(variable).ok().map(|text| text.parse().expect("a number"))
}

/// The steps of both operations, as the program itself names them.
async fn steps() -> plan::Steps {
    let installation = Installation::prepare().await;
    let organization = an_organization(&installation).await;
    let (tenant, provision) = installation.provision(&organization, "collection", "first").await;
    let server = installation.serve().await;
    assert_eq!(installation.ledger.until_operation_ends(&provision).await, "done");
    let made = step_names(&installation, &tenant).await;
    let deprovision = installation.deprovision(&tenant).await;
    assert_eq!(installation.ledger.until_operation_ends(&deprovision).await, "done");
    let removed = step_names(&installation, &tenant).await;
    audit(&installation).await;
    server.stop().await;
    plan::Steps {
        provision: made,
        deprovision: removed,
    }
}

async fn step_names(installation: &Installation, tenant: &str) -> Vec<String> {
    let shown = installation
        .must(&["tenant", "show", tenant, "--output", "json"])
        .await
        .json();
    let steps = shown["operation"]["steps"].as_array().expect("steps");
    steps
        .iter()
        .map(|step| step["name"].as_str().expect("a name").to_owned())
        .collect()
}

/// Signs a customer up, with a server that is not there any more afterwards.
async fn an_organization(installation: &Installation) -> String {
    let server = installation.serve().await;
    let customer = Customer::sign_up(installation, "Museum of Accidents").await;
    server.stop().await;
    customer.organization
}

/// Works through cases on an installation of its own; returns how often it killed.
async fn lane(queue: &RefCell<VecDeque<Case>>) -> usize {
    let mut kills = 0;
    let mut place = None;
    loop {
        let case = queue.borrow_mut().pop_front();
        let Some(case) = case else { return kills };
        if place.is_none() {
            let installation = Installation::prepare().await;
            let organization = an_organization(&installation).await;
            place = Some((installation, organization));
        }
        if let Some((installation, organization)) = &place {
            eprintln!("{case}");
            kills += live(installation, organization, &case).await;
        }
    }
}

/// One tenant's life with its accidents.
async fn live(installation: &Installation, organization: &str, case: &Case) -> usize {
    let ledger = &installation.ledger;
    let (tenant, provision) = installation.provision(organization, "collection", &unique("t")).await;
    let mut kills = kill_at(installation, &case.making).await;
    if !case.undoing.is_empty() {
        // Everything is made and one step is left when time runs out: all of it is taken back.
        ledger.end_patience_with(&provision).await;
        kills += kill_at(installation, &case.undoing).await;
    }
    let server = installation.serve().await;
    let (operation_ends, tenant_ends) = if case.undoing.is_empty() {
        ("done", "active")
    } else {
        ("undone", "failed")
    };
    assert_eq!(ledger.until_operation_ends(&provision).await, operation_ends, "{case}");
    assert_eq!(ledger.tenant_state(&tenant).await.0, tenant_ends, "{case}");
    audit(installation).await;
    server.kill().await;

    let deprovision = installation.deprovision(&tenant).await;
    kills += kill_at(installation, &case.removing).await;
    let server = installation.serve().await;
    assert_eq!(ledger.until_operation_ends(&deprovision).await, "done", "{case}");
    assert_eq!(ledger.tenant_state(&tenant).await.0, "deleted", "{case}");
    audit(installation).await;
    server.kill().await;
    kills
}

/// Servers that take over from each other, each of which dies at a point.
async fn kill_at(installation: &Installation, points: &[(Phase, String, String)]) -> usize {
    for (phase, step, moment) in points {
        let point = format!("{}/{step}/{}/{moment}", phase.operation(), phase.direction());
        installation.serve_until(&point).until_killed(&point).await;
    }
    points.len()
}
