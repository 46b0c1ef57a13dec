//! Several servers on one database, and one that stalls.

use std::{collections::BTreeSet, time::Instant};

use futures::future::join_all;

use crate::harness::{Customer, Installation, Record, audit, unique};

const TENANTS: usize = 20;

#[tokio::test]
async fn two_servers_share_twenty_tenants_and_run_no_operation_twice() {
    let (installation, one) = Installation::start().await;
    let other = installation.serve_another().await;
    let customer = Customer::sign_up(&installation, "Museum of Crowds").await;
    let begun = Instant::now();
    let mut operations = Vec::new();
    for _ in 0..TENANTS {
        operations.push(
            installation
                .provision(&customer.organization, "collection", &unique("site"))
                .await
                .1,
        );
    }
    let ends = join_all(
        operations
            .iter()
            .map(|operation| installation.ledger.until_operation_ends(operation)),
    )
    .await;
    assert!(ends.iter().all(|end| end == "done"), "{ends:?}");
    eprintln!(
        "{TENANTS} tenants by two servers: {:.1} s",
        begun.elapsed().as_secs_f64()
    );
    for operation in &operations {
        ran_once(&installation.ledger.records(operation).await);
    }
    audit(&installation).await;
    for server in [&one, &other] {
        assert!(server.log().contains("operation ended"), "both have worked");
    }
    one.stop().await;
    other.stop().await;
}

/// Each step was begun once for each time that it did not end in *not yet* or a failure, and done once.
fn ran_once(records: &[Record]) {
    let steps: BTreeSet<&str> = records.iter().map(|record| record.step.as_str()).collect();
    for step in steps {
        let count = |kind: &str| {
            records
                .iter()
                .filter(|record| record.step == step && record.record == kind)
                .count()
        };
        assert_eq!(count("done"), 1, "{step}: {records:?}");
        assert_eq!(count("started"), 1 + count("failed"), "{step}: {records:?}");
    }
}

#[tokio::test]
async fn a_server_paused_past_its_lease_does_no_harm() {
    let installation = Installation::prepare().await;
    let first = installation.serve().await;
    let customer = Customer::sign_up(&installation, "Museum of Sleep").await;
    let mut stalled = first;
    for (step, is_removed) in [("namespace", true), ("release", false), ("secrets", true)] {
        let (tenant, operation) = installation
            .provision(&customer.organization, "collection", &unique("site"))
            .await;
        installation.ledger.until_step_begins(&operation, step).await;
        stalled.pause().await;
        let other = installation.serve_another().await;
        assert_eq!(
            installation.ledger.until_operation_ends(&operation).await,
            "done",
            "{step}"
        );
        if is_removed {
            let removal = installation.deprovision(&tenant).await;
            assert_eq!(
                installation.ledger.until_operation_ends(&removal).await,
                "done",
                "{step}"
            );
        }
        let before = installation.ledger.records(&operation).await;
        stalled.resume().await;
        // It answers again, so it has come to know of its loss: nothing of what it held is written or made.
        stalled = stalled.ready().await;
        audit(&installation).await;
        assert_eq!(installation.ledger.records(&operation).await, before, "{step}");
        other.stop().await;
    }
    stalled.stop().await;
}
