//! The parts start, answer, and leave nothing behind.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

use std::{env, fs, path::Path, process::Stdio, time::Duration};

use sqlx::{Connection, PgConnection};
use tenantry_test_support::{Mailpit, Pgbouncer, PrivatePostgres, StripeStandIn, TestDatabase, free_port, wait_for};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    process::Command,
};

const CHILD: &str = "TENANTRY_TEST_PARTS_CHILD";

#[tokio::test]
async fn databases_are_copies_with_an_identity_of_their_own() {
    let (first, second) = tokio::join!(TestDatabase::create(), TestDatabase::create());
    let identity = async |test: &TestDatabase| {
        sqlx::query_scalar::<_, uuid::Uuid>("select id from installation")
            .fetch_one(&mut test.superuser().await)
            .await
            .unwrap()
    };
    assert_ne!(identity(&first).await, identity(&second).await);
    assert_ne!(first.name, second.name);
}

#[tokio::test]
async fn the_inbox_shows_what_it_was_sent() {
    let inbox = Mailpit::start().await;
    let mut smtp = TcpStream::connect(("127.0.0.1", inbox.smtp_port)).await.unwrap();
    smtp.write_all(
        b"EHLO test\r\nMAIL FROM:<a@example.org>\r\nRCPT TO:<b@example.org>\r\nDATA\r\n\
          From: a@example.org\r\nTo: b@example.org\r\nSubject: Hello\r\n\r\nA link.\r\n.\r\nQUIT\r\n",
    )
    .await
    .unwrap();
    smtp.read_to_end(&mut Vec::new()).await.unwrap();
    let mail = inbox.wait_for_mail_to("b@example.org").await;
    assert_eq!((mail.subject.as_str(), mail.text.trim()), ("Hello", "A link."));
}

#[tokio::test]
async fn the_stripe_stand_in_takes_its_own_key_only() {
    let stripe = StripeStandIn::start().await;
    let asked = async |key: &str| {
        let products = format!("{}/v1/products", stripe.url);
        reqwest::Client::new()
            .get(products)
            .bearer_auth(key)
            .send()
            .await
            .unwrap()
            .status()
            .as_u16()
    };
    assert_eq!(asked(&stripe.api_key).await, 200);
    assert_eq!(asked("sk_test_another").await, 401);
}

/// Runs only as a child of the next test: starts parts, says where they are, and waits to be killed.
#[tokio::test]
async fn child_that_is_killed() {
    let Some(report) = env::var_os(CHILD) else {
        return;
    };
    let test = TestDatabase::create().await;
    let pooler = Pgbouncer::start(&test, 1).await;
    let lines = format!(
        "{}\n{}\n{}",
        test.server().socket_folder().display(),
        test.app_url,
        pooler.app_url
    );
    fs::write(&report, lines).unwrap();
    std::future::pending::<()>().await;
}

#[tokio::test]
async fn a_killed_test_leaves_no_process_and_no_folder() {
    let report = env::temp_dir().join(format!("tenantry-parts-{}-{}", std::process::id(), free_port()));
    let mut child = Command::new(env::current_exe().unwrap())
        .args(["--exact", "child_that_is_killed"])
        .env(CHILD, &report)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let lines = wait_for("the child to start its parts", Duration::from_secs(60), async || {
        let text = fs::read_to_string(&report).ok()?;
        (text.lines().count() == 3).then_some(text)
    })
    .await;
    let [folder, direct, pooled] = lines.lines().collect::<Vec<_>>().try_into().unwrap();
    PgConnection::connect(direct).await.unwrap();
    PgConnection::connect(pooled).await.unwrap();

    child.kill().await.unwrap();
    let gone = async || {
        let left = Path::new(folder).exists()
            || PgConnection::connect(direct).await.is_ok()
            || PgConnection::connect(pooled).await.is_ok();
        (!left).then_some(())
    };
    wait_for("everything to be gone", Duration::from_secs(15), gone).await;
    fs::remove_file(&report).unwrap();
}

#[tokio::test]
async fn the_server_is_shared_within_a_process() {
    let (first, second) = tokio::join!(PrivatePostgres::start(), PrivatePostgres::start());
    assert_eq!(first.port(), second.port());
}
