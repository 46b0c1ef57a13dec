//! Rows get their seals: all, once, in order, soon, whoever dies meanwhile, and nobody waits.

use std::time::{Duration, Instant};

use chrono::TimeDelta;
use sqlx::Connection;
use tenantry_app::audit::{self, Act, CheckpointLog, Keeping};
use tenantry_domain::{
    audit::{Chain, Finding},
    ids::{AuditEventId, UserId},
};
use tenantry_postgres::{SystemTx, audit::seals};
use tenantry_test_support::{wait_for, wait_for_ok};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::world::World;

/// By then a row is sealed, however many wait.
const BOUND: Duration = Duration::from_secs(5);

fn keeping() -> Keeping {
    Keeping {
        checkpoints: CheckpointLog::new(None, |_| ()),
        checkpoint_every: Duration::from_secs(60),
        keep_for: TimeDelta::days(400),
    }
}

#[tokio::test]
async fn each_chain_is_sealed_for_itself() {
    let world = World::new().await;
    let (one, other) = (world.organization().await, world.organization().await);
    let user = UserId::from_uuid(Uuid::now_v7());
    for _ in 0..2 {
        world.record(Some(one), Some(user), 2).await;
        world.record(Some(other), None, 1).await;
        world.record(None, Some(user), 3).await;
        world.record(None, None, 1).await;
        assert_eq!(audit::seal_log(&world.app).await.unwrap(), 7);
    }
    assert_eq!(audit::seal_log(&world.app).await.unwrap(), 0);
    assert_eq!(world.findings().await, []);
    for (chain, rows) in [
        (Chain::Organization(one), 4),
        (Chain::Organization(other), 2),
        (Chain::User(user), 6),
        (Chain::System, 2),
    ] {
        let ends = format!(
            "select count(*) from audit_chains where chain = '{}' and scope = '{}' and seq = {rows}",
            chain.uuid(),
            chain.scope()
        );
        assert_eq!(world.count(&ends).await, 1, "{chain}");
        let mut found = Vec::new();
        let counts = audit::verify_log(&world.app, Some(chain), |finding| found.push(finding), |_| ())
            .await
            .unwrap();
        assert_eq!((found.as_slice(), counts.rows, counts.chains), ([].as_slice(), rows, 1));
    }
}

#[tokio::test]
async fn rows_are_sealed_in_the_order_of_their_time() {
    let world = World::new().await;
    world.sealed(50).await;
    let disorder = "select count(*) from audit_events one join audit_events other using (chain)
                     where one.seq < other.seq and one.at > other.at";
    assert_eq!(world.count(disorder).await, 0);
}

/// Somebody who is forgotten leaves a chain that still verifies.
#[tokio::test]
async fn a_chain_outlives_the_keys_of_those_in_it() {
    let world = World::new().await;
    let user = UserId::from_uuid(Uuid::now_v7());
    world.record(None, Some(user), 5).await;
    audit::seal_log(&world.app).await.unwrap();
    let event: Uuid = sqlx::query_scalar("select id from audit_events limit 1")
        .fetch_one(&mut world.test.superuser().await)
        .await
        .unwrap();
    let event = AuditEventId::from_uuid(event);
    assert!(audit::find_personal(&world.app, event).await.unwrap().is_some());
    let mut tx = world.app.database.system("a test forgets somebody").await.unwrap();
    audit::forget_person(&mut tx, user).await.unwrap();
    tx.commit().await.unwrap();
    assert!(audit::find_personal(&world.app, event).await.unwrap().is_none());
    assert_eq!(world.findings().await, []);
}

#[tokio::test]
async fn a_row_that_nobody_seals_is_named_after_a_minute() {
    let world = World::new().await;
    world.record(None, None, 1).await;
    assert_eq!(world.findings().await, []);
    world.clock.advance(TimeDelta::seconds(61));
    let found = world.findings().await;
    assert!(
        matches!(
            found.as_slice(),
            [Finding::Unsealed {
                chain: Chain::System,
                ..
            }]
        ),
        "{found:?}"
    );
    audit::seal_log(&world.app).await.unwrap();
    assert_eq!(world.findings().await, []);
}

