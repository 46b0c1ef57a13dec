//! What goes wrong outside becomes a state that a person can see, undone, and mended by a retry.

use std::{path::PathBuf, process::Command, time::Duration};

use chrono::TimeDelta;
use serde_json::{Value, json};
use tempfile::TempDir;
use tenantry_app::provisioning;
use tenantry_domain::{
    mail::Message,
    provisioning::{TenantState, identifiers},
};
use tenantry_test_support::{LocalCluster, wait_for};

use crate::world::World;

#[tokio::test]
async fn a_chart_that_does_not_render_is_undone_reported_and_succeeds_after_mending() {
    let world = World::new().await;
    let broken = world.charts.path().join("tenant/templates/broken.yaml");
    std::fs::write(&broken, "a: {{ required \"a colour is required\" .Values.colour }}\n").unwrap();
    let (id, operation) = world.provision("broken-chart").await;
    let undone = world.until(operation, &["done", "undone", "stuck"]).await;
    assert_eq!(undone.state, "undone", "{undone:#?}");
    let failure = undone.failure.expect("a reason");
    assert_eq!(failure.code, "chart_does_not_render");
    assert!(failure.technical.unwrap().contains("a colour is required"));

    let tenant = world.tenant(id).await;
    assert_eq!(tenant.state, TenantState::Failed);
    let reason = tenant.state_reason.clone().unwrap();
    assert_eq!(reason.code, "chart_does_not_render");
    assert!(reason.detail.contains("We are on it"), "{}", reason.detail);
    assert_eq!(
        tenant.retry_at.unwrap().timestamp(),
        (world.now() + TimeDelta::hours(1)).timestamp()
    );
    assert!(!world.namespace_exists(&tenant));
    assert_eq!(tenant.host.as_deref(), Some("broken-chart.tenants.localhost"));
    let mails = wait_for("the operator's mail", Duration::from_secs(10), async || {
        Some(world.mails.to("operator@example.org")).filter(|mails| !mails.is_empty())
    })
    .await;
    let Message::ProvisioningFailed { step, reason, .. } = &mails[0].message else {
        panic!()
    };
    assert_eq!(step, "Install the product");
    assert!(reason.contains("a colour is required"), "{reason}");

    std::fs::remove_file(&broken).unwrap();
    let again = provisioning::retry(&world.app, id, "a test", None).await.unwrap();
    assert_eq!(world.until(again, &["done", "undone", "stuck"]).await.state, "done");
    let tenant = world.until_tenant(id, TenantState::Active).await;
    assert_eq!((tenant.retry_at, &tenant.state_reason), (None, &None));
    assert_eq!(world.answer(&tenant).await, 200);
}

#[tokio::test]
async fn an_image_that_cannot_be_pulled_is_waited_for_then_undone() {
    let world = World::with(
        |product| product["image"]["repository"] = "localhost/no-such-image".into(),
        None,
    )
    .await;
    let (id, operation) = world.provision("no-image").await;
    let waiting = wait_for("the reason", Duration::from_secs(60), async || {
        let view = world.operation(operation).await;
        view.steps.into_iter().find_map(|step| {
            step.waiting_for
                .filter(|reason| reason.code == "image_cannot_be_pulled")
        })
    })
    .await;
    assert_eq!(waiting.detail, "the product's image, which could not be fetched so far");
    let technical = waiting.technical.unwrap();
    assert!(technical.contains("localhost/no-such-image:1"), "{technical}");
    world.age_log(operation, 60).await;
    let undone = world.until(operation, &["done", "undone", "stuck"]).await;
    assert_eq!(undone.state, "undone");
    assert_eq!(undone.failure.unwrap().code, "image_cannot_be_pulled");
    let tenant = world.tenant(id).await;
    assert_eq!(tenant.state, TenantState::Failed);
    assert!(!world.namespace_exists(&tenant));
}

#[tokio::test]
async fn a_namespace_of_somebody_else_is_never_touched() {
    let world = World::new().await;
    let id = world.name("occupied").await;
    let namespace = identifiers::namespace(id);
    world.kubectl(&["create", "namespace", &namespace]);
    let before = world.kubectl(&["get", "namespace", &namespace, "-o", "json", "--show-managed-fields"]);
    let operation = {
        let mut tx = world.app.database.system("a test").await.unwrap();
        let started = provisioning::start_provision(&mut tx, &world.app, id, "a test", "a test", None)
            .await
            .unwrap();
        tx.commit().await.unwrap();
        started.operation()
    };
    let undone = world.until(operation, &["done", "undone", "stuck"]).await;
    assert_eq!(undone.state, "undone", "{undone:#?}");
    assert_eq!(undone.failure.unwrap().code, "namespace_not_ours");
    assert_eq!(world.tenant(id).await.state, TenantState::Failed);

    provisioning::remove(&world.app, id, "occupied", "a test", None)
        .await
        .unwrap();
    world.until_tenant(id, TenantState::Deleted).await;
    let after = world.kubectl(&["get", "namespace", &namespace, "-o", "json", "--show-managed-fields"]);
    world.kubectl(&["delete", "namespace", &namespace, "--wait=false"]);
    assert_eq!(before, after);
}

