//! A payment becomes a tenant: seen by kubectl, by helm, by a visitor, and in Helm's own records.

use std::io::Read;

use base64::{Engine, engine::general_purpose::STANDARD};
use flate2::read::GzDecoder;
use serde_json::Value;

use crate::harness::{Customer, Installation, STARTER, audit, unique};

#[tokio::test]
async fn a_payment_becomes_an_isolated_site() {
    let (installation, server) = Installation::start().await;
    let checkout = buy(&installation, "Museum of Examples").await;
    let host = checkout["host"].as_str().expect("a host");
    let page = installation.kubernetes.until_host_answers(host, 200).await;
    assert!(page.body.contains("Museum of Examples"), "{}", page.body);

    let namespace = namespace_of(&installation, &checkout).await;
    let kinds = "networkpolicies,resourcequotas,limitranges,serviceaccounts,pods";
    let seen = installation
        .kubernetes
        .kubectl(&["get", kinds, "-n", &namespace, "-o", "name"])
        .await;
    for kind in [
        "networkpolicy",
        "resourcequota",
        "limitrange",
        "serviceaccount/tenant",
        "pod/",
    ] {
        assert!(seen.contains(kind), "{kind} in\n{seen}");
    }
    let profile = installation.kubernetes.get(&["namespace", &namespace]).await;
    assert_eq!(
        profile["metadata"]["labels"]["pod-security.kubernetes.io/enforce"],
        "restricted"
    );
    let releases = installation
        .kubernetes
        .helm(&["list", "-n", &namespace, "--output", "json"])
        .await;
    let releases: Value = serde_json::from_str(&releases).expect("JSON of helm");
    assert_eq!(releases[0]["status"], "deployed", "{releases}");

    helm_knows_no_secret(&installation, &namespace).await;
    audit(&installation).await;
    server.stop().await;
}

/// Names that end quotes, look like templates, or are long, come out as they went in.
#[tokio::test]
async fn any_name_of_an_organization_reaches_the_page() {
    let (installation, server) = Installation::start().await;
    let emoji = "🏛".repeat(200);
    for name in ["\"; {{ x }}", emoji.as_str()] {
        let checkout = buy(&installation, name).await;
        let host = checkout["host"].as_str().expect("a host");
        let page = installation.kubernetes.until_host_answers(host, 200).await;
        let shown = page.body.replace("&#34;", "\"").replace("&quot;", "\"");
        assert!(shown.contains(name), "{name} in\n{}", page.body);
    }
    audit(&installation).await;
    server.stop().await;
}

/// Signs somebody up who buys and gets a tenant; returns the checkout.
async fn buy(installation: &Installation, organization: &str) -> Value {
    let customer = Customer::sign_up(installation, organization).await;
    let checkout = customer
        .begin_checkout(STARTER, &unique("site"))
        .await
        .expect("a checkout");
    let session = installation
        .ledger
        .session_of(checkout["id"].as_str().expect("an id"))
        .await;
    installation.stripe.pay(&session).await.expect("a payment");
    customer.until_tenant_is(&checkout, "active").await;
    let checkout = customer.checkout(&checkout).await;
    assert_eq!(checkout["state"], "paid");
    checkout
}

async fn namespace_of(installation: &Installation, checkout: &Value) -> String {
    let tenant = checkout["tenant_id"].as_str().expect("an id");
    let shown = installation
        .must(&["tenant", "show", tenant, "--output", "json"])
        .await
        .json();
    shown["tenant"]["namespace"].as_str().expect("a namespace").to_owned()
}

/// Decodes every record that Helm keeps of the release, and looks for every secret that the namespace has.
async fn helm_knows_no_secret(installation: &Installation, namespace: &str) {
    let secrets = installation.kubernetes.get(&["secrets", "-n", namespace]).await;
    let secrets = secrets["items"].as_array().expect("secrets");
    let is_record = |secret: &&Value| secret["type"] == "helm.sh/release.v1";
    let words: Vec<Vec<u8>> = secrets
        .iter()
        .filter(|secret| !is_record(secret))
        .flat_map(|secret| secret["data"].as_object().expect("data").values())
        .map(decoded)
        .collect();
    assert!(!words.is_empty(), "the product asks for a secret");
    let records: Vec<Vec<u8>> = secrets.iter().filter(is_record).map(record).collect();
    assert!(!records.is_empty(), "Helm keeps a record");
    for (record, word) in records
        .iter()
        .flat_map(|record| words.iter().map(move |word| (record, word)))
    {
        let encoded = STANDARD.encode(word);
        assert!(
            !contains(record, word) && !contains(record, encoded.as_bytes()),
            "a secret is in Helm's record"
        );
    }
    assert!(
        records.iter().any(|record| contains(record, b"Museum of Examples")),
        "the records were read"
    );
}

/// Kubernetes' own base64, Helm's base64, gzip.
fn record(secret: &Value) -> Vec<u8> {
    let packed = STANDARD
        .decode(decoded(&secret["data"]["release"]))
        .expect("base64 of Helm");
    let mut plain = Vec::new();
    GzDecoder::new(packed.as_slice())
        .read_to_end(&mut plain)
        .expect("gzip of Helm");
    plain
}

fn decoded(value: &Value) -> Vec<u8> {
    STANDARD
        .decode(value.as_str().expect("text"))
        .expect("base64 of Kubernetes")
}

fn contains(haystack: &[u8], needle: &[u8]) -> bool {
    haystack.windows(needle.len()).any(|window| window == needle)
}
