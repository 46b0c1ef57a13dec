//! `kill -9` at three moments of every step: after *started* is written, after the effect and before *done* is written,
//! and after *done*. Somebody else takes over, the operation ends as it should, and everything agrees, Stripe included:
//! each of these tenants was bought, and its contract ends with it.
//!
//! `TENANTRY_TEST_RANDOM_KILLS=500` kills at that many random points instead, `TENANTRY_TEST_SEED` repeats such a run,
//! and `TENANTRY_TEST_LANES` says how many installations work side by side.

mod plan;

use std::{cell::RefCell, collections::VecDeque, env};

use futures::future::join_all;
use tenantry_test_support::wait_for;

use self::plan::{Case, Point, every_step, random};
use crate::harness::{Customer, Installation, PATIENCE, STARTER, audit, unique};

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
    let customer = a_customer(&installation).await;
    let (tenant, provision) = installation
        .provision(&customer.organization, "collection", "first")
        .await;
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
async fn a_customer(installation: &Installation) -> Customer {
    let server = installation.serve().await;
    let customer = Customer::sign_up(installation, "Museum of Accidents").await;
    server.stop().await;
    customer
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
            let customer = a_customer(&installation).await;
            place = Some((installation, customer));
        }
        if let Some((installation, customer)) = &place {
            eprintln!("{case}");
            kills += live(installation, customer, &case).await;
        }
    }
}

/// One tenant's life with its accidents.
async fn live(installation: &Installation, customer: &Customer, case: &Case) -> usize {
    let ledger = &installation.ledger;
    let (tenant, provision) = buy(installation, customer, case.making.first()).await;
    let mut kills = case.making.len();
    kill_at(installation, case.making.get(1..).unwrap_or_default()).await;
    if !case.undoing.is_empty() {
        // Everything is made and one step is left when time runs out: all of it is taken back.
        ledger.end_patience_with(&provision).await;
        kills += kill_at(installation, &case.undoing).await;
    }
    let server = installation.serve().await;
    // What nobody was there for.
    installation.stripe.flush_deliveries().await;
    let (operation_ends, tenant_ends) = if case.undoing.is_empty() {
        ("done", "active")
    } else {
        ("undone", "failed")
    };
    assert_eq!(ledger.until_operation_ends(&provision).await, operation_ends, "{case}");
    assert_eq!(ledger.tenant_state(&tenant).await.0, tenant_ends, "{case}");
    assert_eq!(
        contracts(installation).await,
        1,
        "paid for, whatever became of it: {case}"
    );
    audit(installation).await;
    server.kill().await;

    let deprovision = installation.deprovision(&tenant).await;
    kills += kill_at(installation, &case.removing).await;
    let server = installation.serve().await;
    installation.stripe.flush_deliveries().await;
    assert_eq!(ledger.until_operation_ends(&deprovision).await, "done", "{case}");
    assert_eq!(ledger.tenant_state(&tenant).await.0, "deleted", "{case}");
    wait_for("the contract to end", PATIENCE, async || {
        (contracts(installation).await == 0).then_some(())
    })
    .await;
    audit(installation).await;
    server.kill().await;
    kills
}

/// Buys a tenant. The server that learns of the payment dies at the point, or serves until the tenant is there.
async fn buy(installation: &Installation, customer: &Customer, point: Option<&Point>) -> (String, String) {
    let ledger = &installation.ledger;
    let server = match point {
        Some(point) => installation.serve_until(&name(point)).ready().await,
        None => installation.serve().await,
    };
    let checkout = customer
        .begin_checkout(STARTER, &unique("t"))
        .await
        .expect("a checkout");
    let session = ledger.session_of(checkout["id"].as_str().expect("an id")).await;
    installation.stripe.pay(&session).await.expect("a payment");
    let tenant = checkout["tenant_id"].as_str().expect("an id").to_owned();
    let provision = wait_for("the payment to be known", PATIENCE, async || {
        ledger.operations_of(&tenant, "provision").await.pop()
    })
    .await;
    match point {
        Some(point) => server.until_killed(&name(point)).await,
        None => {
            ledger.until_tenant_is(&tenant, "active").await;
            server.kill().await;
        }
    }
    (tenant, provision)
}

/// Contracts at Stripe that go on.
async fn contracts(installation: &Installation) -> usize {
    installation.stripe.list("subscriptions?status=active").await.len()
}

/// Servers that take over from each other, each of which dies at a point.
async fn kill_at(installation: &Installation, points: &[Point]) -> usize {
    for point in points {
        let name = name(point);
        installation.serve_until(&name).until_killed(&name).await;
    }
    points.len()
}

/// As the program is told of it.
fn name((phase, step, moment): &Point) -> String {
    format!("{}/{step}/{}/{moment}", phase.operation(), phase.direction())
}
