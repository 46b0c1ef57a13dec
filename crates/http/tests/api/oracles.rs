//! Other people's libraries, unchanged and with their default settings, against a server that listens: they sign somebody
//! in to a product from discovery to the end of the session, and verify our tokens.

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use serde_json::Value;
use tenantry_app::accounts::{OpaqueToken, exchange, find_client};
use tenantry_domain::ids::OrganizationId;
use tenantry_test_support::{free_port, tool, wait_for};
use tokio::{
    io::AsyncWriteExt,
    net::TcpListener,
    process::{Child, Command},
};

use crate::support::{PASSWORD, TestApp};

const REDIRECT: &str = "https://collection.example.com/auth/callback";
const HOME: &str = "https://collection.example.com/";

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../..")
        .canonicalize()
        .unwrap()
}

/// A server with a client `collection` whose organization has a contract, behind TLS as in production.
struct Installation {
    test: TestApp,
    issuer: String,
    certificate: PathBuf,
    python: PathBuf,
    /// Ends with this.
    _front: Child,
    _folder: tempfile::TempDir,
}

impl Installation {
    async fn start() -> Self {
        let python = tool("python-venv").await;
        let folder = tempfile::tempdir().unwrap();
        let port = free_port();
        let issuer = format!("https://localhost:{port}");
        let test = TestApp::start_at(&issuer).await;
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let backend = listener.local_addr().unwrap().port();
        let service = test.router().into_make_service_with_connect_info::<SocketAddr>();
        tokio::spawn(async move { axum::serve(listener, service).await.unwrap() });
        let arguments = [
            repository().join("dev/oracles/tls_front.py").display().to_string(),
            port.to_string(),
            backend.to_string(),
            folder.path().display().to_string(),
        ];
        let front = Command::new(&python)
            .args(&arguments)
            .stdin(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let certificate = folder.path().join("certificate.pem");
        wait_for("the TLS front", Duration::from_secs(20), async || {
            let is_up = certificate.exists() && tokio::net::TcpStream::connect(("127.0.0.1", port)).await.is_ok();
            is_up.then_some(())
        })
        .await;
        test.person("ada").await;
        for statement in [
            "insert into products (key, delivery, definition) values ('collection', 'shared', '{}')",
            "insert into oidc_clients (client_id, product, name, redirect_uris, post_logout_redirect_uris, secret_hash)
                 values ('collection', 'collection', 'Collection', '{https://collection.example.com/auth/callback}',
                 '{https://collection.example.com/}', sha256(decode(repeat('09', 32), 'hex')))",
            "insert into plan_versions (id, product, plan, version, definition)
                 values (gen_random_uuid(), 'collection', 'pro', 3, '{}')",
            "insert into subscriptions (id, organization_id, product, delivery, plan_version_id, source, status)
                 select gen_random_uuid(), o.id, 'collection', 'shared', v.id, 'operator', 'active'
                 from organizations o, plan_versions v",
            "insert into entitlements (subscription_id, organization_id, access, limits)
                 select id, organization_id, 'full', '{}' from subscriptions",
        ] {
            test.execute(statement).await;
        }
        Self {
            test,
            issuer,
            certificate,
            python,
            _front: front,
            _folder: folder,
        }
    }

    /// Runs a program and returns what it printed.
    async fn run(&self, program: &Path, arguments: &[&str], input: &str) -> Result<String, String> {
        let mut child = Command::new(program)
            .args(arguments)
            .env("ISSUER", &self.issuer)
            .env("CLIENT_ID", "collection")
            .env("CLIENT_SECRET", OpaqueToken::from_bytes([9; 32]).encode().as_str())
            .env("REDIRECT_URI", REDIRECT)
            .env("POST_LOGOUT_REDIRECT_URI", HOME)
            .env("EMAIL", "ada@example.org")
            .env("PASSWORD", PASSWORD)
            .env("REQUESTS_CA_BUNDLE", &self.certificate)
            .env("SSL_CERT_FILE", &self.certificate)
            .env("NODE_EXTRA_CA_CERTS", &self.certificate)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(input.as_bytes()).await.unwrap();
        let output = child.wait_with_output().await.unwrap();
        let (said, complained) = (
            String::from_utf8_lossy(&output.stdout).into_owned(),
            String::from_utf8_lossy(&output.stderr).into_owned(),
        );
        if output.status.success() {
            Ok(said)
        } else {
            Err(complained)
        }
    }

    async fn python(&self, script: &str, arguments: &[&str], input: &str) -> Result<String, String> {
        let script = repository().join(script).display().to_string();
        let mut all = vec![script.as_str()];
        all.extend_from_slice(arguments);
        self.run(&self.python, &all, input).await
    }

    /// Node looks for libraries beside the script, so that is copied to where they are.
    async fn node(&self, script: &str, arguments: &[&str], input: &str) -> Result<String, String> {
        let libraries = tool("node-oracles").await;
        let source = repository().join(script);
        let copy = tempfile::Builder::new().suffix(".mjs").tempfile_in(&libraries).unwrap();
        std::fs::copy(&source, copy.path()).unwrap();
        let path = copy.path().display().to_string();
        let mut all = vec![path.as_str()];
        all.extend_from_slice(arguments);
        self.run(&tool("node").await, &all, input).await
    }

    /// The access token of a code flow that goes on: somebody signs in as a browser does, and stays.
    async fn access_token(&self) -> String {
        use crate::single_sign_on as steps;
        let mut browser = self.test.browser();
        let request = serde_json::json!({ "email": "ada@example.org", "password": PASSWORD });
        browser.origin = None;
        let answer = browser.post("/api/v1/auth/login", &request).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        let tokens = steps::signed_in(&self.test, &mut browser, &[]).await;
        tokens["access_token"].as_str().unwrap().to_owned()
    }

    /// The id of the only organization.
    async fn organization(&self) -> String {
        let mut tx = self
            .test
            .app
            .database
            .system("a test names an organization")
            .await
            .unwrap();
        let id = sqlx::query_scalar("select id from organizations")
            .fetch_one(&mut tx)
            .await
            .unwrap();
        OrganizationId::from_uuid(id).to_string()
    }

    async fn product_token(&self) -> String {
        let access_token = self.access_token().await;
        let client = find_client(&self.test.app, "collection").await.unwrap().unwrap();
        exchange(&self.test.app, &client, &access_token, None, None)
            .await
            .unwrap()
            .token
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn authlib_signs_somebody_in_and_out() {
    let installation = Installation::start().await;
    for settings in [&[][..], &["--pkce"][..]] {
        let said = installation.python("dev/oracles/sign_in.py", settings, "").await;
        assert!(said.is_ok(), "{settings:?}: {said:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn openid_client_signs_somebody_in_and_out() {
    let installation = Installation::start().await;
    for settings in [&[][..], &["--nonce"][..]] {
        let said = installation.node("dev/oracles/sign-in.mjs", settings, "").await;
        assert!(said.is_ok(), "{settings:?}: {said:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn pyjwt_verifies_our_tokens_from_the_list_of_keys() {
    let installation = Installation::start().await;
    let issuer = installation.issuer.as_str();
    for (token, kind) in [
        (installation.access_token().await, "at+jwt"),
        (installation.product_token().await, "product+jwt"),
    ] {
        let claims = installation
            .python(
                "dev/oracles/verify_access_token.py",
                &[issuer, "collection", kind],
                &token,
            )
            .await
            .unwrap();
        let claims: Value = serde_json::from_str(&claims).unwrap();
        assert_eq!(claims["iss"], issuer);
    }
}

/// The samples of the documentation take a product token, and nothing that merely looks like one.
#[tokio::test(flavor = "multi_thread")]
async fn the_samples_verify_product_tokens() {
    let installation = Installation::start().await;
    let issuer = installation.issuer.as_str();
    let (good, not_for_this) = (installation.product_token().await, installation.access_token().await);
    let mut bent = good.clone().into_bytes();
    let last = bent.len() - 10;
    bent[last] = if bent[last] == b'A' { b'B' } else { b'A' };
    let bent = String::from_utf8(bent).unwrap();
    let go = tool("go").await;
    let build = tempfile::tempdir().unwrap();
    let program = build.path().join("verify");
    let built = Command::new(&go)
        .args(["build", "-mod=readonly", "-o"])
        .arg(&program)
        .arg(".")
        .current_dir(repository().join("examples/verify-product-token/go"))
        .output()
        .await
        .unwrap();
    assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
    let (organization, tenant) = (installation.organization().await, "ten_01jd3r8v6yf3qb5c1zk3s9x0aa");
    let of_another = "org_01jd3r8v6yf3qb5c1zk3s9x0aa";
    for (token, arguments, is_good) in [
        (&good, &[issuer, "collection"][..], true),
        (&good, &[issuer, "collection", &organization][..], true),
        (&good, &[issuer, "another"][..], false),
        (&good, &[issuer, "collection", of_another][..], false),
        (&good, &[issuer, "collection", &organization, tenant][..], false),
        (&not_for_this, &[issuer, "collection"][..], false),
        (&bent, &[issuer, "collection"][..], false),
    ] {
        let verdicts = [
            ("Go", installation.run(&program, arguments, token).await),
            (
                "Python",
                installation
                    .python("examples/verify-product-token/python/verify.py", arguments, token)
                    .await,
            ),
            (
                "Node",
                installation
                    .node("examples/verify-product-token/node/verify.mjs", arguments, token)
                    .await,
            ),
        ];
        for (language, verdict) in verdicts {
            assert_eq!(verdict.is_ok(), is_good, "{language} with {arguments:?}: {verdict:?}");
            match verdict {
                Ok(said) => {
                    let claims: Value = serde_json::from_str(&said).unwrap();
                    assert_eq!(claims["organization"]["name"], "Museum of Examples", "{language}");
                    assert_eq!(claims["plan"], "pro", "{language}");
                }
                Err(said) => assert!(said.starts_with("refused:"), "{language}: {said}"),
            }
        }
    }
}
