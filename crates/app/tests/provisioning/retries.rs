//! What an operator's retry may start, and what an attempt that gives up leaves alone.

use tenantry_app::provisioning::{self, StartError, Started};
use tenantry_domain::{ids::TenantId, provisioning::TenantState};
use uuid::Uuid;

use crate::world::World;

/// Everything of a tenant in the cluster that provisioning makes, by name.
fn parts_of(world: &World, namespace: &str) -> String {
    let kinds =
        "deployment,service,ingress,persistentvolumeclaim,resourcequota,limitrange,networkpolicy,serviceaccount,secret";
    world.kubectl(&["get", kinds, "--namespace", namespace, "--output", "name"])
}

async fn start(world: &World, tenant: TenantId) -> Result<Started, StartError> {
    let mut tx = world.app.database.system("a test").await.unwrap();
    let started = provisioning::start_provision(&mut tx, &world.app, tenant, "a test", "a test", None).await?;
    tx.commit().await.unwrap();
    Ok(started)
}

#[tokio::test]
async fn an_attempt_that_gives_up_leaves_running_what_ran_before() {
    let world = World::new().await;
    let (id, operation) = world.provision("keeps-running").await;
    assert_eq!(world.until(operation, &["done", "undone", "stuck"]).await.state, "done");
    let tenant = world.until_tenant(id, TenantState::Active).await;
    let before = parts_of(&world, &tenant.namespace);
    assert!(matches!(
        provisioning::retry(&world.app, id, "a test", None).await,
        Err(StartError::NothingToRetry)
    ));

    let broken = world.charts.path().join("tenant/templates/broken.yaml");
    std::fs::write(&broken, "a: {{ required \"a colour is required\" .Values.colour }}\n").unwrap();
    let attempt = start(&world, id).await.unwrap().operation();
    let undone = world.until(attempt, &["done", "undone", "stuck"]).await;
    assert_eq!(undone.state, "undone", "{undone:#?}");
    assert_eq!(parts_of(&world, &tenant.namespace), before);
    assert_eq!(world.answer(&tenant).await, 200);

    std::fs::remove_file(&broken).unwrap();
    let again = provisioning::retry(&world.app, id, "a test", None).await.unwrap();
    assert_eq!(world.until(again, &["done", "undone", "stuck"]).await.state, "done");
    world.until_tenant(id, TenantState::Active).await;
}

#[tokio::test]
async fn what_was_made_anew_is_taken_back_also_of_a_tenant_that_ran() {
    let world = World::new().await;
    let (id, operation) = world.provision("lost-twice").await;
    world.until(operation, &["done"]).await;
    let tenant = world.until_tenant(id, TenantState::Active).await;
    let broken = world.charts.path().join("tenant/templates/broken.yaml");
    std::fs::write(&broken, "a: {{ required \"a colour is required\" .Values.colour }}\n").unwrap();
    world.kubectl(&["delete", "namespace", &tenant.namespace, "--wait=true"]);
    // By the watch; it finds nothing to keep.
    let failed = world.until_tenant(id, TenantState::Failed).await;
    let attempt = failed.operations.first().unwrap().id;
    assert_ne!(attempt, operation);
    assert_eq!(world.until(attempt, &["undone", "stuck"]).await.state, "undone");
    assert!(!world.namespace_exists(&tenant));
}

/// Ties the tenant to a contract that gives this access.
async fn sell(world: &World, tenant: TenantId, access: &str) {
    let contract = Uuid::now_v7();
    let mut tx = world.app.database.system("a test").await.unwrap();
    sqlx::query(
        "insert into subscriptions (id, organization_id, product, delivery, plan_version_id, source, status) \
         values ($1, $2, 'collection', 'dedicated', $3, 'operator', 'active')",
    )
    .bind(contract)
    .bind(world.organization.uuid())
    .bind(world.plan.uuid())
    .execute(&mut tx)
    .await
    .unwrap();
    sqlx::query(
        "insert into entitlements (subscription_id, organization_id, access, limits) values ($1, $2, $3, '{}')",
    )
    .bind(contract)
    .bind(world.organization.uuid())
    .bind(access)
    .execute(&mut tx)
    .await
    .unwrap();
    sqlx::query("update tenants set subscription_id = $2 where id = $1")
        .bind(tenant.uuid())
        .bind(contract)
        .execute(&mut tx)
        .await
        .unwrap();
    tx.commit().await.unwrap();
}

#[tokio::test]
async fn a_pending_tenant_is_made_by_a_retry_only_if_it_was_paid_for() {
    let world = World::new().await;
    let reserved = world.name("only-reserved").await;
    assert!(matches!(
        provisioning::retry(&world.app, reserved, "a test", None).await,
        Err(StartError::NothingToRetry)
    ));
    let paid = world.name("paid-for").await;
    sell(&world, paid, "grace").await;
    provisioning::retry(&world.app, paid, "a test", None).await.unwrap();
    world.until_tenant(paid, TenantState::Active).await;
}

