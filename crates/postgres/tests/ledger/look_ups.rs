//! What is asked about one tenant is found by an index, however many there are.

use chrono::Utc;
use sqlx::{Executor, raw_sql};
use tenantry_domain::ids::{CheckoutId, TenantId};
use tenantry_postgres::{
    SystemTx,
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
         where relname in ('tenants', 'domains', 'operations', 'checkouts', 'stripe_events', 'jobs')",
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
