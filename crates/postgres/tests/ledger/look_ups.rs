//! What is asked about one tenant is found by an index, however many there are.

use std::collections::BTreeSet;

use chrono::{TimeDelta, Utc};
use sqlx::{AssertSqlSafe, Executor, raw_sql};
use tenantry_domain::ids::{CheckoutId, TenantId};
use tenantry_postgres::{
    SystemTx,
    audit::{anchors, chains, seals, verification},
    billing::{checkouts, subscriptions},
    provisioning::{domains, operations, tenants},
    trace,
};
use tenantry_test_support::TestDatabase;
use uuid::Uuid;

use crate::world::populate;

/// As many of everything as make reading a whole table the worse choice. Their traces differ.
const CROWD: &str = "
insert into tenants (id, organization_id, subscription_id, product, cluster_id, name, namespace, release, plan_version_wanted)
    select gen_random_uuid(), organization_id, null, product, cluster_id, 'n' || n, 'n' || n, 'n' || n, plan_version_wanted
    from tenants, generate_series(1, 3000) n;
insert into domains (host, organization_id, tenant_id)
    select name || '.example.net', organization_id, id from tenants where name like 'n%';
insert into operations (id, organization_id, tenant_id, kind, params, cause, actor, state, trace_id)
    select gen_random_uuid(), organization_id, id, 'provision', '{}', 'a test', 'system', 'done',
           '00-' || md5(id::text) || '-0000000000000001-01'
    from tenants where name like 'n%';
insert into checkouts (id, organization_id, product, price_id, tenant_id, state, expires_at)
    select gen_random_uuid(), c.organization_id, c.product, c.price_id, t.id, 'expired', now()
    from tenants t, checkouts c where t.name like 'n%';
insert into stripe_events (id, type, livemode, payload, created_at, trace_id)
    select 'evt_' || name, 'invoice.paid', false, '{}', now(), '00-' || md5(id::text) || '-0000000000000001-01'
    from tenants where name like 'n%';
insert into jobs (id, kind, payload, state, trace_id)
    select gen_random_uuid(), 'mail.send', '{}', 'done', '00-' || md5(id::text) || '-0000000000000001-01'
    from tenants where name like 'n%';
analyze;
";

/// Rows that this session has read by going through whole tables.
async fn read_through(tx: &mut SystemTx) -> i64 {
    sqlx::query_scalar(
        "select sum(seq_tup_read)::bigint from pg_stat_xact_user_tables \
         where relname in ('tenants', 'domains', 'operations', 'checkouts', 'stripe_events', 'jobs', 'audit_events',
                           'audit_chains', 'audit_anchors')",
    )
    .fetch_one(tx)
    .await
    .unwrap()
}

#[tokio::test]
async fn one_tenant_is_not_looked_for_among_all() {
    let test = TestDatabase::create().await;
    populate(&test, 1).await;
    test.superuser().await.execute(raw_sql(CROWD)).await.unwrap();
    let database = test.database().await;
    let mut tx = database.system("a test").await.unwrap();
    let id: Uuid = sqlx::query_scalar("select id from tenants where subscription_id is not null")
        .fetch_one(&mut tx)
        .await
        .unwrap();
    let id = TenantId::from_uuid(id);
    let nobody = CheckoutId::from_uuid(Uuid::nil());

    let mut through_whole_tables = Vec::new();
    macro_rules! look {
        ($($call:expr,)+) => {$(
            let before = read_through(&mut tx).await;
            $call.await.unwrap();
            let after = read_through(&mut tx).await;
            if after > before {
                through_whole_tables.push((stringify!($call), after - before));
            }
        )+};
    }
    look! {
        tenants::find(&mut tx, id),
        tenants::lock(&mut tx, id),
        domains::keep(&mut tx, id),
        operations::list_of_tenant(&mut tx, id),
        operations::first_of_tenant(&mut tx, id),
        operations::current(&mut tx, id),
        checkouts::unpaid_of_tenant(&mut tx, id, nobody, Utc::now()),
        checkouts::open_of_tenant(&mut tx, id),
        checkouts::extend_reservation(&mut tx, id, Utc::now()),
        subscriptions::ending_with(&mut tx, id),
        trace::of_tenant(&mut tx, id),
        domains::release(&mut tx, id),
    }
    assert_eq!(through_whole_tables, []);
}

/// A log of many chains, sealed and signed but for a few rows of one.
const LONG_LOG: &str = "
set session_replication_role = replica;
insert into organizations (id, name) select gen_random_uuid(), 'Museum' from generate_series(1, 3000);
insert into audit_events (id, organization_id, action, actor, chain, seq, prev_hash, hash)
    select gen_random_uuid(), id, 'member.invited', 'anonymous', id, n, sha256('row'), sha256('row')
    from organizations, generate_series(1, 5) n;
delete from audit_chains;
insert into audit_chains (chain, scope, seq, hash, first_at, checkpoint_seq)
    select id, 'organization', 5, sha256('row'), now(), 5 from organizations;
insert into audit_anchors (chain, scope, seq, hash, anchored_at, signature)
    select id, 'organization', 1, sha256('row'), now(), sha512('signature') from organizations;
insert into audit_events (id, organization_id, action, actor)
    select gen_random_uuid(), id, 'member.invited', 'anonymous' from organizations order by id limit 3;
vacuum analyze audit_events, audit_chains, audit_anchors;
";

/// What every server asks of the log each second, and each minute.
#[tokio::test]
async fn what_waits_is_not_looked_for_in_the_whole_log() {
    let test = TestDatabase::create().await;
    populate(&test, 1).await;
    let mut superuser = test.superuser().await;
    for statement in LONG_LOG
        .split_inclusive(';')
        .map(str::trim)
        .filter(|statement| !statement.is_empty())
    {
        superuser.execute(AssertSqlSafe(statement.to_owned())).await.unwrap();
    }
    let database = test.database().await;
    let mut tx = database.system("a test").await.unwrap();
    let before = read_through(&mut tx).await;
    let waiting = seals::list_unsealed(&mut tx, 1_000).await.unwrap();
    assert_eq!(waiting.len(), 4);
    let chains: BTreeSet<Uuid> = waiting.iter().map(|row| row.chain_id()).collect();
    let wanted = Vec::from_iter(chains);
    assert_eq!(seals::find_ends(&mut tx, &wanted).await.unwrap().len(), wanted.len());
    assert_eq!(chains::list_unsigned(&mut tx, 1_000).await.unwrap().len(), 0);
    let long_ago = Utc::now() - TimeDelta::days(400);
    assert_eq!(
        anchors::list_old(&mut tx, long_ago, 100, 1_000, &[])
            .await
            .unwrap()
            .len(),
        0
    );
    assert_eq!(
        verification::list_late(&mut tx, long_ago, None, 1_000)
            .await
            .unwrap()
            .len(),
        0
    );
    assert_eq!(read_through(&mut tx).await, before);
}
