//! Another program's reading of the description: schemathesis makes calls of it, right and wrong ones, and holds every
//! answer against it. No fault of ours, no status, media type, header or body that is not declared.

use std::{net::SocketAddr, path::Path};

use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::json;
use tenantry_app::accounts::OpaqueToken;
use tenantry_domain::accounts::OperatorRole;
use tenantry_test_support::tool;
use tokio::{net::TcpListener, process::Command};

use crate::{
    operators::operator,
    support::{Browser, PUBLIC_URL, TestApp},
    tenants::{provision, sell},
    tokens::{access_token, first_tokens, sign_in_program},
    users::user_id,
};

/// Calls of each operation and kind. With them a run takes about a minute.
const EXAMPLES: &str = "6";
const SEED: &str = "17";
/// What every answer is held against. What the description rules out must be refused, too.
const CHECKS: &str = "not_a_server_error,status_code_conformance,content_type_conformance,\
                      response_headers_conformance,response_schema_conformance,negative_data_rejection,\
                      allow_header_conformance";
/// How a call that the description rules out may be refused. A challenge of any length that is none has expired: 410. What
/// is wrong with a sign-in to a product is told to the product, where the browser goes back to: 303, declared there alone.
const REFUSALS: &str = r#"["303", "400", "401", "403", "404", "405", "409", "410", "413", "415", "422", "429"]"#;
/// Streams, which do not end, and what ends the session that the calls are made with.
const LEFT_OUT: [&str; 4] = [
    "stream_operation",
    "operator_stream_operation",
    "logout",
    "operator_logout",
];

/// A server with one of everything.
struct Server {
    test: TestApp,
    address: SocketAddr,
    admin: Browser,
    user: Browser,
    /// For schemathesis: what stands in addresses, among others.
    settings: String,
}

impl Server {
    async fn start() -> Self {
        let test = TestApp::start().await;
        sell(&test).await;
        let mut ada = test.person("ada").await;
        let mut admin = operator(&test, OperatorRole::Admin).await;
        operator(&test, OperatorRole::Support).await;
        let operation = provision(&mut admin, &ada.organization(), "museum").await;
        let sessions = ada.browser.get("/api/v1/me/sessions").await.json();
        let operators = admin.get("/api/v1/operator/operators?search=support").await.json();
        let things = [
            ("organization", json!(ada.organization())),
            ("tenant", operation["tenant_id"].clone()),
            ("operation", operation["id"].clone()),
            ("session", sessions["items"][0]["id"].clone()),
            ("operator", operators["items"][0]["id"].clone()),
            ("user", json!(user_id(&ada.session))),
        ];
        let lines = things.map(|(name, value)| format!("\"path.{name}\" = {value}\n"));
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let service = test.router().into_make_service_with_connect_info::<SocketAddr>();
        tokio::spawn(async move { axum::serve(listener, service).await.unwrap() });
        Self {
            test,
            address,
            admin,
            user: ada.browser,
            settings: format!(
                "[checks.negative_data_rejection]\nexpected-statuses = {REFUSALS}\n[parameters]\n{}",
                lines.concat()
            ),
        }
    }

    /// Makes calls of the operations that `filter` names, each with these headers.
    async fn assert_keeps_its_contract(&self, headers: &[(&str, String)], filter: [&str; 2]) {
        let folder = tempfile::tempdir().unwrap();
        let settings = folder.path().join("schemathesis.toml");
        std::fs::write(&settings, &self.settings).unwrap();
        let description = Path::new(env!("CARGO_MANIFEST_DIR")).join("openapi.json");
        let mut command = Command::new(tool("contract-venv").await.with_file_name("st"));
        command
            .current_dir(&folder)
            .arg("--config-file")
            .arg(&settings)
            .arg("run")
            .arg(description);
        command.args([
            "--url",
            &format!("http://{}", self.address),
            "--no-color",
            "--continue-on-failure",
        ]);
        command.args([
            "--phases",
            "examples,coverage,fuzzing",
            "--mode",
            "all",
            "--workers",
            "2",
        ]);
        command.args([
            "--max-examples",
            EXAMPLES,
            "--seed",
            SEED,
            "--checks",
            CHECKS,
            "--warnings",
            "off",
        ]);
        command.args(["--suppress-health-check", "all", "--generation-database", "none"]);
        // Who calls is said by the headers below.
        command.args(["--generation-with-security-parameters", "false"]);
        command.args(filter);
        for left_out in LEFT_OUT {
            command.args(["--exclude-operation-id", left_out]);
        }
        for (name, value) in headers {
            command.args(["--header", &format!("{name}: {value}")]);
        }
        let output = command.kill_on_drop(true).output().await.unwrap();
        let said = String::from_utf8_lossy(&output.stdout);
        assert!(
            output.status.success(),
            "{said}\n{}",
            String::from_utf8_lossy(&output.stderr)
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn customers_get_the_answers_that_are_declared() {
    let server = Server::start().await;
    let mut program = sign_in_program(&server.test).await;
    let pair = first_tokens(&mut program).await;
    let headers = [("authorization", format!("Bearer {}", access_token(&pair)))];
    server
        .assert_keeps_its_contract(
            &headers,
            ["--exclude-path-regex", "^/(api/v1/operator|oauth|\\.well-known)/"],
        )
        .await;
}

/// As a header holds them.
fn cookies(browser: &Browser) -> String {
    let pairs = browser.cookies.iter().map(|(name, value)| format!("{name}={value}"));
    pairs.collect::<Vec<_>>().join("; ")
}

/// A product that shows its secret, and the browser of somebody who is signed in: what the examples ask for succeeds.
#[tokio::test(flavor = "multi_thread")]
async fn products_get_the_answers_that_are_declared() {
    let server = Server::start().await;
    server
        .test
        .execute(
            "insert into oidc_clients (client_id, product, name, redirect_uris, post_logout_redirect_uris, secret_hash)
             values ('collection', 'collection', 'Collection', '{https://collection.example.com/auth/callback}',
                 '{https://collection.example.com/}', sha256(decode(repeat('09', 32), 'hex')))",
        )
        .await;
    let secret = OpaqueToken::from_bytes([9; 32]).encode().to_string();
    let headers = [
        (
            "authorization",
            format!("Basic {}", STANDARD.encode(format!("collection:{secret}"))),
        ),
        ("cookie", cookies(&server.user)),
    ];
    server
        .assert_keeps_its_contract(&headers, ["--include-path-regex", "^/(oauth|\\.well-known)/"])
        .await;
    assert!(
        server.test.count("select count(*) from oidc_codes").await > 0,
        "the example of a sign-in is one"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn operators_get_the_answers_that_are_declared() {
    let server = Server::start().await;
    let headers = [
        ("cookie", cookies(&server.admin)),
        ("origin", PUBLIC_URL.to_owned()),
        ("x-csrf-token", server.admin.csrf_token.clone().unwrap()),
    ];
    server
        .assert_keeps_its_contract(&headers, ["--include-path-regex", "^/api/v1/operator/"])
        .await;
}