#[tokio::test]
async fn a_cluster_without_rights_is_named_and_waits_for_a_person() {
    let (kubeconfig, _files) = powerless().await;
    let world = World::with(|_| {}, Some(kubeconfig)).await;
    let (id, operation) = world.provision("no-rights").await;
    // Whether anything was made cannot be seen either, so nobody claims that it was undone.
    let stuck = world.until(operation, &["done", "undone", "stuck"]).await;
    assert_eq!(stuck.state, "stuck", "{stuck:#?}");
    let failure = stuck.failure.unwrap();
    assert_eq!(failure.code, "forbidden");
    let technical = failure.technical.unwrap();
    assert!(technical.contains("not allowed to get namespaces"), "{technical}");
    assert!(
        technical.contains("Give system:serviceaccount:default:default the verb get"),
        "{technical}"
    );
    let tenant = world.tenant(id).await;
    assert_eq!(
        (tenant.state, tenant.state_reason.unwrap().code),
        (TenantState::Failed, "forbidden".to_owned())
    );

    // A retry goes on where it is stuck; without the right it is stuck again.
    let again = provisioning::retry(&world.app, id, "a test", None).await.unwrap();
    assert_eq!(again, operation);
    wait_for("the next try", Duration::from_secs(10), async || {
        let view = world.operation(operation).await;
        (view.state == "stuck" && view.attempt == 2).then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_removal_asked_for_while_it_was_made_follows_when_that_is_stuck() {
    let (kubeconfig, _files) = powerless().await;
    let world = World::with(|_| {}, Some(kubeconfig)).await;
    let id = world.name("unwanted").await;
    let mut tx = world.app.database.system("a test").await.unwrap();
    let made = provisioning::start_provision(&mut tx, &world.app, id, "a test", "a test", None)
        .await
        .unwrap();
    let removed = provisioning::start_deprovision(&mut tx, &world.app, id, "a test", "a test", None)
        .await
        .unwrap();
    assert_eq!(removed, provisioning::Started::Follows(made.operation()));
    tx.commit().await.unwrap();
    let removal = wait_for("the removal", Duration::from_secs(30), async || {
        let operations = world.tenant(id).await.operations;
        operations.into_iter().find(|operation| operation.kind == "deprovision")
    })
    .await;
    assert_eq!(removal.cause, "it is no longer wanted");
    let given_up = world.operation(made.operation()).await;
    assert_eq!(
        (given_up.state.as_str(), given_up.failure.unwrap().code.as_ref()),
        ("undone", "forbidden")
    );
}

/// Credentials of an account that may do nothing.
async fn powerless() -> (PathBuf, TempDir) {
    let local = LocalCluster::shared().await;
    let kubectl = |arguments: &[&str]| {
        let output = Command::new(&local.environment["KUBECTL"])
            .env_clear()
            .env("KUBECONFIG", &local.kubeconfig)
            .args(arguments)
            .output()
            .unwrap();
        String::from_utf8(output.stdout).unwrap()
    };
    let token = kubectl(&["create", "token", "default", "-n", "default"]);
    let mut config: Value =
        serde_json::from_str(&kubectl(&["config", "view", "--raw", "--flatten", "-o", "json"])).unwrap();
    config["users"] = json!([{ "name": "powerless", "user": { "token": token.trim() } }]);
    config["contexts"][0]["context"]["user"] = "powerless".into();
    let files = tempfile::tempdir().unwrap();
    let path = files.path().join("kubeconfig");
    std::fs::write(&path, config.to_string()).unwrap();
    (path, files)
}

#[tokio::test]
async fn two_purchases_race_for_one_name_and_one_wins() {
    let world = World::new().await;
    let first = world.name("wanted").await;
    let mut tx = world.app.database.system("a test").await.unwrap();
    let new = provisioning::NewTenant {
        id: tenantry_domain::ids::TenantId::from_uuid(uuid::Uuid::now_v7()),
        organization: world.organization,
        product: "collection",
        plan_version: world.plan,
        name: "Wanted",
        reserved_until: None,
    };
    let refused = provisioning::create_pending(&mut tx, &world.app, &new)
        .await
        .unwrap_err();
    assert!(matches!(
        refused,
        provisioning::CreatePendingError::Name(provisioning::CheckNameError::Taken { .. })
    ));
    drop(tx);

    // Whoever is being made keeps the name, however long ago it was reserved.
    let made = world.name("kept").await;
    let mut tx = world.app.database.system("a test").await.unwrap();
    provisioning::start_provision(&mut tx, &world.app, made, "a test", "a test", None)
        .await
        .unwrap();
    tx.commit().await.unwrap();
    world.clock.advance(TimeDelta::hours(1));
    assert!(
        !provisioning::check_name(&world.app, "kept", "x")
            .await
            .unwrap()
            .available
    );

    // When the reservation has run out, the name goes to whoever asks, and the tenant that nobody paid for goes.
    let second = world.name("wanted").await;
    assert_eq!(world.tenant(first).await.state, TenantState::Deleted);
    assert_eq!(
        world.tenant(second).await.host.as_deref(),
        Some("wanted.tenants.localhost")
    );
}
