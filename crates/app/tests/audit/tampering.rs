//! Whoever goes at the log with a superuser's rights and no trigger in the way is found out, and what was touched is named.

use std::collections::BTreeSet;

use tenantry_app::audit;
use tenantry_domain::{
    audit::{Chain, ChainHash, ENCODED_COLUMNS, Finding},
    ids::{AuditEventId, OrganizationId},
};
use tenantry_postgres::audit::verification::list_sealed;
use uuid::Uuid;

use crate::world::World;

const COLUMNS: &str =
    "id, organization_id, user_id, action, actor, sealed_personal, target, body, at, chain, seq, prev_hash, hash";

/// Two organizations with ten sealed rows each, and a copy of it all.
struct Scene {
    world: World,
    organization: OrganizationId,
    other: OrganizationId,
}

impl Scene {
    async fn new() -> Self {
        let world = World::new().await;
        let scene = Self {
            organization: world.sealed(10).await,
            other: world.sealed(10).await,
            world,
        };
        scene
            .world
            .tamper(
                "create table copy_of_events as select * from audit_events;
                 create table copy_of_chains as select * from audit_chains;",
            )
            .await;
        scene
    }

    fn chain(&self) -> Chain {
        Chain::Organization(self.organization)
    }

    /// The fifth row of the first organization.
    async fn fifth(&self) -> AuditEventId {
        let id: Uuid = sqlx::query_scalar("select id from copy_of_events where organization_id = $1 and seq = 5")
            .bind(self.organization.uuid())
            .fetch_one(&mut self.world.test.superuser().await)
            .await
            .unwrap();
        AuditEventId::from_uuid(id)
    }

    /// As if nothing had happened.
    async fn restore(&self) {
        self.world
            .tamper(&format!(
                "truncate audit_events, audit_chains, audit_anchors;
                 insert into audit_events ({COLUMNS}) select {COLUMNS} from copy_of_events;
                 insert into audit_chains select * from copy_of_chains;"
            ))
            .await;
    }

    /// What is found after these statements, in which `{row}` is a condition for the fifth row of `{organization}`.
    async fn after(&self, statements: &str) -> Vec<Finding> {
        let statements = statements
            .replace("{row}", "organization_id = '{organization}' and seq = 5")
            .replace("{organization}", &self.organization.uuid().to_string())
            .replace("{other}", &self.other.uuid().to_string());
        self.world.tamper(&statements).await;
        let found = self.world.findings().await;
        self.restore().await;
        found
    }

    /// Computes the hashes of a chain anew from a row on, as a server would.
    async fn reseal(&self, from: i64) {
        let mut tx = self.world.app.database.system("a test reseals").await.unwrap();
        let id = self.organization.uuid();
        let rows = list_sealed(&mut tx, (id, from - 2), Some(id), 100).await.unwrap();
        drop(tx);
        let mut before: Option<ChainHash> = None;
        for row in rows {
            let mut position = row.position();
            let Some(prev_hash) = before else {
                before = row.hash();
                continue;
            };
            position.prev_hash = prev_hash;
            let hash = tenantry_domain::audit::hash(&row.row.record(), &position);
            before = Some(hash);
            self.world
                .tamper(&format!(
                    "update audit_events set prev_hash = '\\x{prev_hash}', hash = '\\x{hash}' where id = '{}';
                     update audit_chains set hash = '\\x{hash}' where chain = '{id}'",
                    row.row.event().uuid(),
                ))
                .await;
        }
    }
}

/// A column that is added has to be hashed, too.
#[tokio::test]
async fn every_column_is_hashed() {
    let world = World::new().await;
    let columns: Vec<String> = sqlx::query_scalar(
        "select column_name::text from information_schema.columns
          where table_schema = 'public' and table_name = 'audit_events'",
    )
    .fetch_all(&mut world.test.superuser().await)
    .await
    .unwrap();
    let columns: BTreeSet<&str> = columns.iter().map(String::as_str).collect();
    let hashed: BTreeSet<&str> = ENCODED_COLUMNS.iter().copied().chain(["hash"]).collect();
    assert_eq!(columns, hashed);
}

#[tokio::test]
async fn a_change_of_any_column_is_named() {
    let scene = Scene::new().await;
    let (chain, seq, event) = (scene.chain(), 5, scene.fifth().await);
    assert_eq!(scene.world.findings().await, []);
    for change in [
        "user_id = null",
        "user_id = gen_random_uuid()",
        "action = 'member.removed'",
        "actor = 'anonymous'",
        "target = 'inv_5'",
        "target = ''",
        "target = null",
        "body = '{}'",
        "body = jsonb_set(body, '{n}', '5')",
        "body = jsonb_set(body, '{amount}', '1.50')",
        "at = at + interval '1 microsecond'",
        "at = 'infinity'",
        "at = '-infinity'",
        "sealed_personal = null",
        "sealed_personal = set_byte(sealed_personal, 20, get_byte(sealed_personal, 20) # 1)",
        "prev_hash = hash",
        "hash = sha256(hash)",
    ] {
        let found = scene
            .after(&format!("update audit_events set {change} where {{row}}"))
            .await;
        assert_eq!(found, [Finding::Changed { chain, seq, event }], "{change}");
    }
    // Who is told apart by the id has another one now.
    let found = scene
        .after("update audit_events set id = gen_random_uuid() where {row}")
        .await;
    assert!(
        matches!(found.as_slice(), [Finding::Changed { seq: 5, .. }]),
        "{found:?}"
    );
    assert_eq!(scene.world.findings().await, []);
}

