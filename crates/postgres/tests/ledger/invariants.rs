//! Rules that hold whatever the program does, since the database keeps them.

use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection};
use tenantry_test_support::TestDatabase;

use super::world::{World, populate};

/// A populated database and a connection of the system role.
async fn prepared() -> (TestDatabase, PgConnection, World) {
    let test = TestDatabase::create().await;
    let worlds = populate(&test, 2).await;
    let system = PgConnection::connect(&test.system_url).await.unwrap();
    (test, system, worlds[0])
}

/// Runs statements in one transaction; the name of the constraint that refused them, or of the error.
async fn attempt(connection: &mut PgConnection, world: World, statements: &str) -> Result<(), String> {
    let statements = statements
        .replace("{organization}", &world.organization.uuid().to_string())
        .replace("{user}", &world.user.uuid().to_string());
    let mut transaction = connection.begin().await.unwrap();
    let outcome = match transaction.execute(sqlx::raw_sql(AssertSqlSafe(statements))).await {
        Ok(_) => transaction.commit().await,
        Err(error) => {
            transaction.rollback().await.unwrap();
            Err(error)
        }
    };
    outcome.map_err(|error| {
        let refusal = error.as_database_error().expect("a refusal of the database");
        refusal
            .constraint()
            .map_or_else(|| refusal.message().to_owned(), str::to_owned)
    })
}

macro_rules! refuses {
    ($($name:ident: $statements:expr => $constraint:expr;)+) => {$(
        #[tokio::test]
        async fn $name() {
            let (_test, mut system, world) = prepared().await;
            assert_eq!(attempt(&mut system, world, $statements).await, Err($constraint.to_owned()));
        }
    )+};
}

macro_rules! allows {
    ($($name:ident: $statements:expr;)+) => {$(
        #[tokio::test]
        async fn $name() {
            let (_test, mut system, world) = prepared().await;
            assert_eq!(attempt(&mut system, world, $statements).await, Ok(()));
        }
    )+};
}

const APPEND_ONLY: &str = "the audit log is append-only";
const OWNER: &str = "memberships_at_least_one_owner";

