//! Doors that a server finds open, and settings that cannot be meant: it says what is wrong and does not start.
//!
//! Each way around row-level security has a test of its own beside the guard; here the process and its exit code count.

use crate::harness::Installation;

const USAGE: i32 = 2;
const REFUSED: i32 = 4;
const UNAVAILABLE: i32 = 5;

#[tokio::test]
async fn a_server_refuses_roles_that_see_too_much() {
    let installation = Installation::prepare().await;
    let superuser = installation
        .database
        .server()
        .url("postgres", &installation.database.name);
    for (variable, url, said) in [
        ("DATABASE_URL", installation.database.owner_url.as_str(), "tenantry_app"),
        (
            "DATABASE_URL",
            installation.database.system_url.as_str(),
            "tenantry_app",
        ),
        (
            "DATABASE_SYSTEM_URL",
            installation.database.app_url.as_str(),
            "tenantry_system",
        ),
        ("DATABASE_SYSTEM_URL", superuser.as_str(), "tenantry_system"),
    ] {
        refuses(&installation, &[(variable, url)], &[REFUSED, UNAVAILABLE], said).await;
    }
}

#[tokio::test]
async fn a_server_refuses_an_open_table() {
    let installation = Installation::prepare().await;
    sqlx::query("alter table tenants disable row level security")
        .execute(installation.ledger.pool())
        .await
        .expect("a superuser may");
    refuses(&installation, &[], &[REFUSED], "row-level security is off on tenants").await;
}

#[tokio::test]
async fn a_server_refuses_to_mix_test_and_live_money() {
    let installation = Installation::prepare().await;
    // Assembled, so that nobody takes it for a real key.
    let live = ["sk", "live", "0123456789"].join("_");
    refuses(
        &installation,
        &[("STRIPE_SECRET_KEY", &live)],
        &[REFUSED, USAGE],
        "test",
    )
    .await;
}

#[tokio::test]
async fn a_server_refuses_tenants_beside_its_own_cookies() {
    let installation = Installation::prepare().await;
    let settings = [
        ("TENANTRY_PUBLIC_URL", "https://console.example.com"),
        ("TENANTRY_TENANT_DOMAIN", "tenants.example.com"),
    ];
    refuses(&installation, &settings, &[USAGE], "registrable domain").await;
}

#[tokio::test]
async fn a_server_refuses_a_database_that_is_not_migrated() {
    let installation = Installation::prepare().await;
    let empty = tenantry_test_support::TestDatabase::create_empty().await;
    let settings = [
        ("DATABASE_URL", empty.app_url.as_str()),
        ("DATABASE_SYSTEM_URL", empty.system_url.as_str()),
    ];
    refuses(&installation, &settings, &[REFUSED, UNAVAILABLE], "tenantry migrate").await;

    sqlx::query("delete from _sqlx_migrations where version = (select max(version) from _sqlx_migrations)")
        .execute(installation.ledger.pool())
        .await
        .expect("a superuser may");
    refuses(&installation, &[], &[REFUSED, UNAVAILABLE], "tenantry migrate").await;
}

async fn refuses(installation: &Installation, settings: &[(&str, &str)], codes: &[i32], said: &str) {
    let spoken = installation.tenantry_with(settings, &["serve"]).await;
    assert!(codes.contains(&spoken.code), "{settings:?}: {spoken:?}");
    assert!(spoken.stderr.contains(said), "{said} in {spoken:?}");
    assert!(
        !spoken.stderr.contains("postgres://"),
        "an address with its password is in {spoken:?}"
    );
}
