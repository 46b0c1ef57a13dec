//! The audit log as an operator keeps and verifies it: a server seals and signs, `tenantry audit verify` finds out.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "what a test cannot do fails it"
)]

use std::{fs, process::Stdio, time::Duration};

use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, Executor};
use tempfile::TempDir;
use tenantry_test_support::{TestDatabase, free_port, wait_for};
use tokio::{
    io::AsyncWriteExt,
    process::{Child, Command},
};

const PATIENCE: Duration = Duration::from_secs(60);
/// Nobody listens here.
const NOBODY: &str = "http://127.0.0.1:9";

/// An installation without a cluster, which nothing here needs.
struct Installation {
    test: TestDatabase,
    folder: TempDir,
}

impl Installation {
    async fn new() -> Self {
        let installation = Self {
            test: TestDatabase::create().await,
            folder: tempfile::tempdir().unwrap(),
        };
        fs::write(
            installation.path("keys"),
            "k1 AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n",
        )
        .unwrap();
        let kubeconfig = json!({
            "apiVersion": "v1", "kind": "Config", "current-context": "none",
            "clusters": [{ "name": "none", "cluster": { "server": NOBODY } }],
            "users": [{ "name": "none", "user": {} }],
            "contexts": [{ "name": "none", "context": { "cluster": "none", "user": "none" } }],
        });
        fs::write(installation.path("kubeconfig"), kubeconfig.to_string()).unwrap();
        fs::create_dir(installation.path("checkpoints")).unwrap();
        installation
    }

    fn path(&self, name: &str) -> String {
        self.folder.path().join(name).display().to_string()
    }

    fn tenantry(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tenantry"));
        let listen = format!("127.0.0.1:{}", free_port());
        command
            .env_clear()
            .envs([
                ("TENANTRY_PUBLIC_URL", "http://localhost:8080"),
                ("TENANTRY_LISTEN", listen.as_str()),
                ("TENANTRY_TENANT_DOMAIN", "tenants.localhost"),
                ("DATABASE_URL", self.test.app_url.as_str()),
                ("DATABASE_SYSTEM_URL", self.test.system_url.as_str()),
                ("TENANTRY_MASTER_KEY_FILE", self.path("keys").as_str()),
                ("STRIPE_SECRET_KEY", "sk_test_nobody"),
                ("TENANTRY_STRIPE_API_BASE", NOBODY),
                ("TENANTRY_KUBECONFIG", self.path("kubeconfig").as_str()),
                ("TENANTRY_SMTP_URL", "smtp://127.0.0.1:9"),
                ("TENANTRY_MAIL_FROM", "hello@example.com"),
                ("TENANTRY_DATABASE_CONNECTIONS", "4"),
                ("TENANTRY_AUDIT_CHECKPOINTS", self.path("checkpoints").as_str()),
                ("TENANTRY_AUDIT_CHECKPOINT_SECS", "1"),
            ])
            .stdin(Stdio::null())
            .kill_on_drop(true);
        command
    }

    /// The checkpoints that were written to files.
    fn checkpoints(&self) -> String {
        let mut files: Vec<_> = fs::read_dir(self.path("checkpoints"))
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .collect();
        files.sort();
        files.iter().map(|file| fs::read_to_string(file).unwrap()).collect()
    }

    /// Exit code, and what was said.
    async fn verify(&self, arguments: &[&str]) -> (i32, String, String) {
        let mut command = self.tenantry();
        command.args(["audit", "verify"]).args(arguments);
        let output = tokio::time::timeout(PATIENCE, command.output()).await.unwrap().unwrap();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        (
            output.status.code().unwrap(),
            text(&output.stdout),
            text(&output.stderr),
        )
    }

    /// As a superuser whom no trigger stops.
    async fn tamper(&self, statements: &str) {
        let statements = format!("set session_replication_role = replica; {statements}");
        let mut superuser = self.test.superuser().await;
        superuser
            .execute(sqlx::raw_sql(AssertSqlSafe(statements)))
            .await
            .unwrap();
    }
}