refuses! {
    the_last_owner_cannot_leave:
        "delete from memberships where organization_id = '{organization}'" => OWNER;
    the_last_owner_cannot_be_demoted:
        "update memberships set role = 'admin' where organization_id = '{organization}'" => OWNER;
    the_last_owner_cannot_be_moved_to_another_organization:
        "update memberships set role = 'member', organization_id = (select id from organizations
            where id <> '{organization}') where organization_id = '{organization}'" => OWNER;
    an_organization_is_not_made_without_owner:
        "insert into organizations (id, name) values (gen_random_uuid(), 'Nobody''s')" => OWNER;
    an_organization_is_not_revived_without_owner:
        "update organizations set state = 'deleting' where id = '{organization}';
         delete from memberships where organization_id = '{organization}';
         update organizations set state = 'active' where id = '{organization}'" => OWNER;
    a_second_owner:
        "insert into memberships (organization_id, user_id, role)
         select '{organization}', id, 'owner' from users where email_normalized = 'stranger@example.org'"
        => "memberships_one_owner";
    the_last_owner_cannot_vanish_with_the_user:
        "delete from users where id = '{user}'" => OWNER;
    a_slug_of_another: "insert into organization_slugs (slug, organization_id, is_current)
        values ('museum-1', '{organization}', false)" => "organization_slugs_pkey";
    two_current_slugs: "insert into organization_slugs (slug, organization_id, is_current)
        values ('museum-new', '{organization}', true)" => "organization_slugs_current";
    a_plan_version_that_changes: "update plan_versions set definition = '{\"limits\": {}}'"
        => "plan_versions_are_immutable";
    a_second_current_version_of_a_plan: "insert into plan_versions (id, product, plan, version, definition)
        values (gen_random_uuid(), 'collection', 'starter', 2, '{}')" => "plan_versions_current";
    a_tenant_that_jumps_to_active: "update tenants set state = 'active'" => "tenants_legal_moves";
    a_tenant_that_comes_back:
        "update tenants set state = 'deleted'; update tenants set state = 'provisioning'" => "tenants_legal_moves";
    a_tenant_of_anothers_subscription: "update tenants set subscription_id = (select id from subscriptions
        where organization_id <> '{organization}') where organization_id = '{organization}'"
        => "tenants_organization_id_subscription_id_fkey";
    a_domain_of_anothers_tenant: "update domains set tenant_id = (select id from tenants
        where organization_id <> '{organization}') where organization_id = '{organization}'"
        => "domains_organization_id_tenant_id_fkey";
    two_tenants_in_one_namespace: "update tenants set namespace = 'same'" => "tenants_namespace";
    two_operations_on_one_tenant: "insert into operations (id, organization_id, tenant_id, kind, params, cause, actor)
        select gen_random_uuid(), organization_id, id, 'provision', '{}', 'again', 'system' from tenants
        where organization_id = '{organization}'" => "operations_one_at_a_time";
    two_open_checkouts_for_one_purchase: "insert into checkouts (id, organization_id, product, price_id, tenant_id, expires_at)
        select gen_random_uuid(), organization_id, product, price_id, tenant_id, expires_at from checkouts
        where organization_id = '{organization}'" => "checkouts_one_open";
    two_free_subscriptions_to_one_product:
        "insert into subscriptions (id, organization_id, product, delivery, plan_version_id, source, status)
         select gen_random_uuid(), '{organization}', 'collection', 'dedicated', v.id, 'free', 'active'
         from plan_versions v, generate_series(1, 2)" => "subscriptions_one_free";
    two_counters_of_one_limit:
        "insert into limit_counters (id, organization_id, limit_key)
         select gen_random_uuid(), '{organization}', 'members' from generate_series(1, 2)"
        => "limit_counters_organization_id_subscription_id_limit_key_key";
    a_counter_below_zero: "update limit_counters set used = used - 1" => "limit_counters_used_check";
    a_checkout_that_is_opened_again: "update checkouts set state = 'expired'; update checkouts set state = 'open'"
        => "checkouts_legal_moves";
    a_payment_that_is_taken_back: "update checkouts set state = 'paid'; update checkouts set state = 'failed'"
        => "checkouts_legal_moves";
    an_operation_that_goes_on_after_its_end:
        "update operations set state = 'done', ended_at = now(); update operations set state = 'queued'"
        => "operations_legal_moves";
    a_tenant_with_a_plan_of_another_product:
        "insert into products (key, delivery, definition) values ('other', 'dedicated', '{}');
         insert into plan_versions (id, product, plan, version, definition)
         values (gen_random_uuid(), 'other', 'starter', 1, '{}');
         update tenants set plan_version_wanted = (select id from plan_versions where product = 'other')"
        => "tenants_plan_wanted_of_product";
    a_checkout_at_the_price_of_another_product:
        "insert into products (key, delivery, definition) values ('other', 'dedicated', '{}');
         insert into plan_versions (id, product, plan, version, definition)
         values (gen_random_uuid(), 'other', 'starter', 1, '{}');
         insert into prices (id, plan_version_id, recurrence, currency, amount_minor, lookup_key)
         select gen_random_uuid(), id, 'month', 'EUR', 100, 'other' from plan_versions where product = 'other';
         update checkouts set price_id = (select id from prices where lookup_key = 'other')"
        => "checkouts_price_of_product";
    a_contract_at_the_price_of_another_product:
        "insert into products (key, delivery, definition) values ('other', 'dedicated', '{}');
         insert into plan_versions (id, product, plan, version, definition)
         values (gen_random_uuid(), 'other', 'starter', 1, '{}');
         insert into prices (id, plan_version_id, recurrence, currency, amount_minor, lookup_key)
         select gen_random_uuid(), id, 'month', 'EUR', 100, 'other' from plan_versions where product = 'other';
         update subscriptions set price_id = (select id from prices where lookup_key = 'other')"
        => "subscriptions_price_of_product";
    a_checkout_for_a_tenant_of_another_product:
        "insert into products (key, delivery, definition) values ('other', 'dedicated', '{}');
         insert into plan_versions (id, product, plan, version, definition)
         values (gen_random_uuid(), 'other', 'starter', 1, '{}');
         insert into prices (id, plan_version_id, recurrence, currency, amount_minor, lookup_key)
         select gen_random_uuid(), id, 'month', 'EUR', 100, 'other' from plan_versions where product = 'other';
         update checkouts set product = 'other', price_id = (select id from prices where lookup_key = 'other')"
        => "checkouts_tenant_of_product";
    an_audit_event_that_changes: "update audit_events set actor = 'nobody'"
        => "permission denied for table audit_events";
    an_audit_event_that_vanishes: "delete from audit_events" => APPEND_ONLY;
    an_audit_event_that_vanishes_behind_an_anchor_before_its_time:
        "update audit_events set seq = 1, prev_hash = decode(repeat('00', 32), 'hex'), hash = sha256('row')
            where organization_id = '{organization}';
         insert into audit_anchors (chain, scope, seq, hash, anchored_at, signature)
         values ('{organization}', 'organization', 1, sha256('row'), now(), sha512('signature'));
         delete from audit_events where organization_id = '{organization}'" => APPEND_ONLY;
    an_audit_event_that_begins_sealed:
        "insert into audit_events (id, organization_id, action, actor, seq, prev_hash, hash)
         values (gen_random_uuid(), '{organization}', 'tenant.created', 'user', 1, sha256('row'), sha256('row'))" => APPEND_ONLY;
    a_seal_that_is_broken:
        "update audit_events set seq = 1, prev_hash = decode(repeat('00', 32), 'hex'), hash = sha256('row')
            where organization_id = '{organization}';
         update audit_events set hash = sha256('another row') where organization_id = '{organization}'" => APPEND_ONLY;
    a_seal_that_is_taken_off:
        "update audit_events set seq = 1, prev_hash = decode(repeat('00', 32), 'hex'), hash = sha256('row')
            where organization_id = '{organization}';
         update audit_events set seq = null, prev_hash = null, hash = null" => APPEND_ONLY;
    a_seal_that_follows_nothing:
        "update audit_events set seq = 2, prev_hash = sha256('row'), hash = sha256('row')
            where organization_id = '{organization}'" => "a seal does not follow the end of its chain";
    a_first_seal_that_claims_a_predecessor:
        "update audit_events set seq = 1, prev_hash = sha256('row'), hash = sha256('row')
            where organization_id = '{organization}'" => "a seal does not follow the end of its chain";
    a_chain_that_begins_again:
        "insert into audit_chains (chain, scope, seq, hash) values ('{organization}', 'organization', 3, sha256('row'));
         update audit_events set seq = 1, prev_hash = decode(repeat('00', 32), 'hex'), hash = sha256('row')
            where organization_id = '{organization}'" => "a seal does not follow the end of its chain";
    half_a_seal: "update audit_events set seq = 1" => "audit_events_sealed_whole";
}

