//! What the payment provider knows of an organization follows its owner.

use serde_json::{Value, json};
use tenantry_app::accounts::{self, OpaqueToken, Visitor};

use crate::world::World;

/// The customer, as the provider has it.
async fn customer(world: &World) -> Value {
    let id = world
        .text("select provider_id from billing_customers where provider_id is not null")
        .await
        .unwrap();
    let url = format!("{}/v1/customers/{id}", world.stripe.url);
    let client = reqwest::Client::new();
    let answer = client.get(url).bearer_auth(&world.stripe.api_key).send().await.unwrap();
    answer.json().await.unwrap()
}

/// The owner follows the link that was sent to their new address.
async fn confirm(world: &World, link: u8, arrange: &'static str) {
    world.execute(arrange).await;
    let token = OpaqueToken::from_bytes([link; 32]);
    accounts::confirm_email(&world.app, &token, &Visitor::default())
        .await
        .unwrap();
    world.wait_for_jobs("customer.update").await;
}

#[tokio::test]
async fn invoices_follow_the_owner_to_another_address_and_back() {
    let mut world = World::new().await;
    world.begin("museum-of-addresses").await.unwrap();
    assert_eq!(customer(&world).await["email"], "owner@example.org");
    world.start_jobs();
    // Stripe does it, and its answer is lost.
    world
        .fault("POST", "/v1/customers/*", json!({"status": 500}), "after", 1)
        .await;
    confirm(
        &world,
        1,
        "insert into one_time_tokens (hash, purpose, email_normalized, user_id, expires_at)
         select sha256(decode(repeat('01', 32), 'hex')), 'change_email', 'new@example.org', id, now() + interval '1 hour'
         from users where email_normalized = 'owner@example.org'",
    )
    .await;
    let moved = customer(&world).await;
    assert_eq!(moved["email"], "new@example.org");
    assert_eq!(moved["name"], "\"; {{ x }} 🦖");

    confirm(
        &world,
        2,
        "insert into one_time_tokens (hash, purpose, email_normalized, user_id, expires_at)
         select sha256(decode(repeat('02', 32), 'hex')), 'change_email', 'owner@example.org', id, now() + interval '1 hour'
         from users where email_normalized = 'new@example.org'",
    )
    .await;
    assert_eq!(
        customer(&world).await["email"],
        "owner@example.org",
        "what was written once before is written again"
    );
    world.stop().await;
}