#[tokio::test]
async fn a_row_in_another_place_is_named() {
    let scene = Scene::new().await;
    let (chain, event) = (scene.chain(), scene.fifth().await);
    let (seq, from, to) = (5, 5, 5);
    let found = scene
        .after("update audit_events set seq = 11 where {row}; update audit_chains set seq = 11 where chain = '{organization}'")
        .await;
    assert_eq!(
        found,
        [
            Finding::Gap { chain, from, to },
            Finding::Changed { chain, seq: 11, event }
        ]
    );
    let found = scene
        .after(
            "update audit_events set organization_id = '{other}', chain = '{other}', seq = 11 where {row};
             update audit_chains set seq = 11 where chain = '{other}'",
        )
        .await;
    let other = Chain::Organization(scene.other);
    assert_eq!(found.len(), 2, "{found:?}");
    assert!(found.contains(&Finding::Gap { chain, from, to }), "{found:?}");
    let moved = Finding::Changed {
        chain: other,
        seq: 11,
        event,
    };
    assert!(found.contains(&moved), "{found:?}");
    // In a chain that its organization does not lead to.
    scene
        .world
        .tamper(&format!(
            "update audit_events set chain = user_id where organization_id = '{}' and seq = 5",
            scene.organization.uuid()
        ))
        .await;
    let found = scene.world.findings().await;
    assert!(found.contains(&Finding::Gap { chain, from, to }), "{found:?}");
    assert!(found.contains(&Finding::Changed { chain, seq, event }), "{found:?}");
}

#[tokio::test]
async fn missing_rows_are_named_by_their_numbers() {
    let scene = Scene::new().await;
    let chain = scene.chain();
    let gap = |from, to| [Finding::Gap { chain, from, to }];
    let cut = |last| {
        let expected = 10;
        [Finding::TailCut { chain, last, expected }]
    };
    assert_eq!(scene.after("delete from audit_events where {row}").await, gap(5, 5));
    let of = "delete from audit_events where organization_id = '{organization}'";
    assert_eq!(scene.after(&format!("{of} and seq between 3 and 7")).await, gap(3, 7));
    assert_eq!(scene.after(&format!("{of} and seq < 4")).await, gap(1, 3));
    assert_eq!(scene.after(&format!("{of} and seq = 10")).await, cut(9));
    assert_eq!(scene.after(of).await, cut(0));
    // An anchor that no server has signed vouches for nothing.
    let anchor = "insert into audit_anchors (chain, scope, seq, hash, anchored_at, signature)
                  select '{organization}', 'organization', seq, hash, now(), sha512('signature')
                    from audit_events where organization_id = '{organization}' and seq = 3;";
    let found = scene.after(&format!("{anchor} {of} and seq < 4")).await;
    assert_eq!(found, [Finding::ForgedAnchor { chain, seq: 3 }]);
}

#[tokio::test]
async fn rows_that_were_put_there_are_named() {
    let scene = Scene::new().await;
    let (chain, fifth) = (scene.chain(), scene.fifth().await);
    let insert = |seq: i64| {
        format!(
            "insert into audit_events (id, organization_id, action, actor, chain, seq, prev_hash, hash)
             select '{}', organization_id, action, actor, chain, {seq}, hash, sha256(hash)
               from audit_events where {{row}};",
            Uuid::nil()
        )
    };
    let event = AuditEventId::from_uuid(Uuid::nil());
    let found = scene.after(&insert(11)).await;
    assert_eq!(
        found,
        [
            Finding::Changed { chain, seq: 11, event },
            Finding::Unaccounted {
                chain,
                from: 11,
                to: 11
            }
        ]
    );
    let found = scene
        .after(&format!("drop index audit_events_by_chain; {}", insert(5)))
        .await;
    let out_of_place = |event| Finding::OutOfPlace { chain, seq: 5, event };
    assert!(found.contains(&Finding::Changed { chain, seq: 5, event }), "{found:?}");
    assert!(
        found.contains(&out_of_place(event)) || found.contains(&out_of_place(fifth)),
        "{found:?}"
    );
    // A seal in no chain is none.
    let found = scene
        .after(&format!(
            "alter table audit_events drop constraint audit_events_sealed_whole; {}
             update audit_events set chain = null where id = '{}'",
            insert(11),
            Uuid::nil()
        ))
        .await;
    assert!(
        matches!(found.as_slice(), [Finding::Unsealed { event: of, .. }] if *of == event),
        "{found:?}"
    );
    let noted = "delete from audit_chains where chain = '{organization}'";
    let found = scene.after(noted).await;
    let (from, to) = (1, 10);
    assert_eq!(found, [Finding::Unaccounted { chain, from, to }]);
}

