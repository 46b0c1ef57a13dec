//! The official SDK of Stripe, unchanged, drives the stand-in; Stripe's own OpenAPI document judges what it shows.

mod common;

use std::process::Command;

use common::{StandIn, output_of, repository};

fn install(tool: &str) -> String {
    output_of(Command::new(repository().join("dev/tools/install")).arg(tool))
}

/// Stripe's OpenAPI document of the simulated version comes with stripe-mock.
fn openapi() -> String {
    let module = "github.com/stripe/stripe-mock";
    let downloaded = output_of(
        Command::new(install("go"))
            .args(["mod", "download", "-json", module])
            .current_dir(repository().join("dev/tools/go/stripe-mock")),
    );
    let downloaded: serde_json::Value = serde_json::from_str(&downloaded).unwrap_or_default();
    format!(
        "{}/embedded/openapi/spec3.json",
        downloaded["Dir"].as_str().unwrap_or_default()
    )
}

fn run(tests: &str, openapi: &str) {
    let stand_in = StandIn::start(&[]);
    let status = Command::new(install("python-venv"))
        .args(["-m", "unittest", tests])
        .current_dir(repository().join("dev/stripe-stand-in/tests/oracle"))
        .env("STAND_IN_URL", &stand_in.url)
        .env("STRIPE_OPENAPI", openapi)
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .status();
    let status = status.map(|status| status.success());
    assert!(matches!(status, Ok(true)), "{tests} failed: see above");
    stand_in.stop();
}

#[test]
fn the_sdk_finds_objects_lists_errors_and_idempotency_as_at_stripe() {
    run("test_objects", "");
}

#[test]
fn the_sdk_finds_payments_renewals_and_webhooks_as_at_stripe() {
    run("test_billing", "");
}

#[test]
fn objects_and_events_satisfy_stripes_own_schema() {
    run("test_schema", &openapi());
}