async fn ask_to_end(server: Child) -> String {
    let id = server.id().expect("it runs").to_string();
    assert!(
        Command::new("kill")
            .args(["-TERM", &id])
            .status()
            .await
            .unwrap()
            .success(),
        "a signal"
    );
    let output = tokio::time::timeout(PATIENCE, server.wait_with_output())
        .await
        .unwrap()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

#[tokio::test]
async fn a_server_seals_and_signs_and_the_command_tells_what_was_touched() {
    let installation = Installation::new().await;
    let log = fs::File::create(installation.path("server.log")).unwrap();
    let server = installation
        .tenantry()
        .arg("serve")
        .stdout(Stdio::piped())
        .stderr(log)
        .spawn()
        .unwrap();
    // The first keys that it makes are written down: nothing has to be done.
    wait_for("both keys to be signed for", PATIENCE, async || {
        installation.checkpoints().contains("\"seq\":2").then_some(())
    })
    .await;
    let said = ask_to_end(server).await;
    let signed = installation.checkpoints();
    assert!(
        signed.lines().all(|line| said.lines().any(|said| said == line)),
        "{said}"
    );

    let folder = installation.path("checkpoints");
    let (code, answer, _) = installation
        .verify(&["--checkpoints", &folder, "--output", "json"])
        .await;
    let answer: Value = serde_json::from_str(&answer).unwrap();
    assert_eq!((code, &answer["intact"], &answer["rows"]), (0, &json!(true), &json!(2)));
    assert_eq!(answer["checkpoints"], signed.lines().count());

    // The whole log of a platform, as it comes.
    let mut command = installation.tenantry();
    command
        .args(["audit", "verify", "--checkpoints", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped());
    let mut verifying = command.spawn().unwrap();
    let mut input = verifying.stdin.take().unwrap();
    input.write_all(said.as_bytes()).await.unwrap();
    input.write_all(&[0xff, b'\n']).await.unwrap();
    drop(input);
    let output = tokio::time::timeout(PATIENCE, verifying.wait_with_output())
        .await
        .unwrap()
        .unwrap();
    let answer = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success() && answer.contains("checkpoints agree"),
        "{answer}"
    );

    installation
        .tamper("update audit_events set actor = 'nobody' where seq = 1; delete from audit_events where seq = 2")
        .await;
    let (code, answer, complaint) = installation.verify(&["--checkpoints", &folder]).await;
    assert_eq!(code, 1, "{complaint}");
    for named in [
        "system: row 1 (aud_",
        "system: ends at row 1, and had 2",
        "system: row 2, which was signed at",
    ] {
        assert!(answer.contains(named), "{named}: {answer}");
    }
    let (code, answer, _) = installation.verify(&["--output", "json"]).await;
    let answer: Value = serde_json::from_str(&answer).unwrap();
    assert_eq!(
        (code, &answer["intact"], &answer["findings_count"]),
        (1, &json!(false), &json!(2))
    );
    assert_eq!(answer["findings"][0]["kind"], "changed");
    assert_eq!(answer["findings"][1]["kind"], "tail_cut");
}

#[tokio::test]
async fn what_cannot_be_verified_has_a_code_of_its_own() {
    let installation = Installation::new().await;
    let (code, answer, _) = installation.verify(&[]).await;
    assert_eq!(code, 0);
    assert!(answer.contains("No checkpoints were given"), "{answer}");
    let (code, _, complaint) = installation.verify(&["--organization", "nobody"]).await;
    assert_eq!(code, 3, "{complaint}");
    assert!(complaint.contains("nobody"), "{complaint}");
    let unknown = "org_01kahz0c3jf5tvk1w0a9sd2e8r";
    let (code, _, complaint) = installation.verify(&["--organization", unknown]).await;
    assert_eq!(code, 3, "{complaint}");
    assert!(complaint.contains(unknown), "{complaint}");
    let (code, _, complaint) = installation.verify(&["--checkpoints", "/no/such/file"]).await;
    assert_eq!(code, 2, "{complaint}");
    assert!(complaint.contains("/no/such/file"), "{complaint}");
    let mut command = installation.tenantry();
    command
        .env("DATABASE_SYSTEM_URL", "postgres://tenantry_system:x@127.0.0.1:9/none")
        .args(["audit", "verify"]);
    assert_eq!(command.output().await.unwrap().status.code(), Some(5));
    let mut command = installation.tenantry();
    command.env("TENANTRY_AUDIT_KEEP_DAYS", "30").args(["audit", "verify"]);
    assert_eq!(command.output().await.unwrap().status.code(), Some(2));
}

/// A mistake, or somebody who made sure that there is nothing to look at, is not to look like success.
#[tokio::test]
async fn nothing_to_look_at_is_no_success() {
    let installation = Installation::new().await;
    // A directory without a file, and a file without a checkpoint.
    let folder = installation.path("checkpoints");
    let (code, answer, complaint) = installation.verify(&["--checkpoints", &folder]).await;
    assert_eq!(code, 1, "{answer}");
    assert!(complaint.contains("no checkpoint was found"), "{complaint}");
    fs::write(installation.path("other.log"), "{\"level\":\"INFO\"}\n").unwrap();
    let other = installation.path("other.log");
    let (code, answer, _) = installation
        .verify(&["--checkpoints", &other, "--output", "json"])
        .await;
    let answer: Value = serde_json::from_str(&answer).unwrap();
    assert_eq!((code, &answer["intact"]), (1, &json!(false)));
    // An organization whose chain somebody removed with everything that spoke of it.
    installation
        .tamper(
            "insert into organizations (id, name) values ('019aa3f0-0000-7000-8000-000000000001', 'Museum');
             insert into organization_slugs (slug, organization_id, is_current)
             values ('museum', '019aa3f0-0000-7000-8000-000000000001', true)",
        )
        .await;
    let (code, answer, complaint) = installation.verify(&["--organization", "museum"]).await;
    assert_eq!(code, 1, "{answer}");
    assert!(complaint.contains("nothing is sealed of org_"), "{complaint}");
}
