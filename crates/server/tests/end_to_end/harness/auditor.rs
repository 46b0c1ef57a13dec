//! Compares cluster, Helm, Stripe and ledger of one installation. Whatever disagrees is told in words.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use tenantry_test_support::wait_for_ok;

use super::{Installation, PATIENCE};

/// What a tenant that runs has in its namespace, besides what Kubernetes itself puts there.
const PARTS: &[&str] = &[
    "Deployment",
    "Ingress",
    "LimitRange",
    "NetworkPolicy",
    "ResourceQuota",
    "Secret",
    "Service",
    "ServiceAccount",
];

#[derive(Debug, sqlx::FromRow)]
struct TenantRow {
    namespace: String,
    release: String,
    state: String,
    is_paid: bool,
    hosts: i64,
    secrets: i64,
}

/// Fails when cluster, Helm, Stripe and ledger do not come to agree.
pub(crate) async fn audit(installation: &Installation) {
    wait_for_ok("cluster, Helm, Stripe and ledger to agree", PATIENCE, async || {
        let differences = find_differences(installation).await;
        if differences.is_empty() {
            Ok(())
        } else {
            Err(differences)
        }
    })
    .await;
}

/// What disagrees right now.
async fn find_differences(installation: &Installation) -> Vec<String> {
    let tenants = tenants(installation).await;
    let mut found = Vec::new();
    compare_cluster(installation, &tenants, &mut found).await;
    compare_helm(installation, &tenants, &mut found).await;
    compare_stripe(installation, &mut found).await;
    look_at_ledger(installation, &tenants, &mut found).await;
    found
}

async fn tenants(installation: &Installation) -> Vec<TenantRow> {
    sqlx::query_as(
        "select namespace, release, state, subscription_id is not null as is_paid,
                (select count(*) from domains d where d.tenant_id = t.id) as hosts,
                (select count(*) from sealed_secrets s where s.owner_id = t.id) as secrets
           from tenants t",
    )
    .fetch_all(installation.ledger.pool())
    .await
    .expect("the tenants")
}

async fn compare_cluster(installation: &Installation, tenants: &[TenantRow], found: &mut Vec<String>) {
    let label = format!("tenantry.dev/installation={}", installation.id);
    let namespaces = installation.kubernetes.get(&["namespaces", "-l", &label]).await;
    let present: BTreeSet<String> = items(&namespaces)
        .iter()
        .map(|namespace| text(&namespace["metadata"]["name"]))
        .collect();
    let expected: BTreeSet<String> = running(tenants).map(|tenant| tenant.namespace.clone()).collect();
    found.extend(
        present
            .difference(&expected)
            .map(|name| format!("namespace {name} is left over")),
    );
    found.extend(
        expected
            .difference(&present)
            .map(|name| format!("namespace {name} is missing")),
    );

    let kinds = "networkpolicies,resourcequotas,limitranges,serviceaccounts,secrets,deployments,services,ingresses";
    let objects = installation.kubernetes.get(&[kinds, "-A", "-l", &label]).await;
    let mut parts: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for object in items(&objects) {
        let namespace = text(&object["metadata"]["namespace"]);
        parts.entry(namespace).or_default().insert(text(&object["kind"]));
    }
    for namespace in expected.intersection(&present) {
        let has = parts.get(namespace);
        let lacks = PARTS.iter().filter(|kind| !has.is_some_and(|has| has.contains(**kind)));
        found.extend(lacks.map(|kind| format!("namespace {namespace} has no {kind}")));
    }
}

async fn compare_helm(installation: &Installation, tenants: &[TenantRow], found: &mut Vec<String>) {
    let columns = "custom-columns=N:.metadata.namespace,R:.metadata.labels.name,S:.metadata.labels.status";
    let listed = installation
        .kubernetes
        .kubectl(&[
            "get",
            "secrets",
            "-A",
            "-l",
            "owner=helm",
            "--no-headers",
            "-o",
            columns,
        ])
        .await;
    let records: Vec<Vec<&str>> = listed.lines().map(|line| line.split_whitespace().collect()).collect();
    for tenant in tenants {
        let of_tenant = |record: &&Vec<&str>| record.first() == Some(&tenant.namespace.as_str());
        let states: Vec<&str> = records.iter().filter(of_tenant).map(|record| record[2]).collect();
        let deployed = states.iter().filter(|state| **state == "deployed").count();
        if tenant.state == "active" && deployed != 1 {
            found.push(format!("release {} is {states:?}", tenant.release));
        }
        if tenant.state != "active" && !states.is_empty() {
            found.push(format!(
                "release {} of a tenant that is {} is {states:?}",
                tenant.release, tenant.state
            ));
        }
    }
}