/// Everything that a sealer does before its commit.
async fn seal_halfway(world: &World) -> SystemTx {
    let mut tx = world.app.database.system("a test seals").await.unwrap();
    assert!(seals::take_turn(&mut tx).await.unwrap());
    assert!(!seals::list_unsealed(&mut tx, 10).await.unwrap().is_empty());
    sqlx::query(
        "update audit_events set seq = 1, prev_hash = decode(repeat('00', 32), 'hex'), hash = sha256('halfway')
          where id = (select id from audit_events order by at, id limit 1)",
    )
    .execute(&mut tx)
    .await
    .unwrap();
    tx
}

#[tokio::test]
async fn a_sealer_that_is_killed_leaves_nothing_half_done() {
    let world = World::new().await;
    let organization = world.organization().await;
    world.record(Some(organization), None, 20).await;
    let mut tx = seal_halfway(&world).await;
    let backend: i32 = sqlx::query_scalar("select pg_backend_pid()")
        .fetch_one(&mut tx)
        .await
        .unwrap();
    // Its turn is its own.
    assert_eq!(audit::seal_log(&world.replica().await.app).await.unwrap(), 0);
    sqlx::query("select pg_terminate_backend($1)")
        .bind(backend)
        .execute(&mut world.test.superuser().await)
        .await
        .unwrap();
    wait_for("the next sealer", BOUND, async || {
        (audit::seal_log(&world.app).await.unwrap() == 20).then_some(())
    })
    .await;
    assert!(tx.commit().await.is_err());
    assert_eq!(world.findings().await, []);
}

/// It is alive, but it stands still: its transaction is ended, and another one goes on.
#[tokio::test]
async fn a_sealer_that_stalls_loses_its_turn() {
    let world = World::new().await;
    world.record(None, None, 3).await;
    let stalled = seal_halfway(&world).await;
    wait_for("the next sealer", 2 * BOUND, async || {
        (audit::seal_log(&world.app).await.unwrap() == 3).then_some(())
    })
    .await;
    assert!(stalled.commit().await.is_err());
    assert_eq!(world.findings().await, []);
}

#[tokio::test]
async fn nobody_waits_for_the_sealer_nor_it_for_them() {
    let world = World::new().await;
    let organization = world.organization().await;
    world.record(Some(organization), None, 3).await;
    let halfway = seal_halfway(&world).await;
    tokio::time::timeout(Duration::from_secs(2), world.record(Some(organization), None, 1))
        .await
        .unwrap();
    halfway.rollback().await.unwrap();

    let mut open = world.app.database.system("a test acts and goes on").await.unwrap();
    let act = Act::new("member.invited", "anonymous").organization(organization);
    audit::record(&world.app, &mut open, act).await.unwrap();
    assert_eq!(audit::seal_log(&world.app).await.unwrap(), 4);
    // It is older than what is sealed by now, and comes behind it.
    open.commit().await.unwrap();
    assert_eq!(audit::seal_log(&world.app).await.unwrap(), 1);
    assert_eq!(world.findings().await, []);
}

