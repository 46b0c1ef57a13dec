//! One trace follows a payment from the webhook to the pod, exported by OTLP.

use std::collections::BTreeSet;

use crate::harness::{Customer, Installation, STARTER, SpanReceiver, unique};

#[tokio::test]
async fn a_payments_trace_is_exported() {
    let receiver = SpanReceiver::start().await;
    let installation = Installation::prepare().await;
    let server = installation
        .serve_with(&[("TENANTRY_OTLP_ENDPOINT", &receiver.endpoint)])
        .ready()
        .await;
    let customer = Customer::sign_up(&installation, "Museum of Traces").await;
    let checkout = customer
        .begin_checkout(STARTER, &unique("site"))
        .await
        .expect("a checkout");
    let session = installation
        .ledger
        .session_of(checkout["id"].as_str().expect("an id"))
        .await;
    installation.stripe.pay(&session).await.expect("a payment");
    let tenant = customer.until_tenant_is(&checkout, "active").await["id"]
        .as_str()
        .expect("an id")
        .to_owned();
    let shown = installation
        .must(&["tenant", "show", &tenant, "--trace", "--output", "json"])
        .await
        .json();
    // The last spans are sent as the server ends.
    server.stop().await;

    // The ledger knows under which trace the operation ran: that of the event that proved the payment.
    let moments = shown["trace"].as_array().expect("a trace");
    let operation = moments
        .iter()
        .find(|moment| moment["kind"] == "operation")
        .expect("an operation");
    let trace_id = operation["trace_id"].as_str().expect("a trace id");
    let spans = receiver.spans();
    let of_payment: Vec<_> = spans.iter().filter(|span| span.trace_id == trace_id).collect();

    let names: BTreeSet<&str> = of_payment.iter().map(|span| span.name.as_str()).collect();
    for name in ["POST /webhooks/stripe", "job", "operation", "step"] {
        assert!(names.contains(name), "{name} in {names:?}");
    }
    let done = shown["operation"]["steps"].as_array().expect("steps");
    let traced: BTreeSet<&str> = of_payment.iter().filter_map(|span| span.step.as_deref()).collect();
    for step in done {
        let name = step["name"].as_str().expect("a name");
        assert!(traced.contains(name), "{name} in {traced:?}");
    }
    let release = of_payment
        .iter()
        .find(|span| span.step.as_deref() == Some("release"))
        .expect("the release");
    assert!(release.nanoseconds > 1_000_000, "helm takes its time: {release:?}");
    assert!(
        of_payment
            .iter()
            .all(|span| span.service.as_deref() == Some("tenantry")),
        "{of_payment:?}"
    );
    // Nothing of the libraries below: a span for each frame would drown ours, and the exporter's own would never end.
    let all: BTreeSet<&str> = spans.iter().map(|span| span.name.as_str()).collect();
    let is_ours = |name: &&str| {
        name.contains(" /") || name.ends_with(" unmatched") || ["job", "operation", "step"].contains(name)
    };
    assert!(all.iter().all(is_ours), "{all:?}");
}
