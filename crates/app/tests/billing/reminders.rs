//! What a person has to look at is said once, and once more when nobody has.

use chrono::TimeDelta;
use serde_json::json;
use tenantry_app::{billing::apply::settle_object, sweep};
use tenantry_domain::billing::{
    provider::EventObject,
    settle::{Failed, Outcome},
};

use crate::world::World;

#[tokio::test]
async fn what_still_needs_a_person_after_a_month_is_said_again_and_not_before() {
    let world = World::new().await;
    let checkout = world.begin("museum-of-reminders").await.unwrap();
    let session = world.session(checkout).await;
    let lost = async || {
        let path = format!("/v1/checkout/sessions/{session}");
        world.fault("GET", &path, json!({"status": 404}), "before", 1).await;
        let object = EventObject::CheckoutSession(session.clone());
        let outcome = settle_object(&world.app, &object, None).await.unwrap();
        assert_eq!(outcome, Outcome::Failed(Failed::ObjectGone));
        let mails = world
            .count("select count(*) from jobs where kind = 'mail.send' and state = 'queued'")
            .await;
        world
            .execute("update jobs set state = 'done', unique_key = null, ended_at = now() where kind = 'mail.send'")
            .await;
        mails
    };
    assert_eq!(lost().await, 1);
    world.clock.advance(TimeDelta::days(29));
    sweep::run(&world.app).await.unwrap();
    assert_eq!(lost().await, 0);
    world.clock.advance(TimeDelta::days(2));
    sweep::run(&world.app).await.unwrap();
    assert_eq!(lost().await, 1);
    world.stop().await;
}