#[tokio::test]
async fn two_rows_that_changed_places_are_named() {
    let scene = Scene::new().await;
    let chain = scene.chain();
    let swapped = |found: &[Finding]| {
        let changed = |wanted: i64| {
            found.iter().any(
                |finding| matches!(finding, Finding::Changed { chain: of, seq, .. } if *of == chain && *seq == wanted),
            )
        };
        found.len() == 2 && changed(4) && changed(6)
    };
    // Their contents, and then their seals.
    for columns in [
        "action = b.action, target = b.target, body = b.body, at = b.at",
        "seq = b.seq, prev_hash = b.prev_hash, hash = b.hash",
    ] {
        let found = scene
            .after(&format!(
                "drop index if exists audit_events_by_chain;
                 update audit_events a set {columns} from copy_of_events b
                  where a.organization_id = '{{organization}}' and b.organization_id = a.organization_id
                    and a.seq in (4, 6) and b.seq = 10 - a.seq"
            ))
            .await;
        assert!(swapped(&found), "{columns}: {found:?}");
    }
}

/// Hashes that were computed anew agree with each other; with what was signed they do not.
#[tokio::test]
async fn a_suffix_that_was_sealed_anew_is_found_by_a_checkpoint() {
    let scene = Scene::new().await;
    let (world, chain) = (&scene.world, scene.chain());
    let lines = world.checkpoint().await;
    assert_eq!(lines.len(), 2);
    assert_eq!(world.compare(&lines).await, (vec![], 2));
    world
        .tamper(&format!(
            "update audit_events set action = 'nothing.happened' where organization_id = '{}' and seq = 5",
            scene.organization.uuid()
        ))
        .await;
    scene.reseal(5).await;
    assert_eq!(world.findings().await, []);
    let signed_at = world.now();
    let rewritten = Finding::Rewritten {
        chain,
        seq: 10,
        signed_at,
    };
    assert_eq!(
        without_nanos(world.compare(&lines).await.0),
        without_nanos(vec![rewritten])
    );
}

/// The same for a tail that was cut together with the note of the end.
#[tokio::test]
async fn a_tail_that_was_cut_with_its_note_is_found_by_a_checkpoint() {
    let scene = Scene::new().await;
    let (world, chain) = (&scene.world, scene.chain());
    let lines = world.checkpoint().await;
    let id = scene.organization.uuid();
    world
        .tamper(&format!(
            "delete from audit_events where organization_id = '{id}' and seq > 8;
             update audit_chains c set seq = 8, checkpoint_seq = 8, hash = e.hash from audit_events e
              where c.chain = '{id}' and e.chain = c.chain and e.seq = 8"
        ))
        .await;
    assert_eq!(world.findings().await, []);
    let (found, _) = world.compare(&lines).await;
    assert!(
        matches!(found.as_slice(), [Finding::Vanished { chain: of, seq: 10, .. }] if *of == chain),
        "{found:?}"
    );
    // And when it has grown again since.
    world.record(Some(scene.organization), None, 3).await;
    audit::seal_log(&world.app).await.unwrap();
    assert_eq!(world.findings().await, []);
    let (found, _) = world.compare(&lines).await;
    assert!(
        matches!(found.as_slice(), [Finding::Rewritten { seq: 10, .. }]),
        "{found:?}"
    );
}

/// Sealing goes on whatever somebody did, and does not cover it up.
#[tokio::test]
async fn what_comes_after_does_not_hide_it() {
    let scene = Scene::new().await;
    let (world, chain, event) = (&scene.world, scene.chain(), scene.fifth().await);
    let id = scene.organization.uuid();
    world
        .tamper(&format!(
            "update audit_events set actor = 'nobody' where organization_id = '{id}' and seq = 5;
             delete from audit_events where organization_id = '{id}' and seq = 10;
             update audit_chains set seq = 3 where chain = '{}'",
            scene.other.uuid()
        ))
        .await;
    for organization in [scene.organization, scene.other] {
        world.record(Some(organization), None, 2).await;
    }
    assert_eq!(audit::seal_log(&world.app).await.unwrap(), 4);
    let found = world.findings().await;
    let (seq, from, to) = (5, 10, 10);
    assert_eq!(
        found,
        [Finding::Changed { chain, seq, event }, Finding::Gap { chain, from, to }]
    );
}

/// PostgreSQL keeps microseconds.
fn without_nanos(found: Vec<Finding>) -> Vec<String> {
    found.iter().map(ToString::to_string).collect()
}
