//! The program as a person or a script uses it: answers, exit codes, `--output json`.

use serde_json::{Value, json};

use crate::harness::{Customer, Installation, STARTER, audit, unique};

const FAILED: i32 = 1;
const USAGE: i32 = 2;
const NOT_FOUND: i32 = 3;
const REFUSED: i32 = 4;
const UNAVAILABLE: i32 = 5;

#[tokio::test]
async fn doctor_tells_a_good_installation_from_a_broken_one() {
    let (installation, server) = Installation::start().await;
    let healthy = installation.tenantry(&["doctor", "--output", "json"]).await;
    assert_eq!(healthy.code, 0, "{healthy:?}");
    assert!(
        verdicts(&healthy.json()).iter().all(|(_, verdict)| verdict == "ok"),
        "{healthy:?}"
    );
    server.stop().await;

    for (area, setting) in [
        (
            "database",
            ("DATABASE_URL", "postgres://tenantry_app:x@127.0.0.1:1/none"),
        ),
        ("Stripe", ("TENANTRY_STRIPE_API_BASE", "http://127.0.0.1:1")),
        ("cluster", ("TENANTRY_INGRESS_CLASS", "no-such-class")),
        ("Helm", ("TENANTRY_HELM", "/no/such/helm")),
        ("mail", ("TENANTRY_SMTP_URL", "smtp://127.0.0.1:1")),
    ] {
        let broken = installation
            .tenantry_with(&[setting], &["doctor", "--output", "json"])
            .await;
        assert_eq!(broken.code, FAILED, "{area}: {broken:?}");
        let wrong: Vec<String> = verdicts(&broken.json())
            .into_iter()
            .filter_map(|(area, verdict)| (verdict == "wrong").then_some(area))
            .collect();
        assert!(
            !wrong.is_empty() && wrong.iter().all(|found| found == area),
            "{area}: {broken:?}"
        );
        for finding in broken.json().as_array().expect("findings") {
            assert_eq!(finding["verdict"] == "ok", finding["mend"].is_null(), "{finding}");
        }
    }
}

#[tokio::test]
async fn the_first_operators_link_is_in_no_log() {
    let (installation, server) = Installation::start().await;
    let log = server.log();
    assert!(log.contains("there is no operator yet"), "{log}");
    assert!(!log.contains("/operator/first"), "{log}");
    assert_eq!(
        installation.ledger.count("select count(*) from one_time_tokens").await,
        0,
        "none was made"
    );
    server.stop().await;
}

fn verdicts(findings: &Value) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().expect("text").to_owned();
    findings
        .as_array()
        .expect("findings")
        .iter()
        .map(|finding| (text(&finding["area"]), text(&finding["verdict"])))
        .collect()
}

#[tokio::test]
async fn doctor_names_namespaces_that_nobody_knows() {
    let (installation, server) = Installation::start().await;
    let stray = unique("t-stray");
    let labels = format!(
        "{{tenantry.dev/installation: {}, tenantry.dev/tenant: ten_01h2xcejqtf2nbrexx3vqjhp41}}",
        installation.id
    );
    installation
        .kubernetes
        .apply(&format!(
            "apiVersion: v1\nkind: Namespace\nmetadata:\n  name: {stray}\n  labels: {labels}\n"
        ))
        .await;
    let findings = installation.must(&["doctor", "--output", "json"]).await.json();
    let found = findings.as_array().expect("findings").iter();
    let found = found
        .filter(|finding| finding["check"] == "namespaces")
        .collect::<Vec<_>>();
    assert_eq!(found.len(), 1, "{findings}");
    assert_eq!(found[0]["verdict"], "warning");
    assert!(
        found[0]["detail"]
            .as_str()
            .is_some_and(|detail| detail.contains(&stray)),
        "{findings}"
    );
    installation
        .kubernetes
        .kubectl(&["delete", "namespace", &stray, "--wait=false"])
        .await;
    server.stop().await;
}

#[tokio::test]
async fn a_removal_that_follows_is_waited_for_to_its_own_end() {
    let (installation, server) = Installation::start().await;
    let customer = Customer::sign_up(&installation, "Museum of Second Thoughts").await;
    // Nobody is at work, so that what is queued stays queued.
    server.kill().await;
    let (tenant, operation) = installation
        .provision(&customer.organization, "collection", &unique("unwanted"))
        .await;
    let said = installation
        .must(&["tenant", "deprovision", &tenant, "--yes", "--output", "json"])
        .await;
    assert_eq!(said.json(), json!({"tenant": tenant, "follows": operation}));

    let arguments = ["tenant", "deprovision", &tenant, "--yes", "--wait", "--output", "json"];
    let (removed, server) = tokio::join!(installation.must(&arguments), installation.serve());
    let removed = removed.json();
    assert_eq!(removed["tenant"]["state"], "deleted", "{removed}");
    assert_eq!(removed["operation"]["kind"], "deprovision", "{removed}");
    assert_eq!(installation.ledger.until_operation_ends(&operation).await, "done");
    audit(&installation).await;
    server.stop().await;
}

