//! What arrives is stored, whatever somebody has typed into a name.

use tenantry_app::billing::inbox::{Receipt, take_listed};

use crate::world::World;

#[tokio::test]
async fn a_name_with_a_character_that_postgresql_cannot_keep_does_not_stop_an_event() {
    let world = World::new().await;
    let checkout = world.begin("museum-of-characters").await.unwrap();
    world.pay(checkout).await;
    let mut event = world.events().await.remove(0);
    let payload = |id: &str, name: &str| {
        format!(
            r#"{{"id":"{id}","object":"event","type":"invoice.paid","created":1800000000,"livemode":false,"data":{{"object":{{"id":"in_1","object":"invoice","customer_name":"{name}"}}}}}}"#
        )
    };
    for (id, written, kept) in [
        ("evt_looks_like_it", r"\\u0000", r"\u0000"),
        ("evt_has_it", r"a\u0000b", "a\u{fffd}b"),
    ] {
        event.payload = payload(id, written);
        assert_eq!(world.deliver(&event).await, Receipt::Stored, "{id}");
        let name =
            "select payload #>> '{data,object,customer_name}' from stripe_events order by received_at desc, id limit 1";
        assert_eq!(world.text(name).await.as_deref(), Some(kept), "{id}");
        world.execute("delete from stripe_events").await;
    }
    world.stop().await;
}

#[tokio::test]
async fn a_listed_event_that_cannot_be_stored_keeps_no_other_away() {
    let world = World::new().await;
    let checkout = world.begin("museum-of-lists").await.unwrap();
    world.pay(checkout).await;
    let mut events = world.events().await;
    let all = events.len();
    events[1].payload = r#"{"name":"\u0000"}"#.to_owned();
    assert_eq!(take_listed(&world.app, events).await.unwrap(), all - 1);
    world.stop().await;
}