#[tokio::test(flavor = "multi_thread")]
async fn several_sealers_at_once_make_one_chain() {
    const WRITERS: i64 = 4;
    const ACTS: i64 = 25;
    let world = World::new().await;
    let organization = world.organization().await;
    let stop = CancellationToken::new();
    let sealers: Vec<_> = futures::future::join_all((0..3).map(|_| world.replica()))
        .await
        .into_iter()
        .map(|replica| {
            let stop = stop.clone();
            tokio::spawn(async move {
                while !stop.is_cancelled() {
                    audit::seal_log(&replica.app).await.unwrap();
                    tokio::task::yield_now().await;
                }
            })
        })
        .collect();
    let write = async || {
        for _ in 0..ACTS {
            world.record(Some(organization), None, 1).await;
        }
    };
    tokio::join!(write(), write(), write(), write());
    wait_for_ok("every row to be sealed", BOUND, async || match world.unsealed().await {
        0 => Ok(()),
        rows => Err(rows),
    })
    .await;
    stop.cancel();
    for sealer in sealers {
        sealer.await.unwrap();
    }
    assert_eq!(world.findings().await, []);
    let longest = "select max(seq) from audit_events";
    assert_eq!(world.count(longest).await, WRITERS * ACTS);
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_thousand_rows_are_sealed_in_time() {
    let world = World::new().await;
    let stop = CancellationToken::new();
    let keepers: Vec<_> = [world.app.clone(), world.replica().await.app]
        .map(|app| tokio::spawn(audit::keep(app, keeping(), stop.clone())))
        .into();
    world
        .tamper(
            "insert into organizations (id, name) select gen_random_uuid(), 'Museum' from generate_series(1, 200);
             insert into audit_events (id, organization_id, action, actor, target, body)
             select gen_random_uuid(), o.id, 'member.invited', 'anonymous', 'inv_' || n, jsonb_build_object('n', n)
               from organizations o, generate_series(1, 50) n",
        )
        .await;
    let committed = Instant::now();
    wait_for_ok("every row to be sealed", BOUND, async || match world.unsealed().await {
        0 => Ok(()),
        rows => Err(rows),
    })
    .await;
    eprintln!(
        "10,000 rows in 200 chains were sealed {:?} after their commit",
        committed.elapsed()
    );
    stop.cancel();
    for keeper in keepers {
        keeper.await.unwrap();
    }
    assert_eq!(world.findings().await, []);
    assert_eq!(
        world.count("select count(*) from audit_chains where seq = 50").await,
        200
    );
}

/// Sealing, signing and dropping go on at once, and change the same rows: nobody holds one while waiting for another that comes
/// before it.
#[tokio::test]
async fn ends_of_chains_are_locked_in_their_order() {
    let world = World::new().await;
    let mut organizations = Vec::new();
    for _ in 0..20 {
        organizations.push(world.organization().await);
    }
    world.clock.advance(TimeDelta::days(-500));
    for organization in &organizations {
        world.record(Some(*organization), None, 1).await;
    }
    world.clock.advance(TimeDelta::days(500));
    audit::seal_log(&world.app).await.unwrap();
    for organization in organizations.iter().rev() {
        world.record(Some(*organization), None, 1).await;
    }
    let app = world.app.clone();
    holds_nothing_while_it_waits(&world, async move {
        audit::seal_log(&app).await.unwrap();
    })
    .await;
    let app = world.app.clone();
    holds_nothing_while_it_waits(&world, async move {
        let log = CheckpointLog::new(None, |_| ());
        audit::write_checkpoints(&app, &log).await.unwrap();
    })
    .await;
    let app = world.app.clone();
    holds_nothing_while_it_waits(&world, async move {
        let dropped = audit::drop_old(&app, TimeDelta::days(400)).await.unwrap();
        assert_eq!(dropped, 20);
    })
    .await;
}

/// While somebody else has the first of all chains.
async fn holds_nothing_while_it_waits(world: &World, act: impl Future<Output = ()> + Send + 'static) {
    let mut other = world.test.superuser().await;
    let mut tx = other.begin().await.unwrap();
    sqlx::query("select from audit_chains order by chain limit 1 for update")
        .execute(&mut *tx)
        .await
        .unwrap();
    let acting = tokio::spawn(act);
    wait_for("it to wait", BOUND, async || {
        let waiting = "select count(*) from pg_stat_activity
                        where datname = current_database() and wait_event_type = 'Lock'";
        (world.count(waiting).await == 1).then_some(())
    })
    .await;
    let free = sqlx::query("select from audit_chains for update skip locked")
        .execute(&mut *tx)
        .await
        .unwrap();
    assert_eq!(free.rows_affected(), 20);
    tx.rollback().await.unwrap();
    acting.await.unwrap();
}
