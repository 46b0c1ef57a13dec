//! What is signed, where it goes, and what is made of it later.

use std::time::Duration;

use chrono::TimeDelta;
use tenantry_app::audit::{self, Checkpoint, CheckpointError, CheckpointLog, Keeping};
use tenantry_domain::audit::{Chain, Finding};
use tenantry_test_support::wait_for;
use tokio_util::sync::CancellationToken;

use crate::world::{SAID, SIGNED_WITHIN, World, say};

#[tokio::test]
async fn only_what_has_grown_is_signed_again() {
    let world = World::new().await;
    let organization = world.sealed(3).await;
    world.sealed(2).await;
    assert_eq!(world.checkpoint().await.len(), 2);
    assert_eq!(world.checkpoint().await, [] as [String; 0]);
    world.record(Some(organization), None, 1).await;
    // Not before it is sealed.
    assert_eq!(world.checkpoint().await, [] as [String; 0]);
    audit::seal_log(&world.app).await.unwrap();
    let lines = world.checkpoint().await;
    assert_eq!(lines.len(), 1);
    let signed = Checkpoint::from_line(&lines[0]).unwrap();
    assert_eq!((signed.chain, signed.seq), (Chain::Organization(organization), 4));
    assert_eq!(world.compare(&lines).await, (vec![], 1));
}

#[tokio::test]
async fn every_checkpoint_holds_for_good() {
    let world = World::new().await;
    let organization = world.sealed(1).await;
    let mut lines = world.checkpoint().await;
    for _ in 0..5 {
        world.record(Some(organization), None, 2).await;
        audit::seal_log(&world.app).await.unwrap();
        lines.extend(world.checkpoint().await);
    }
    assert_eq!(world.compare(&lines).await, (vec![], 6));
}

/// Signing that somebody switched off, or checkpoints that somebody kept back.
#[tokio::test]
async fn what_no_checkpoint_vouches_for_is_named() {
    let world = World::new().await;
    let (signed, unsigned) = (world.sealed(2).await, world.sealed(1).await);
    let lines = world.checkpoint().await;
    let of = |organization| {
        let chain = Chain::Organization(organization);
        let is_of = |line: &&String| Checkpoint::from_line(line).unwrap().chain == chain;
        lines.iter().filter(is_of).cloned().collect::<Vec<_>>()
    };
    world.record(Some(signed), None, 2).await;
    audit::seal_log(&world.app).await.unwrap();
    world.tamper("update audit_chains set checkpoint_seq = seq").await;
    assert_eq!(world.checkpoint().await, [] as [String; 0]);
    // It may be on its way.
    assert_eq!(world.compare(&lines).await, (vec![], 2));
    world.clock.advance(SIGNED_WITHIN + TimeDelta::seconds(1));
    let unsigned_part = |organization, from, to| Finding::Unsigned {
        chain: Chain::Organization(organization),
        from,
        to,
    };
    let (signed_part, other) = (unsigned_part(signed, 3, 4), unsigned_part(unsigned, 1, 1));
    assert_eq!(world.compare(&lines).await, (vec![signed_part.clone()], 2));
    let (mut found, _) = world.compare(&of(signed)).await;
    found.sort_by_key(ToString::to_string);
    let mut expected = vec![signed_part, other];
    expected.sort_by_key(ToString::to_string);
    assert_eq!(found, expected);
}

#[tokio::test]
async fn nobody_says_that_what_is_to_come_was_signed() {
    let world = World::new().await;
    world.sealed(2).await;
    let refusal = sqlx::query("update audit_chains set checkpoint_seq = seq + 1")
        .execute(&mut world.test.superuser().await)
        .await
        .unwrap_err();
    assert!(refusal.to_string().contains("violates check constraint"), "{refusal}");
}

#[tokio::test]
async fn a_checkpoint_that_was_changed_is_named_by_its_place() {
    let world = World::new().await;
    world.sealed(3).await;
    let line = world.checkpoint().await.remove(0);
    let signed = Checkpoint::from_line(&line).unwrap();
    let other_second = signed.at + TimeDelta::seconds(1);
    let forged = [
        line.replace("\"seq\":3", "\"seq\":2"),
        line.replace(&signed.hash.to_string(), &"0".repeat(64)),
        line.replace(&signed.chain.to_string(), "system"),
        line.replace(
            &serde_json::to_string(&signed.at).unwrap(),
            &serde_json::to_string(&other_second).unwrap(),
        ),
        line.replace(
            &signed.signature,
            &signed.signature.replace(|letter: char| letter != '-', "A"),
        ),
    ];
    for forged in &forged {
        assert_ne!(*forged, line);
        let lines = ["ready".to_owned(), forged.clone()];
        let place = "1".to_owned();
        assert_eq!(
            world.compare(&lines).await,
            (vec![Finding::ForgedCheckpoint { place }], 1),
            "{forged}"
        );
    }
    // Another installation's, whose log this is not.
    let (found, _) = World::new().await.compare(std::slice::from_ref(&line)).await;
    assert_eq!(found, [Finding::ForgedCheckpoint { place: "0".to_owned() }]);
    // Lines of a log, and one that was cut short.
    let lines = [
        "{\"level\":\"INFO\"}".to_owned(),
        line[..90].to_owned(),
        String::new(),
        line,
    ];
    assert_eq!(world.compare(&lines).await, (vec![], 1));
}

#[tokio::test]
async fn what_cannot_be_written_is_signed_the_next_time() {
    let world = World::new().await;
    world.sealed(3).await;
    let nowhere = world.files.path().join("no such folder").join("checkpoints");
    let log = CheckpointLog::new(Some(nowhere), |_| ());
    assert!(matches!(
        audit::write_checkpoints(&world.app, &log).await,
        Err(CheckpointError::Unwritable { .. })
    ));
    assert_eq!(world.checkpoint().await.len(), 1);
}

/// The last acts of a server are sealed and signed when it ends, into the file and beside it.
#[tokio::test]
async fn a_server_that_ends_signs_what_it_leaves() {
    let world = World::new().await;
    let organization = world.organization().await;
    let folder = world.files.path().join("checkpoints");
    std::fs::create_dir(&folder).unwrap();
    let keeping = Keeping {
        checkpoints: CheckpointLog::new(Some(folder.clone()), say),
        checkpoint_every: Duration::from_secs(3600),
        keep_for: TimeDelta::days(400),
    };
    let stop = CancellationToken::new();
    world.record(Some(organization), None, 2).await;
    let keeper = tokio::spawn(audit::keep(world.app.clone(), keeping, stop.clone()));
    wait_for("the first rows to be sealed", Duration::from_secs(5), async || {
        (world.unsealed().await == 0).then_some(())
    })
    .await;
    world.record(Some(organization), None, 3).await;
    stop.cancel();
    keeper.await.unwrap();
    let name = world.now().format("audit-checkpoints-%Y-%m-%d.jsonl").to_string();
    let lines: Vec<String> = std::fs::read_to_string(folder.join(name))
        .unwrap()
        .lines()
        .map(str::to_owned)
        .collect();
    let last = Checkpoint::from_line(lines.last().unwrap()).unwrap();
    assert_eq!((last.chain, last.seq), (Chain::Organization(organization), 5));
    let said = SAID.lock().unwrap().clone();
    assert!(lines.iter().all(|line| said.contains(line)), "{said:?}");
    assert_eq!(world.compare(&lines).await.0, []);
    assert_eq!(world.findings().await, []);
}