async fn compare_stripe(installation: &Installation, found: &mut Vec<String>) {
    let pool = installation.ledger.pool();
    let ours: BTreeMap<String, String> = sqlx::query_as(
        "select stripe_subscription_id, status from subscriptions where stripe_subscription_id is not null",
    )
    .fetch_all(pool)
    .await
    .expect("the subscriptions")
    .into_iter()
    .collect();
    let theirs: BTreeMap<String, String> = installation
        .stripe
        .list("subscriptions?status=all")
        .await
        .iter()
        .map(|subscription| (text(&subscription["id"]), text(&subscription["status"])))
        .collect();
    for id in ours.keys().chain(theirs.keys()).collect::<BTreeSet<_>>() {
        if ours.get(id) != theirs.get(id) {
            let (ours, theirs) = (ours.get(id), theirs.get(id));
            found.push(format!(
                "subscription {id} is {ours:?} in the ledger and {theirs:?} at Stripe"
            ));
        }
    }
    let checkouts: BTreeMap<String, (String, bool)> = sqlx::query_as::<_, (String, String, bool)>(
        "select stripe_session_id, state, refund_needed from checkouts where stripe_session_id is not null",
    )
    .fetch_all(pool)
    .await
    .expect("the checkouts")
    .into_iter()
    .map(|(session, state, refund)| (session, (state, refund)))
    .collect();
    for session in installation.stripe.list("checkout/sessions").await {
        let (id, status) = (text(&session["id"]), text(&session["status"]));
        let agrees = match (status.as_str(), checkouts.get(&id)) {
            ("complete", Some((state, refund))) => state == "paid" || *refund,
            ("open", Some((state, _))) => state == "open",
            ("expired", Some((state, _))) => state == "expired" || state == "failed",
            _ => false,
        };
        if !agrees {
            found.push(format!(
                "session {id} is {status} at Stripe and {:?} in the ledger",
                checkouts.get(&id)
            ));
        }
    }
}

async fn look_at_ledger(installation: &Installation, tenants: &[TenantRow], found: &mut Vec<String>) {
    let settled = ["active", "failed", "deleted", "pending"];
    for tenant in tenants {
        let TenantRow { namespace, state, .. } = tenant;
        if !settled.contains(&state.as_str()) {
            found.push(format!("tenant {namespace} is still {state}"));
        }
        if state == "active" && tenant.hosts != 1 {
            found.push(format!("tenant {namespace} has {} hosts", tenant.hosts));
        }
        if state == "deleted" && (tenant.hosts > 0 || tenant.secrets > 0) {
            found.push(format!(
                "tenant {namespace} is gone and keeps {} hosts, {} secrets",
                tenant.hosts, tenant.secrets
            ));
        }
        if state == "pending" && tenant.is_paid {
            found.push(format!("tenant {namespace} is paid for and was never made"));
        }
    }
    for (statement, what) in LEDGER_RULES {
        let broken: Vec<String> = sqlx::query_scalar(*statement)
            .fetch_all(installation.ledger.pool())
            .await
            .unwrap_or_else(|error| panic!("{what}: {error}"));
        found.extend(broken.iter().map(|subject| format!("{what}: {subject}")));
    }
}

/// Statements that find nothing in a ledger at rest, and what it means when they do.
const LEDGER_RULES: &[(&str, &str)] = &[
    (
        "select kind || ' ' || id || ' is ' || state from operations where state not in ('done', 'undone')",
        "an operation has not ended",
    ),
    (
        "select o.kind || ' ' || o.id || ' ' || s.step from operations o join operation_steps s on s.operation_id = o.id
          where s.record = 'done' group by o.id, o.kind, s.step, s.phase having count(*) > 1",
        "a step was done more than once",
    ),
    (
        "select o.kind || ' ' || o.id || ' ' || s.step from operations o join operation_steps s on s.operation_id = o.id
          where s.record = 'started' group by o.id, o.kind, s.step, s.phase, s.epoch, s.attempt having count(*) > 1",
        "a try of a step was begun twice in one epoch",
    ),
    (
        "select o.kind || ' ' || o.id || ' ' || s.step from operations o join operation_steps s on s.operation_id = o.id
          where o.state = 'done' and s.phase = 'do' and s.record = 'started' and not exists (
                select from operation_steps d where d.operation_id = o.id and d.step = s.step and d.record = 'done')",
        "an operation is done without a step that it began",
    ),
    (
        "select distinct o.kind || ' ' || o.id || ' ' || s.step
           from operations o join operation_steps s on s.operation_id = o.id
          where o.state = 'undone' and s.phase = 'do' and s.record = 'started' and not exists (
                select from operation_steps d
                 where d.operation_id = o.id and d.step = s.step and d.phase = 'undo' and d.record = 'done')",
        "a step was begun and not taken back",
    ),
    (
        "select o.id || ' at ' || s.seq from operations o join operation_steps s on s.operation_id = o.id
           join operation_steps earlier on earlier.operation_id = o.id and earlier.seq < s.seq
          where earlier.epoch > s.epoch",
        "an earlier epoch wrote after a later one",
    ),
    (
        "select kind || ' ' || id || ' is ' || state from jobs where state = 'failed'",
        "a job failed",
    ),
    (
        "select id || ' (' || type || ') is ' || state from stripe_events where state in ('received', 'failed')",
        "an event was not settled",
    ),
    (
        "select tenant_id::text from checkouts where state = 'paid' and not refund_needed
          group by tenant_id having count(*) > 1",
        "a tenant was paid for twice and nothing is to be refunded",
    ),
    (
        "select action || ' ' || id from audit_events where seq is null",
        "an act is not sealed",
    ),
    (
        "select key from stripe_calls where state not in ('done', 'failed')",
        "a call to Stripe has no end",
    ),
];

fn running(tenants: &[TenantRow]) -> impl Iterator<Item = &TenantRow> {
    tenants.iter().filter(|tenant| tenant.state == "active")
}

fn items(list: &Value) -> &[Value] {
    list["items"].as_array().map(Vec::as_slice).unwrap_or_default()
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}
