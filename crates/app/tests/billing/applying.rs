//! Applying a catalog: what the servers are told and when, and the clients that people sign in to products with.

use std::time::Duration;

use serde_json::json;
use sqlx::postgres::PgListener;
use tenantry_app::{
    accounts::find_client,
    billing::catalog::{self, CatalogError, Webhook},
};

use crate::world::{CATALOG, World};

const PATIENCE: Duration = Duration::from_secs(30);

/// The sample with a client that can keep a secret.
fn confidential() -> String {
    CATALOG.replacen("client: public", "client: confidential", 1)
}

#[tokio::test]
async fn an_application_that_stops_halfway_hands_over_secrets_and_tells_the_servers() {
    let world = World::without_catalog().await;
    let mut listener = PgListener::connect_with(world.app.database.direct()).await.unwrap();
    listener.listen("catalog_changed").await.unwrap();
    world
        .fault("POST", "/v1/prices", json!({"status": 400}), "before", 1)
        .await;
    let stopped = catalog::apply(&world.app, &confidential(), Webhook::Here, "a test")
        .await
        .unwrap_err();
    assert!(matches!(stopped.error, CatalogError::Payment(_)), "{stopped:?}");
    // The ledger has its hash, so nobody could ever show it again.
    assert_eq!(stopped.client_secrets.len(), 1);
    let client = find_client(&world.app, "collection").await.unwrap().unwrap();
    assert!(client.has_secret(&stopped.client_secrets[0].secret.encode()));
    // The servers know what the ledger says, whatever became of the provider's part.
    let announced = tokio::time::timeout(PATIENCE, listener.recv()).await;
    assert!(announced.is_ok(), "nobody was told");
    assert_eq!(world.app.catalog.current().products.len(), 1);
    // And another application goes on from there.
    let again = catalog::apply(&world.app, &confidential(), Webhook::Here, "a test")
        .await
        .unwrap();
    assert!(!again.changes.is_empty() && again.client_secrets.is_empty());
    drop(listener);
    world.stop().await;
}

#[tokio::test]
async fn what_is_retired_is_announced_before_the_provider_is_asked() {
    let world = World::new().await;
    let mut listener = PgListener::connect_with(world.app.database.direct()).await.unwrap();
    listener.listen("catalog_changed").await.unwrap();
    // The provider takes its time with the first change.
    world.fault("POST", "/v1/*", json!({"hang": 1}), "before", 1).await;
    let changed = CATALOG.replacen("amount_minor: 19900", "amount_minor: 24900", 1);
    let applying = catalog::apply(&world.app, &changed, Webhook::LeaveAlone, "a test");
    let announced = async {
        listener.recv().await.unwrap();
        world
            .count("select count(*) from stripe_calls where state = 'done' and purpose = 'put a price on sale'")
            .await
    };
    let (applied, done) = tokio::join!(applying, announced);
    applied.unwrap();
    assert_eq!(done, 3, "the new price was not at the provider yet");
    drop(listener);
    world.stop().await;
}

#[tokio::test]
async fn clients_follow_the_catalog() {
    let world = World::without_catalog().await;
    let apply = async |document: &str| {
        catalog::apply(&world.app, document, Webhook::LeaveAlone, "a test")
            .await
            .unwrap()
            .client_secrets
    };
    let find = || find_client(&world.app, "collection");

    // A new one, whose secret is shown once.
    let first = confidential();
    let mut made = apply(&first).await;
    let secret = made.pop().unwrap().secret.encode();
    assert!(made.is_empty() && apply(&first).await.is_empty());
    let client = find().await.unwrap().unwrap();
    assert_eq!(client.id(), "collection");
    assert!(client.has_secret(&secret) && !client.has_secret("guessed"));

    // Other addresses, and the same secret.
    let moved = first.replacen("}}/auth/callback", "}}/signed-in", 1);
    assert!(apply(&moved).await.is_empty());
    assert!(find().await.unwrap().unwrap().has_secret(&secret));
    let addresses = "select array_to_string(redirect_uris, ' ') from oidc_clients where retired_at is null";
    assert_eq!(
        world.text(addresses).await.as_deref(),
        Some("{{ tenant.url }}/signed-in")
    );

    // One that cannot keep a secret has none any more; one that can again gets another.
    assert!(apply(CATALOG).await.is_empty());
    assert!(!find().await.unwrap().unwrap().is_confidential());
    let another = apply(&first).await.pop().unwrap().secret.encode();
    let client = find().await.unwrap().unwrap();
    assert!(client.has_secret(&another) && !client.has_secret(&secret));

    // Nobody signs in to what has no client any more.
    let start = first.find("    # People sign in").unwrap();
    let end = first.find("    plans:").unwrap();
    let without = format!("{}{}", &first[..start], &first[end..]);
    assert!(apply(&without).await.is_empty());
    assert!(find().await.unwrap().is_none());
    assert!(world.text(addresses).await.is_none());
    let kept = "select count(*) from oidc_clients where secret_hash is not null";
    assert_eq!(world.count(kept).await, 0);
    world.stop().await;
}
