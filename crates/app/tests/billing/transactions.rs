//! Whoever answers slowly must not keep rows locked: no transaction is open while somebody outside is asked.

use tenantry_app::{
    billing::{self, catalog::Webhook, checkout, reconcile},
    provisioning,
};

use crate::world::{CATALOG, World};

#[tokio::test]
async fn none_is_open_while_stripe_or_the_cluster_is_asked() {
    let (world, stripe, cluster) = World::behind_gates().await;
    billing::catalog::apply(&world.app, CATALOG, Webhook::Here, "a test")
        .await
        .unwrap();
    world
        .execute("delete from sealed_secrets where scope = 'stripe_webhook'")
        .await;
    billing::catalog::apply(&world.app, CATALOG, Webhook::Here, "a test")
        .await
        .unwrap();
    let bought = world.begin("museum-of-gates").await.unwrap();
    world.pay(bought).await;
    let left = world.begin("museum-of-doubt").await.unwrap();
    checkout::cancel::cancel(&world.app, world.organization, left, "a test", None)
        .await
        .unwrap();
    billing::polling::poll(&world.app).await.unwrap();
    reconcile::reconcile(&world.app).await.unwrap();
    assert!(
        provisioning::reconcile_cluster(&world.app, false).await.is_err(),
        "nobody is there"
    );
    for (name, gate) in [("Stripe", stripe), ("the cluster", cluster)] {
        let (calls, spanned) = gate.counted();
        assert!(calls > 0, "{name} was not asked");
        assert_eq!(spanned, 0, "transactions open while {name} was asked, in {calls} calls");
    }
    world.stop().await;
}
