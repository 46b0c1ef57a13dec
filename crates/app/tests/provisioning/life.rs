//! A tenant is made, and removed, from every state.

use std::time::Duration;

use tenantry_app::provisioning::{self, Started, StepViewState};
use tenantry_domain::{mail::Message, provisioning::TenantState};
use tenantry_test_support::wait_for;

use crate::world::World;

#[tokio::test]
async fn a_tenant_runs_and_goes_again() {
    let world = World::new().await;
    let (id, operation) = world.provision("museum-of-life").await;
    let done = world.until(operation, &["done", "undone", "stuck"]).await;
    assert_eq!(done.state, "done", "{done:#?}");
    assert!(done.steps.iter().all(|step| step.state == StepViewState::Done));
    for step in &done.steps {
        println!(
            "{:>6} ms  {}",
            step.duration.unwrap_or_default().as_millis(),
            step.title
        );
    }
    println!(
        "total {} ms",
        (done.ended_at.unwrap() - done.created_at).num_milliseconds()
    );

    let tenant = world.until_tenant(id, TenantState::Active).await;
    assert_eq!(tenant.host.as_deref(), Some("museum-of-life.tenants.localhost"));
    assert_eq!(world.answer(&tenant).await, 200);
    assert_eq!(world.sealed_secrets(id).await, 1);
    let labels = world.kubectl(&["get", "namespace", &tenant.namespace, "--show-labels"]);
    for label in [
        id.to_string(),
        operation.to_string(),
        "pod-security.kubernetes.io/enforce=restricted".to_owned(),
    ] {
        assert!(labels.contains(&label), "{labels}");
    }
    let mails = wait_for("the welcome mail", Duration::from_secs(10), async || {
        Some(world.mails.to("owner@example.org")).filter(|mails| !mails.is_empty())
    })
    .await;
    assert!(matches!(&mails[0].message, Message::TenantReady { tenant, .. } if tenant == "museum-of-life"));

    // Another purchase cannot have the name while this one has it.
    let taken = provisioning::check_name(&world.app, "museum-of-life", "x")
        .await
        .unwrap();
    assert_eq!((taken.available, taken.reason), (false, Some("name_taken")));
    assert_eq!(taken.suggestion.as_deref(), Some("museum-of-life-2"));

    let removal = provisioning::remove(&world.app, id, "museum-of-life", "a test", None)
        .await
        .unwrap()
        .operation();
    assert_eq!(world.until(removal, &["done", "undone", "stuck"]).await.state, "done");
    let tenant = world.until_tenant(id, TenantState::Deleted).await;
    assert!(!world.namespace_exists(&tenant));
    assert_eq!(tenant.host, None);
    assert_eq!(world.sealed_secrets(id).await, 0);
    assert!(
        provisioning::check_name(&world.app, "museum-of-life", "x")
            .await
            .unwrap()
            .available
    );
}

#[tokio::test]
async fn what_the_cluster_never_had_or_has_lost_can_be_removed() {
    let world = World::new().await;
    let never_made = world.name("never-made").await;
    let (lost, operation) = world.provision("lost-tenant").await;
    world.until(operation, &["done"]).await;
    let namespace = world.tenant(lost).await.namespace;
    let removals = [(never_made, "never-made"), (lost, "lost-tenant")];
    world.kubectl(&["delete", "namespace", &namespace, "--wait=true"]);
    for (id, name) in removals {
        // A watch may have seen the namespace go and be mending it: then the removal follows.
        provisioning::remove(&world.app, id, name, "a test", None)
            .await
            .unwrap();
        let tenant = world.until_tenant(id, TenantState::Deleted).await;
        assert!(!world.namespace_exists(&tenant));
    }
}

#[tokio::test]
async fn a_half_made_tenant_can_be_removed_while_it_is_being_made() {
    let world = World::with(
        |product| product["image"]["repository"] = "localhost/no-such-image".into(),
        None,
    )
    .await;
    let (id, operation) = world.provision("half-made").await;
    wait_for("the release", Duration::from_secs(60), async || {
        let view = world.operation(operation).await;
        view.steps
            .iter()
            .find(|step| step.name == "ready" && step.state == StepViewState::Waiting)
            .cloned()
    })
    .await;
    let removal = provisioning::remove(&world.app, id, "half-made", "a test", None)
        .await
        .unwrap();
    assert_eq!(removal, Started::Follows(operation));
    wait_for("the obstacle", Duration::from_secs(60), async || {
        let steps = world.operation(operation).await.steps;
        let obstacle = steps.into_iter().find_map(|step| step.waiting_for)?;
        (obstacle.code == "image_cannot_be_pulled").then_some(())
    })
    .await;
    world.age_log(operation, 120).await;
    let tenant = world.until_tenant(id, TenantState::Deleted).await;
    assert!(!world.namespace_exists(&tenant));
}

#[tokio::test]
async fn policies_stay_until_the_last_pod_has_ended() {
    let world = World::new().await;
    let (id, operation) = world.provision("slow-to-end").await;
    world.until(operation, &["done"]).await;
    let tenant = world.until_tenant(id, TenantState::Active).await;
    let slow = r#"{"spec": {"template": {"spec": {"containers": [
        {"name": "product", "lifecycle": {"preStop": {"sleep": {"seconds": 6}}}}]}}}}"#;
    world.kubectl(&[
        "patch",
        "deployment",
        &tenant.namespace,
        "-n",
        &tenant.namespace,
        "-p",
        slow,
    ]);
    world.kubectl(&[
        "rollout",
        "status",
        "deployment",
        &tenant.namespace,
        "-n",
        &tenant.namespace,
    ]);
    let names = |kind: &str| world.kubectl(&["get", kind, "-n", &tenant.namespace, "-o", "name"]);

    let removal = provisioning::remove(&world.app, id, "slow-to-end", "a test", None)
        .await
        .unwrap()
        .operation();
    let mut ending = 0;
    loop {
        // The policies first: what runs after they were found gone runs without them.
        let (policies, quotas) = (names("networkpolicies"), names("resourcequotas"));
        let pods = world.kubectl(&[
            "get",
            "pods",
            "-n",
            &tenant.namespace,
            "--field-selector",
            "status.phase=Running",
            "-o",
            "name",
        ]);
        if pods.is_empty() {
            break;
        }
        assert!(
            policies.contains("tenantry-default-deny"),
            "{pods} without policies: {policies}"
        );
        assert!(quotas.contains("tenantry"), "{pods} without bounds");
        ending += 1;
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert!(ending > 1, "the pods were gone at once, and the test has seen nothing");
    assert_eq!(world.until(removal, &["done", "undone", "stuck"]).await.state, "done");
}
