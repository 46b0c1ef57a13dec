//! What is old goes, behind an anchor, and nothing else does.

use chrono::TimeDelta;
use tenantry_app::audit;
use tenantry_domain::{
    audit::{Chain, Finding},
    ids::OrganizationId,
};
use tenantry_postgres::audit::anchors;

use crate::world::World;

const KEEP: TimeDelta = TimeDelta::days(400);

/// Rows so many days old, sealed.
async fn aged(world: &World, organization: OrganizationId, days: i64, count: i64) {
    world.clock.advance(TimeDelta::days(-days));
    world.record(Some(organization), None, count).await;
    world.clock.advance(TimeDelta::days(days));
    audit::seal_log(&world.app).await.unwrap();
}

async fn rows(world: &World, organization: OrganizationId) -> i64 {
    let query = format!(
        "select count(*) from audit_events where organization_id = '{}'",
        organization.uuid()
    );
    world.count(&query).await
}

#[tokio::test]
async fn old_rows_go_and_the_rest_still_verifies() {
    let world = World::new().await;
    let (long, dormant, young) = (
        world.organization().await,
        world.organization().await,
        world.organization().await,
    );
    aged(&world, long, 800, 1_500).await;
    aged(&world, long, 399, 5).await;
    aged(&world, dormant, 500, 3).await;
    aged(&world, young, 10, 2).await;
    let signed = world.checkpoint().await;
    assert_eq!(audit::drop_old(&world.app, KEEP).await.unwrap(), 1_503);
    assert_eq!(rows(&world, long).await, 5);
    assert_eq!(rows(&world, dormant).await, 0);
    assert_eq!(rows(&world, young).await, 2);
    assert_eq!(audit::drop_old(&world.app, KEEP).await.unwrap(), 0);

    assert_eq!(world.findings().await, []);
    // What was signed of rows that are gone by now speaks for nobody.
    assert_eq!(world.compare(&signed).await, (vec![], 3));

    for organization in [long, dormant, young] {
        world.record(Some(organization), None, 1).await;
    }
    assert_eq!(audit::seal_log(&world.app).await.unwrap(), 3);
    assert_eq!(world.findings().await, []);
    let continued = format!(
        "select seq from audit_events where organization_id = '{}'",
        dormant.uuid()
    );
    assert_eq!(world.count(&continued).await, 4);

    // The rows of 399 days are next.
    world.clock.advance(TimeDelta::days(2));
    assert_eq!(audit::drop_old(&world.app, KEEP).await.unwrap(), 5);
    assert_eq!(world.findings().await, []);
    let anchor = format!("select seq from audit_anchors where chain = '{}'", long.uuid());
    assert_eq!(world.count(&anchor).await, 1_505);
}

/// An old row behind a younger one stays until that one goes: a chain is shortened from its beginning.
#[tokio::test]
async fn only_a_beginning_goes() {
    let world = World::new().await;
    let organization = world.organization().await;
    aged(&world, organization, 500, 2).await;
    aged(&world, organization, 10, 1).await;
    aged(&world, organization, 500, 2).await;
    assert_eq!(audit::drop_old(&world.app, KEEP).await.unwrap(), 2);
    assert_eq!(rows(&world, organization).await, 3);
    assert_eq!(world.findings().await, []);
}

#[tokio::test]
async fn nothing_goes_before_a_year_is_over() {
    let world = World::new().await;
    let organization = world.organization().await;
    aged(&world, organization, 364, 3).await;
    assert!(audit::drop_old(&world.app, TimeDelta::days(30)).await.is_err());
    assert_eq!(rows(&world, organization).await, 3);
    assert_eq!(world.count("select count(*) from audit_anchors").await, 0);
}

#[tokio::test]
async fn what_waits_for_its_seal_stays() {
    let world = World::new().await;
    let organization = world.organization().await;
    world.clock.advance(TimeDelta::days(-500));
    world.record(Some(organization), None, 3).await;
    world.clock.advance(TimeDelta::days(500));
    assert_eq!(audit::drop_old(&world.app, KEEP).await.unwrap(), 0);
    assert_eq!(rows(&world, organization).await, 3);
}

