//! One cause, one mail: whoever queues it again, and whatever happens to whoever sends it.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use tenantry_app::{App, mail};
use tenantry_domain::mail::{MailError, Mailer, Message, OutgoingMail};
use tenantry_mail::SmtpMailer;
use tenantry_operations::jobs::{JobRegistry, JobWorker, JobWorkerConfig};
use tenantry_test_support::{Mailpit, wait_for};
use tokio::sync::Notify;

use crate::support::TestApp;

const SENDER: &str = "Tenantry <no-reply@tenantry.localhost>";

async fn queue(test: &TestApp, cause: &str) {
    let mut tx = test.app.database.system("a test queues a mail").await.unwrap();
    queue_in(&mut tx, test, cause).await;
    tx.commit().await.unwrap();
}

async fn queue_in(tx: &mut tenantry_postgres::SystemTx, test: &TestApp, cause: &str) {
    let message = Message::AlreadyRegistered {
        link: "https://tenantry.example.org/login".to_owned(),
    };
    mail::queue(tx, &test.app, cause, "ada@example.org", message)
        .await
        .unwrap();
}

#[tokio::test]
async fn a_cause_has_one_mail_however_often_it_is_told() {
    let test = TestApp::start().await;
    let told = "select count(*) from jobs where kind = 'mail.send'";
    // What was rolled back was never told.
    let mut tx = test.app.database.system("a test queues a mail").await.unwrap();
    queue_in(&mut tx, &test, "already_registered:1").await;
    tx.rollback().await.unwrap();
    assert_eq!(test.count(told).await, 0);

    let mut tx = test.app.database.system("a test queues a mail").await.unwrap();
    queue_in(&mut tx, &test, "already_registered:1").await;
    queue_in(&mut tx, &test, "already_registered:1").await;
    tx.commit().await.unwrap();
    assert_eq!(test.count(told).await, 1, "twice in one transaction");
    futures::future::join_all((0..20).map(|_| queue(&test, "already_registered:2"))).await;
    assert_eq!(test.count(told).await, 2, "by twenty at once");

    // Sent, and the job swept away.
    test.execute("delete from jobs where kind = 'mail.send'").await;
    queue(&test, "already_registered:1").await;
    queue(&test, "already_registered:2").await;
    assert_eq!(test.count(told).await, 0, "after it was sent");
    queue(&test, "already_registered:3").await;
    assert_eq!(test.count(told).await, 1, "another cause");
}

#[tokio::test]
async fn of_twenty_who_do_one_thing_one_causes_a_mail() {
    let test = TestApp::start().await;
    let mut signed_up = test.browser();
    test.register(&mut signed_up, "ada@example.org").await;
    let token = test.link_token("ada@example.org").await;
    let confirmed = (0..20).map(|_| {
        let (mut browser, token, test) = (signed_up.clone(), token.clone(), &test);
        async move { test.confirm(&mut browser, &token).await.status }
    });
    let statuses = futures::future::join_all(confirmed).await;
    assert_eq!(
        statuses.iter().filter(|status| **status == 200).count(),
        1,
        "{statuses:?}"
    );
    let mails = test.queued_mails().await;
    let welcomes = mails
        .iter()
        .filter(|mail| matches!(mail.message, Message::Welcome { .. }));
    assert_eq!(welcomes.count(), 1, "{mails:?}");
}

/// Hands a mail over, and is killed before anybody hears of it.
struct KilledAfterwards {
    smtp: SmtpMailer,
    handed_over: Notify,
}

#[async_trait]
impl Mailer for KilledAfterwards {
    async fn send(&self, mail: &OutgoingMail) -> Result<(), MailError> {
        self.smtp.send(mail).await?;
        self.handed_over.notify_one();
        std::future::pending().await
    }

    async fn check(&self) -> Result<(), MailError> {
        Ok(())
    }
}

fn sender(app: App, config: JobWorkerConfig) -> JobWorker {
    let registry = JobRegistry::new().with::<mail::SendMail>().unwrap();
    JobWorker::start(app.database.direct().clone(), Arc::new(app), Arc::new(registry), config)
}

/// Nobody can know whether a mail server took what it was given when the answer is lost. So the mail goes again, as the
/// same message: mailboxes tell by its `Message-ID`.
#[tokio::test]
async fn a_mail_whose_sender_dies_goes_again_as_the_same_message() {
    let inbox = Mailpit::start().await;
    let test = TestApp::start().await;
    test.register(&mut test.browser(), "ada@example.org").await;
    let smtp = || SmtpMailer::new(&inbox.smtp_url.as_str().into(), SENDER).unwrap();
    let killed = Arc::new(KilledAfterwards {
        smtp: smtp(),
        handed_over: Notify::new(),
    });
    let dying = sender(
        test.app_with_mailer(killed.clone()),
        JobWorkerConfig {
            lease: Duration::from_secs(1),
            heartbeat: Duration::from_millis(200),
            ..JobWorkerConfig::default()
        },
    );
    tokio::time::timeout(Duration::from_secs(20), killed.handed_over.notified())
        .await
        .expect("a mail that is handed over");
    drop(dying);
    assert_eq!(inbox.list().await.len(), 1);
    let sent = "select count(*) from jobs where kind = 'mail.send' and state = 'done'";
    assert_eq!(test.count(sent).await, 0);

    let next = sender(test.app_with_mailer(Arc::new(smtp())), JobWorkerConfig::default());
    wait_for("the mail to be sent", Duration::from_secs(30), async || {
        (test.count(sent).await == 1).then_some(())
    })
    .await;
    let mails = inbox.list().await;
    let [again, first] = mails.as_slice() else {
        panic!("{mails:?}")
    };
    assert_eq!(first.to[0].address, "ada@example.org");
    assert!(!first.message_id.is_empty(), "{first:?}");
    assert_eq!(
        (&first.message_id, &first.subject, &first.to[0].address),
        (&again.message_id, &again.subject, &again.to[0].address)
    );
    next.shutdown().await;
    test.stop().await;
}