#[tokio::test]
async fn tenants_are_looked_after_without_the_web_interface() {
    let (installation, server) = Installation::start().await;
    let customer = Customer::sign_up(&installation, "Museum of Terminals").await;
    let organization = customer.organization.as_str();
    let checkout = customer
        .begin_checkout(STARTER, &unique("bought"))
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

    let listed = installation
        .must(&["tenant", "list", "--state", "active", "--output", "json"])
        .await
        .json();
    assert_eq!(listed[0]["id"], tenant.as_str(), "{listed}");
    let shown = installation
        .must(&["tenant", "show", &tenant, "--trace", "--output", "json"])
        .await
        .json();
    let trace = shown["trace"].as_array().expect("a trace");
    for kind in ["checkout", "event", "job", "operation", "step"] {
        assert!(trace.iter().any(|moment| moment["kind"] == kind), "{kind} in {trace:?}");
    }
    let host = checkout["host"].as_str().expect("a host");
    let by_host = installation.must(&["tenant", "show", host]).await;
    assert!(by_host.stdout.contains(&tenant), "{by_host:?}");

    // What is paid for is not thrown away by a slip.
    assert_eq!(code(&installation, &["tenant", "retry", &tenant]).await, REFUSED);
    assert_eq!(code(&installation, &["tenant", "deprovision", &tenant]).await, USAGE);
    let removed = installation
        .must(&["tenant", "deprovision", &tenant, "--yes", "--wait", "--output", "json"])
        .await;
    assert_eq!(removed.json()["tenant"]["state"], "deleted");
    assert_eq!(
        code(&installation, &["tenant", "deprovision", &tenant, "--yes"]).await,
        REFUSED
    );

    let name = unique("made");
    let made = [
        "tenant",
        "provision",
        "--organization",
        organization,
        "--product",
        "collection",
        "--plan",
        "pro",
    ];
    let waited = installation.must(&[&made[..], &[&name, "--wait"]].concat()).await;
    assert!(waited.stdout.contains("done"), "{waited:?}");
    assert_eq!(
        code(&installation, &[&made[..], &[name.as_str()]].concat()).await,
        REFUSED
    );
    audit(&installation).await;
    server.stop().await;
}

#[tokio::test]
async fn exit_codes_tell_scripts_what_happened() {
    let installation = Installation::prepare().await;
    let nobody = "ten_01h2xcejqtf2nbrexx3vqjhp41";
    for (arguments, expected) in [
        (vec!["tenant", "list", "--output", "json"], 0),
        (vec!["tenant", "list", "--state", "happy"], USAGE),
        (vec!["tenant", "show", nobody], NOT_FOUND),
        (vec!["tenant", "retry", nobody], NOT_FOUND),
        (vec!["tenant", "deprovision", nobody, "--yes"], NOT_FOUND),
        (
            vec![
                "tenant",
                "provision",
                "--organization",
                "nobody",
                "--product",
                "collection",
                "--plan",
                "pro",
                "x",
            ],
            NOT_FOUND,
        ),
        (vec!["operator", "create", "--email", "no-address"], USAGE),
        (vec!["operator", "enable", "nobody@example.org"], NOT_FOUND),
        (vec!["keys", "revoke", "no-such-key", "--yes"], NOT_FOUND),
        (vec!["keys", "revoke", "no-such-key"], USAGE),
        (vec!["catalog", "plan", "no-such-file.yaml"], USAGE),
        (vec!["no-such-command"], USAGE),
    ] {
        assert_eq!(code(&installation, &arguments).await, expected, "{arguments:?}");
    }
    let away = [("DATABASE_SYSTEM_URL", "postgres://tenantry_system:x@127.0.0.1:1/none")];
    let spoken = installation.tenantry_with(&away, &["tenant", "list"]).await;
    assert_eq!(spoken.code, UNAVAILABLE, "{spoken:?}");
    let missing = installation
        .tenantry_with(&[("STRIPE_SECRET_KEY", "")], &["tenant", "list"])
        .await;
    assert_eq!(missing.code, USAGE, "{missing:?}");
    assert!(missing.stderr.contains("STRIPE_SECRET_KEY"), "{missing:?}");

    let planned = installation
        .must(&["catalog", "plan", "catalog.yaml", "--output", "json"])
        .await
        .json();
    assert!(planned.is_object() || planned.is_array(), "{planned}");
    assert!(installation.must(&["catalog", "schema"]).await.json()["$schema"].is_string());
    assert!(installation.must(&["openapi"]).await.json()["openapi"].is_string());
}

async fn code(installation: &Installation, arguments: &[&str]) -> i32 {
    let spoken = installation.tenantry(arguments).await;
    assert!(!spoken.stderr.contains("panicked"), "{spoken:?}");
    spoken.code
}

#[tokio::test]
async fn a_master_key_is_replaced_by_its_file_alone() {
    let installation = Installation::prepare().await;
    let rotate = ["master-key", "rotate", "--output", "json"];
    let resealed = |answer: &Value| -> u64 {
        let columns = answer["columns"].as_array().expect("columns").iter();
        columns
            .map(|column| column["resealed"].as_u64().expect("a number"))
            .sum()
    };
    let before = installation.must(&rotate).await.json();
    assert_eq!((&before["key"], resealed(&before)), (&Value::from("k1"), 0));

    let file = installation.path("master-keys");
    let former = std::fs::read_to_string(&file).expect("the keys");
    let newer = "k2 QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVoyMzQ1Njc=\n";
    std::fs::write(&file, format!("{former}{newer}")).expect("a file");
    let first = installation.must(&rotate).await.json();
    assert_eq!(first["key"], "k2");
    // At least what other keys are derived from, and the secret of the webhook endpoint.
    assert!(resealed(&first) >= 2, "{first}");
    assert_eq!(resealed(&installation.must(&rotate).await.json()), 0);

    std::fs::write(&file, newer).expect("a file");
    let healthy = installation.tenantry(&["doctor", "--output", "json"]).await;
    assert!(healthy.stdout.contains("is kept in the ledger, sealed"), "{healthy:?}");
    // With the former key alone nothing opens, and that is said.
    std::fs::write(&file, former).expect("a file");
    let locked = installation.tenantry(&rotate).await;
    assert_eq!(locked.code, USAGE, "{locked:?}");
    assert!(locked.stderr.contains("k2"), "{locked:?}");
}