#[tokio::test]
async fn nothing_goes_while_somebody_looks() {
    let world = World::new().await;
    let organization = world.organization().await;
    aged(&world, organization, 500, 3).await;
    let mut looking = world.app.database.read_system("a test looks").await.unwrap();
    anchors::hold_off(&mut looking).await.unwrap();
    assert_eq!(audit::drop_old(&world.app, KEEP).await.unwrap(), 0);
    drop(looking);
    tenantry_test_support::wait_for("its turn", std::time::Duration::from_secs(5), async || {
        (audit::drop_old(&world.app, KEEP).await.unwrap() == 3).then_some(())
    })
    .await;
}

/// Rows that somebody made old are not dropped as if they were: the servers would sign away what shows it. Other chains are
/// shortened all the same.
#[tokio::test]
async fn what_was_made_old_stays_and_is_found() {
    let world = World::new().await;
    let (touched, whole) = (world.organization().await, world.organization().await);
    aged(&world, touched, 10, 3).await;
    aged(&world, whole, 500, 3).await;
    let id = touched.uuid();
    world
        .tamper(&format!(
            "update audit_events set at = at - interval '500 days' where organization_id = '{id}' and seq <= 2;
             update audit_chains set first_at = first_at - interval '500 days' where chain = '{id}'"
        ))
        .await;
    assert_eq!(audit::drop_old(&world.app, KEEP).await.unwrap(), 3);
    assert_eq!((rows(&world, touched).await, rows(&world, whole).await), (3, 0));
    let found = world.findings().await;
    assert!(
        matches!(
            found.as_slice(),
            [Finding::Changed { seq: 1, .. }, Finding::Changed { seq: 2, .. }]
        ),
        "{found:?}"
    );
    let anchors = format!("select count(*) from audit_anchors where chain = '{id}'");
    assert_eq!(world.count(&anchors).await, 0);
}

/// Nor does a server put its name where a forged one stands.
#[tokio::test]
async fn nothing_goes_behind_an_anchor_that_is_forged() {
    let world = World::new().await;
    let organization = world.organization().await;
    aged(&world, organization, 500, 5).await;
    world
        .tamper(
            "insert into audit_anchors (chain, scope, seq, hash, anchored_at, signature)
             select chain, 'organization', seq, hash, now(), sha512('signature') from audit_events where seq = 2;
             delete from audit_events where seq <= 2",
        )
        .await;
    assert_eq!(audit::drop_old(&world.app, KEEP).await.unwrap(), 0);
    let chain = Chain::Organization(organization);
    assert_eq!(world.findings().await, [Finding::ForgedAnchor { chain, seq: 2 }]);
}

/// A chain that became empty is found again when a row is sealed in it while the note of that is written.
#[tokio::test]
async fn what_is_sealed_meanwhile_gets_old_like_everything_else() {
    let world = World::new().await;
    let organization = world.organization().await;
    aged(&world, organization, 500, 1).await;
    let before = world.now() - KEEP;
    let mut tx = world.app.database.system("a test drops").await.unwrap();
    let beginnings = anchors::list_old(&mut tx, before, 10, 10, &[]).await.unwrap();
    aged(&world, organization, 450, 1).await;
    anchors::note_first(&mut tx, &beginnings).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(audit::drop_old(&world.app, KEEP).await.unwrap(), 2);
}

/// An anchor vouches for what it was signed for, and not for more.
#[tokio::test]
async fn an_anchor_that_is_moved_is_found() {
    let world = World::new().await;
    let organization = world.organization().await;
    aged(&world, organization, 500, 3).await;
    aged(&world, organization, 10, 3).await;
    audit::drop_old(&world.app, KEEP).await.unwrap();
    let id = organization.uuid();
    world
        .tamper(&format!(
            "update audit_anchors a set seq = 5, hash = e.hash from audit_events e where e.chain = a.chain and e.seq = 5;
             delete from audit_events where organization_id = '{id}' and seq <= 5"
        ))
        .await;
    let chain = Chain::Organization(organization);
    assert_eq!(world.findings().await, [Finding::ForgedAnchor { chain, seq: 5 }]);
    // Without any, what was dropped by its age counts as missing, too.
    world.tamper("delete from audit_anchors").await;
    assert_eq!(world.findings().await, [Finding::Gap { chain, from: 1, to: 5 }]);
}