#[tokio::test]
async fn nothing_runs_under_a_contract_that_does_not_allow_it() {
    let world = World::new().await;
    for access in ["suspended", "none"] {
        let id = world.name(&format!("unpaid-{access}")).await;
        sell(&world, id, access).await;
        assert!(matches!(start(&world, id).await, Err(StartError::NotEntitled)));
        let mut tx = world.app.database.system("a test").await.unwrap();
        for statement in [
            "update tenants set state = 'provisioning', desired = 'suspended' where id = $1",
            "update tenants set state = 'failed' where id = $1",
        ] {
            sqlx::query(statement).bind(id.uuid()).execute(&mut tx).await.unwrap();
        }
        tx.commit().await.unwrap();
        assert!(matches!(
            provisioning::retry(&world.app, id, "a test", None).await,
            Err(StartError::NotEntitled)
        ));
        assert_eq!(world.tenant(id).await.state, TenantState::Failed);
    }
}

/// Runs one statement about the tenant as the system role.
async fn change(world: &World, statement: &'static str, tenant: TenantId) {
    let mut tx = world.app.database.system("a test").await.unwrap();
    sqlx::query(statement)
        .bind(tenant.uuid())
        .execute(&mut tx)
        .await
        .unwrap();
    tx.commit().await.unwrap();
}

#[tokio::test]
async fn a_removal_has_attempts_of_its_own() {
    let world = World::new().await;
    let id = world.name("made-in-vain").await;
    change(&world, "update tenants set state = 'provisioning' where id = $1", id).await;
    change(
        &world,
        "update tenants set state = 'failed', attempt = 3, retry_at = now() + interval '1 day' where id = $1",
        id,
    )
    .await;
    let mut tx = world.app.database.system("a test").await.unwrap();
    provisioning::start_deprovision(&mut tx, &world.app, id, "a test", "a test", None)
        .await
        .unwrap();
    let (attempt, retry): (i32, Option<chrono::DateTime<chrono::Utc>>) =
        sqlx::query_as("select attempt, retry_at from tenants where id = $1")
            .bind(id.uuid())
            .fetch_one(&mut tx)
            .await
            .unwrap();
    assert_eq!((attempt, retry), (0, None));
    tx.rollback().await.unwrap();

    // One that failed to be removed keeps its count.
    change(
        &world,
        "update tenants set state = 'deprovisioning', attempt = 2 where id = $1",
        id,
    )
    .await;
    let mut tx = world.app.database.system("a test").await.unwrap();
    provisioning::start_deprovision(&mut tx, &world.app, id, "a test", "a test", None)
        .await
        .unwrap();
    let attempt: i32 = sqlx::query_scalar("select attempt from tenants where id = $1")
        .bind(id.uuid())
        .fetch_one(&mut tx)
        .await
        .unwrap();
    assert_eq!(attempt, 2);
}

#[tokio::test]
async fn what_is_recorded_as_applied_is_what_was_made() {
    let world = World::new().await;
    let id = world.name("moved-meanwhile").await;
    // Its subscriber moves to other terms after the operation was queued.
    let mut tx = world.app.database.system("a test").await.unwrap();
    let operation = provisioning::start_provision(&mut tx, &world.app, id, "a test", "a test", None)
        .await
        .unwrap()
        .operation();
    sqlx::query("update plan_versions set retired_at = now()")
        .execute(&mut tx)
        .await
        .unwrap();
    sqlx::query(
        "insert into plan_versions (id, product, plan, version, definition) \
         select gen_random_uuid(), product, plan, 2, jsonb_set(definition, '{quota,pods}', '9') from plan_versions",
    )
    .execute(&mut tx)
    .await
    .unwrap();
    sqlx::query("update tenants set plan_version_wanted = (select id from plan_versions where version = 2)")
        .execute(&mut tx)
        .await
        .unwrap();
    tx.commit().await.unwrap();
    assert_eq!(world.until(operation, &["done", "undone", "stuck"]).await.state, "done");
    let mut tx = world.app.database.system("a test").await.unwrap();
    let applied: Uuid = sqlx::query_scalar("select plan_version_applied from tenants where id = $1")
        .bind(id.uuid())
        .fetch_one(&mut tx)
        .await
        .unwrap();
    assert_eq!(applied, world.plan.uuid());
    let namespace = world.tenant(id).await.namespace;
    let pods = world.kubectl(&[
        "get",
        "resourcequota",
        "tenantry",
        "--namespace",
        &namespace,
        "--output",
        "jsonpath={.spec.hard.pods}",
    ]);
    assert_eq!(pods, "4");
}
