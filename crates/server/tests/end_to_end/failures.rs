//! What cannot be made: tried again, taken back, explained, and made after mending.

use std::fs;

use serde_json::Value;
use tenantry_test_support::wait_for;

use crate::harness::{Customer, Installation, PATIENCE, STARTER, audit, unique};

/// Renders, and is refused by the cluster.
const REFUSED: &str = "apiVersion: v1\nkind: Service\nmetadata:\n  name: refused\nspec:\n  ports:\n    - port: 99999\n";
const NOT_RENDERED: &str = "{{ .Values.missing.entirely }}\n";

#[tokio::test]
async fn a_chart_that_fails_is_taken_back_and_succeeds_after_mending() {
    let (installation, server) = Installation::start().await;
    let customer = Customer::sign_up(&installation, "Museum of Repairs").await;
    let template = installation.path("charts/flawed/templates/all.yaml");
    fs::write(&template, NOT_RENDERED).expect("a template");
    let (tenant, operation) = installation
        .provision(&customer.organization, "flawed", &unique("site"))
        .await;
    assert_eq!(installation.ledger.until_operation_ends(&operation).await, "undone");
    let shown = show(&installation, &tenant).await;
    assert_eq!(shown["tenant"]["state"], "failed");
    assert_eq!(shown["tenant"]["state_reason"]["code"], "chart_does_not_render");
    assert!(
        shown["tenant"]["retry_at"].is_string(),
        "the next attempt has an appointment"
    );
    assert_eq!(shown["operation"]["failure"]["code"], "chart_does_not_render");
    audit(&installation).await;

    // Helm has written its record and perhaps other objects by then: that is taken back as well.
    fs::write(&template, REFUSED).expect("a template");
    let operation = installation.retry(&tenant).await;
    assert_eq!(installation.ledger.until_operation_ends(&operation).await, "undone");
    let shown = show(&installation, &tenant).await;
    assert_eq!(shown["operation"]["failure"]["code"], "object_refused");
    let technical = shown["operation"]["failure"]["technical"].as_str().expect("a reason");
    assert!(technical.contains("must be between 1 and 65535"), "{technical}");
    audit(&installation).await;

    mend(&installation);
    let operation = installation.retry(&tenant).await;
    assert_eq!(installation.ledger.until_operation_ends(&operation).await, "done");
    assert_eq!(
        installation.ledger.tenant_state(&tenant).await,
        ("active".to_owned(), None)
    );
    audit(&installation).await;
    server.stop().await;
}

#[tokio::test]
async fn an_image_that_cannot_be_pulled_is_said_at_once_and_given_up_on() {
    let (installation, server) = Installation::start().await;
    let customer = Customer::sign_up(&installation, "Museum of Nothing").await;
    let (tenant, operation) = installation
        .provision(&customer.organization, "unpullable", &unique("site"))
        .await;
    let waiting = wait_for("the reason to be shown", PATIENCE, async || {
        let shown = show(&installation, &tenant).await;
        let steps = shown["operation"]["steps"].as_array()?.clone();
        steps.into_iter().find(|step| {
            step["waiting_for"]["technical"]
                .as_str()
                .is_some_and(|said| said.contains("image"))
        })
    })
    .await;
    assert_eq!(waiting["name"], "ready");
    assert_eq!(installation.ledger.until_operation_ends(&operation).await, "undone");
    let (state, code) = installation.ledger.tenant_state(&tenant).await;
    assert_eq!(
        (state.as_str(), code.as_deref()),
        ("failed", Some("image_cannot_be_pulled"))
    );
    audit(&installation).await;
    server.stop().await;
}