allows! {
    a_price_stays_with_the_product_of_its_plan:
        "insert into products (key, delivery, definition) values ('other', 'dedicated', '{}');
         update prices set product = 'other';
         do $$ begin assert not exists (select from prices where product = 'other'), 'it moved'; end $$";
    an_owner_hands_over_by_demoting_first:
        "insert into memberships (organization_id, user_id, role)
         select '{organization}', id, 'member' from users where email_normalized = 'stranger@example.org';
         update memberships set role = 'admin' where organization_id = '{organization}' and user_id = '{user}';
         update memberships set role = 'owner' where organization_id = '{organization}' and user_id <> '{user}'";
    an_organization_that_is_being_deleted_may_lose_its_owner:
        "update organizations set state = 'deleting' where id = '{organization}';
         delete from memberships where organization_id = '{organization}'";
    a_plan_version_is_retired_and_followed:
        "update plan_versions set retired_at = now();
         insert into plan_versions (id, product, plan, version, definition)
         values (gen_random_uuid(), 'collection', 'starter', 2, '{}')";
    a_tenant_goes_its_way:
        "update tenants set state = 'provisioning'; update tenants set state = 'failed';
         update tenants set state = 'provisioning'; update tenants set state = 'active';
         update tenants set state = 'deprovisioning'; update tenants set state = 'deleted'";
    the_next_operation_follows_one_that_ended:
        "update operations set state = 'undone', ended_at = now();
         insert into operations (id, organization_id, tenant_id, kind, params, cause, actor)
         select gen_random_uuid(), organization_id, id, 'provision', '{}', 'again', 'system' from tenants";
    a_checkout_that_expired_turns_out_to_be_paid:
        "update checkouts set state = 'expired'; update checkouts set state = 'paid'";
    a_stuck_operation_goes_on:
        "update operations set state = 'stuck'; update operations set state = 'undoing';
         update operations set state = 'undone', ended_at = now()";
    a_new_checkout_follows_one_that_expired:
        "update checkouts set state = 'expired';
         insert into checkouts (id, organization_id, product, price_id, tenant_id, expires_at)
         select gen_random_uuid(), organization_id, product, price_id, tenant_id, expires_at from checkouts";
    a_namespace_of_a_deleted_tenant_is_free_again:
        "update tenants set state = 'deleted', namespace = 'gone' where organization_id = '{organization}';
         update tenants set namespace = 'gone' where organization_id <> '{organization}'";
}

/// Not even the owner, whom no grant binds.
#[tokio::test]
async fn the_audit_log_is_append_only_for_the_owner_too() {
    let (test, _, world) = prepared().await;
    let mut owner = test.owner().await;
    for statement in [
        "update audit_events set actor = 'nobody'",
        "update audit_events set seq = 1, prev_hash = decode(repeat('00', 32), 'hex'), hash = sha256('row'), actor = 'nobody'
            where organization_id = '{organization}'",
        "delete from audit_events",
        "truncate audit_events",
    ] {
        assert_eq!(
            attempt(&mut owner, world, statement).await,
            Err(APPEND_ONLY.to_owned()),
            "{statement}"
        );
    }
}