#[tokio::test]
async fn a_namespace_of_somebody_else_is_left_alone() {
    let (installation, server) = Installation::start().await;
    let customer = Customer::sign_up(&installation, "Museum of Squatters").await;
    let checkout = customer
        .begin_checkout(STARTER, &unique("site"))
        .await
        .expect("a checkout");
    let tenant = checkout["tenant_id"].as_str().expect("an id");
    let namespace = format!("t-{}", tenant.trim_start_matches("ten_"));
    installation
        .kubernetes
        .apply(&format!(
            "apiVersion: v1\nkind: Namespace\nmetadata:\n  name: {namespace}\n  labels: {{owner: somebody}}\n"
        ))
        .await;
    let before = labels_and_version(&installation, &namespace).await;
    let session = installation
        .ledger
        .session_of(checkout["id"].as_str().expect("an id"))
        .await;
    installation.stripe.pay(&session).await.expect("a payment");

    let failed = customer.until_tenant_is(&checkout, "failed").await;
    assert_eq!(failed["state_reason"]["code"], "namespace_not_ours");
    assert_eq!(labels_and_version(&installation, &namespace).await, before);
    audit(&installation).await;

    // Once it is free, an operator's retry makes what was paid for.
    installation
        .kubernetes
        .kubectl(&["delete", "namespace", &namespace])
        .await;
    let operation = installation.retry(tenant).await;
    assert_eq!(installation.ledger.until_operation_ends(&operation).await, "done");
    audit(&installation).await;
    server.stop().await;
}

#[tokio::test]
async fn a_cluster_without_rights_is_told_with_its_code() {
    let installation = Installation::prepare().await;
    let account = unique("powerless");
    let kubeconfig = without_rights(&installation, &account).await;
    let server = installation
        .serve_with(&[("TENANTRY_KUBECONFIG", &kubeconfig)])
        .ready()
        .await;
    let customer = Customer::sign_up(&installation, "Museum of Locks").await;
    let (tenant, operation) = installation
        .provision(&customer.organization, "collection", &unique("site"))
        .await;
    // Whether anything is there to be taken back cannot be seen either, so this waits for a person.
    assert_eq!(installation.ledger.until_operation_ends(&operation).await, "stuck");
    let (state, code) = installation.ledger.tenant_state(&tenant).await;
    assert_eq!((state.as_str(), code.as_deref()), ("failed", Some("forbidden")));
    server.stop().await;

    // With the rights, a first retry finishes going back, a second one makes the tenant.
    let server = installation.serve().await;
    assert_eq!(installation.retry(&tenant).await, operation);
    wait_for("the way back", PATIENCE, async || {
        (installation.ledger.operation_state(&operation).await == "undone").then_some(())
    })
    .await;
    let operation = installation.retry(&tenant).await;
    assert_eq!(installation.ledger.until_operation_ends(&operation).await, "done");
    audit(&installation).await;
    installation
        .kubernetes
        .kubectl(&["delete", "serviceaccount", &account, "-n", "default"])
        .await;
    server.stop().await;
}

async fn show(installation: &Installation, tenant: &str) -> Value {
    installation
        .must(&["tenant", "show", tenant, "--output", "json"])
        .await
        .json()
}

/// Puts the generic chart in the flawed one's place.
fn mend(installation: &Installation) {
    let (flawed, tenant) = (installation.path("charts/flawed"), installation.path("charts/tenant"));
    fs::remove_dir_all(&flawed).expect("the chart");
    std::os::unix::fs::symlink(tenant, flawed).expect("a link");
}

async fn labels_and_version(installation: &Installation, namespace: &str) -> Value {
    let found = installation.kubernetes.get(&["namespace", namespace]).await;
    serde_json::json!([
        found["metadata"]["labels"],
        found["metadata"]["uid"],
        found["metadata"]["managedFields"]
    ])
}

/// A kubeconfig of an account that may do nothing.
async fn without_rights(installation: &Installation, account: &str) -> String {
    let kubernetes = &installation.kubernetes;
    kubernetes
        .kubectl(&["create", "serviceaccount", account, "-n", "default"])
        .await;
    let token = kubernetes.kubectl(&["create", "token", account, "-n", "default"]).await;
    let view = kubernetes
        .kubectl(&["config", "view", "--raw", "--minify", "-o", "json"])
        .await;
    let mut config: Value = serde_json::from_str(&view).expect("a kubeconfig");
    config["users"][0]["user"] = serde_json::json!({"token": token.trim()});
    let path = installation.path("powerless.kubeconfig");
    fs::write(&path, config.to_string()).expect("a file");
    path
}
