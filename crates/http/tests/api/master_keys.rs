//! A master key is added: nothing that a client holds stops being worth something. Then the former one goes.

use std::{collections::BTreeSet, time::Duration};

use serde_json::json;
use sqlx::AssertSqlSafe;
use tenantry_app::sealing::{Place, Purpose, Sealed, rotation};
use tenantry_domain::{
    accounts::FactorHolder,
    ids::{OperatorId, UserId},
};
use tenantry_postgres::{
    isolation,
    sealed_columns::{SealedColumn, TextColumn, lock_personal_keys, lock_secrets, lock_texts},
    sealed_secrets,
};
use tenantry_test_support::wait_for;
use uuid::Uuid;

use crate::support::{MASTER_KEYS, PASSWORD, TestApp};

const NEWER: &str = "k2 QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVoyMzQ1Njc=";

#[tokio::test]
async fn cursors_forms_and_counted_failures_outlive_a_new_master_key() {
    let mut test = TestApp::start().await;
    let mut ada = test.person("ada").await.browser;
    for name in ["Second", "Third"] {
        let made = ada.post("/api/v1/organizations", &json!({ "name": name })).await;
        assert_eq!(made.status, 201, "{}", made.text());
    }
    let page = ada.get("/api/v1/organizations?limit=1").await.json();
    let cursor = page["next_cursor"].as_str().unwrap().to_owned();
    let guess = json!({ "email": "ada@example.org", "password": "wrong password" });
    for _ in 0..5 {
        assert_eq!(test.browser().post("/api/v1/auth/login", &guess).await.status, 401);
    }

    test.restart_with_keys(&format!("{MASTER_KEYS}{NEWER}")).await;
    let mut moved = test.browser();
    moved.cookies = ada.cookies;
    moved.csrf_token = ada.csrf_token;
    let next = moved
        .get(&format!("/api/v1/organizations?limit=1&cursor={cursor}"))
        .await;
    assert_eq!(next.status, 200, "{}", next.text());
    let made = moved.post("/api/v1/organizations", &json!({ "name": "Fourth" })).await;
    assert_eq!(made.status, 201, "{}", made.text());
    let right = json!({ "email": "ada@example.org", "password": PASSWORD });
    let paused = test.browser().post("/api/v1/auth/login", &right).await;
    assert_eq!((paused.status, paused.code().as_str()), (429, "too_many_attempts"));
}

const SECRETS: usize = 200;
const SCOPE: &str = "tenant";
/// The key that seals before, as the ledger has it: in a column of its own, before a sealed text, and before one that is
/// kept as bytes.
const FORMER: [&str; 3] = ["k1", "azE.", "617a452e"];

/// One value of every kind, `word` in each.
async fn seal_one_of_each(test: &TestApp, word: &str) {
    let sealer = &test.app.sealer;
    let mut tx = test.app.database.system("a test seals").await.unwrap();
    for number in 0..SECRETS {
        let name = format!("password-{number}");
        let row = sealer.seal_secret(place(&name), word.as_bytes()).unwrap();
        sealed_secrets::insert_if_absent(&mut tx, SCOPE, None, Uuid::max(), &row)
            .await
            .unwrap();
    }
    let (user, operator) = (test_user(), test_operator());
    let text = |purpose: Purpose<'_>| sealer.seal_text(&purpose, word).unwrap();
    let key = sealer
        .seal(&Purpose::PersonalKey { subject: user.uuid() }, word.as_bytes())
        .unwrap();
    let answer = text(Purpose::Answer {
        principal: "ada \"1\"",
        key: "key",
    });
    sqlx::query(
        "insert into users (id, email_normalized, name, verified_at) values ($1, 'sealed@example.org', 'S', now())",
    )
    .bind(user.uuid())
    .execute(&mut tx)
    .await
    .unwrap();
    sqlx::query("insert into personal_keys (user_id, key_id, wrapped_key, ciphertext) values ($1, $2, $3, $4)")
        .bind(user.uuid())
        .bind(&key.key_id)
        .bind(&key.wrapped_key)
        .bind(&key.ciphertext)
        .execute(&mut tx)
        .await
        .unwrap();
    sqlx::query(
        "insert into totp_factors (user_id, sealed_secret, replacement, confirmed_at) values ($1, $2, $3, now())",
    )
    .bind(user.uuid())
    .bind(text(Purpose::Totp(FactorHolder::User(user))))
    .bind(text(Purpose::Totp(FactorHolder::User(user))))
    .execute(&mut tx)
    .await
    .unwrap();
    sqlx::query(
        "insert into operators (id, email_normalized, password_hash, role) values ($1, 'o@example.org', 'x', 'admin')",
    )
    .bind(operator.uuid())
    .execute(&mut tx)
    .await
    .unwrap();
    sqlx::query("insert into operator_totp_factors (operator_id, sealed_secret) values ($1, $2)")
        .bind(operator.uuid())
        .bind(text(Purpose::Totp(FactorHolder::Operator(operator))))
        .execute(&mut tx)
        .await
        .unwrap();
    sqlx::query(
        "insert into signing_keys (kid, algorithm, public_jwk, sealed_private, not_before, retire_at, remove_at)
         values ('sealed-key', 'EdDSA', '{}', $1, now(), now() + interval '1 day', now() + interval '2 days')",
    )
    .bind(text(Purpose::SigningKey { kid: "sealed-key" }))
    .execute(&mut tx)
    .await
    .unwrap();
    sqlx::query(
        "insert into jobs (id, kind, payload) values ($1, 'mail.send', jsonb_build_object('sealed', $2::text))",
    )
    .bind(Uuid::now_v7())
    .bind(text(Purpose::Mail))
    .execute(&mut tx)
    .await
    .unwrap();
    sqlx::query(
        "insert into idempotency_keys (principal, key, request_hash, sealed_response, expires_at)
         values ('ada \"1\"', 'key', sha256('request'), $1, now() + interval '1 day')",
    )
    .bind(answer.as_bytes())
    .execute(&mut tx)
    .await
    .unwrap();
    tx.commit().await.unwrap();
}

fn place(name: &str) -> Place<'_> {
    Place {
        scope: SCOPE,
        organization: None,
        owner: Uuid::max(),
        name,
    }
}

fn test_user() -> UserId {
    UserId::from_uuid(Uuid::from_u128(1))
}

fn test_operator() -> OperatorId {
    OperatorId::from_uuid(Uuid::from_u128(2))
}

/// Every column of every table in which the former key's id stands, whoever wrote it there.
async fn columns_under_the_former_key(test: &TestApp) -> BTreeSet<(String, String)> {
    let mut tx = test.app.database.system("a test looks for a key").await.unwrap();
    let mut found = BTreeSet::new();
    for (table, _) in isolation::TABLES {
        let statement = format!(
            "select distinct c.key from {table} t, jsonb_each_text(to_jsonb(t)) c \
             where c.value = $1 or strpos(c.value, $2) > 0 or strpos(c.value, $3) > 0"
        );
        let [alone, before_text, before_bytes] = FORMER;
        let columns: Vec<String> = sqlx::query_scalar(AssertSqlSafe(statement))
            .bind(alone)
            .bind(before_text)
            .bind(before_bytes)
            .fetch_all(&mut tx)
            .await
            .unwrap();
        found.extend(columns.into_iter().map(|column| ((*table).to_owned(), column)));
    }
    found
}

/// Each value, opened.
async fn open_all(test: &TestApp) -> Vec<String> {
    let sealer = &test.app.sealer;
    let mut opened = Vec::new();
    let mut tx = test.app.database.system("a test opens everything").await.unwrap();
    for row in sealed_secrets::list(&mut tx, SCOPE, Uuid::max()).await.unwrap() {
        let name = row.name.clone();
        opened.push(sealer.open_secret(place(&name), row).unwrap().to_vec());
    }
    for row in lock_personal_keys(&mut tx, "", &[], 100).await.unwrap() {
        if row.user_id == test_user().uuid() {
            let sealed = Sealed {
                format: 1,
                key_id: row.key_id,
                wrapped_key: row.wrapped_key,
                ciphertext: row.ciphertext,
            };
            let purpose = Purpose::PersonalKey { subject: row.user_id };
            opened.push(sealer.open(&purpose, &sealed).unwrap().to_vec());
        }
    }
    let user = Purpose::Totp(FactorHolder::User(test_user()));
    let texts = [
        (TextColumn::UserFactors, user),
        (TextColumn::UserFactorReplacements, user),
        (
            TextColumn::OperatorFactors,
            Purpose::Totp(FactorHolder::Operator(test_operator())),
        ),
        (TextColumn::SigningKeys, Purpose::SigningKey { kid: "sealed-key" }),
        (TextColumn::WaitingMails, Purpose::Mail),
        (
            TextColumn::Answers,
            Purpose::Answer {
                principal: "ada \"1\"",
                key: "key",
            },
        ),
    ];
    for (column, purpose) in texts {
        let rows = lock_texts(&mut tx, column, "nothing begins so", &[], 100)
            .await
            .unwrap();
        assert_eq!(rows.len(), 1, "{column:?}");
        opened.push(sealer.open_text(&purpose, &rows[0].1).unwrap().as_bytes().to_vec());
    }
    opened
        .into_iter()
        .map(|bytes| String::from_utf8(bytes).unwrap())
        .collect()
}

#[tokio::test]
async fn everything_is_sealed_anew_after_which_the_former_key_may_go() {
    let mut test = TestApp::start().await;
    seal_one_of_each(&test, "the word").await;
    let sealed: BTreeSet<_> = SealedColumn::ALL
        .into_iter()
        .map(|column| match column {
            // The id of the key stands beside these, and not before them.
            SealedColumn::Secrets | SealedColumn::PersonalKeys => (column.place().0, "key_id"),
            _ => column.place(),
        })
        .map(|(table, column)| (table.to_owned(), column.to_owned()))
        .collect();
    assert_eq!(columns_under_the_former_key(&test).await, sealed);

    test.restart_with_keys(&format!("{MASTER_KEYS}{NEWER}")).await;
    // As by kill -9, in the middle.
    let cut_short = tokio::spawn({
        let app = test.app.clone();
        async move { rotation::rotate(&app, 1, "a test").await }
    });
    wait_for("the first values", Duration::from_secs(30), async || {
        let mut tx = test.app.database.system("a test counts").await.unwrap();
        let done: i64 = sqlx::query_scalar("select count(*) from sealed_secrets where key_id = 'k2'")
            .fetch_one(&mut tx)
            .await
            .unwrap();
        (done > 2).then_some(())
    })
    .await;
    cut_short.abort();
    assert!(cut_short.await.unwrap_err().is_cancelled());

    let rotated = rotation::rotate(&test.app, 7, "a test").await.unwrap();
    assert!(rotated.iter().all(|column| column.unopened == 0), "{rotated:?}");
    let before = rotated.iter().map(|column| column.resealed).sum::<u64>();
    assert!((7..u64::try_from(SECRETS).unwrap() + 8).contains(&before), "{before}");
    assert_eq!(columns_under_the_former_key(&test).await, BTreeSet::new());
    let again = rotation::rotate(&test.app, 7, "a test").await.unwrap();
    assert_eq!(again.iter().map(|column| column.resealed).sum::<u64>(), 0);

    test.restart_with_keys(NEWER).await;
    assert_eq!(open_all(&test).await, vec!["the word"; SECRETS + 7]);
}

#[tokio::test]
async fn what_does_not_open_is_left_and_counted() {
    let mut test = TestApp::start().await;
    seal_one_of_each(&test, "the word").await;
    let mut tx = test.app.database.system("a test moves a secret").await.unwrap();
    sqlx::query("update sealed_secrets set name = 'moved' where name = 'password-0'")
        .execute(&mut tx)
        .await
        .unwrap();
    tx.commit().await.unwrap();
    test.restart_with_keys(&format!("{MASTER_KEYS}{NEWER}")).await;
    let rotated = rotation::rotate(&test.app, 7, "a test").await.unwrap();
    let unopened: Vec<_> = rotated.iter().filter(|column| column.unopened > 0).collect();
    assert_eq!(unopened.len(), 1);
    assert_eq!((unopened[0].column, unopened[0].unopened), (SealedColumn::Secrets, 1));
}

#[tokio::test]
async fn a_secret_of_a_former_release_gets_its_name_bound_in() {
    let test = TestApp::start().await;
    let sealer = &test.app.sealer;
    // The same bytes were bound into a secret of this scope.
    let former = sealer
        .seal(&Purpose::PersonalKey { subject: Uuid::max() }, b"the word")
        .unwrap();
    let row = sealed_secrets::SealedSecret {
        name: "password".to_owned(),
        format: 1,
        key_id: former.key_id,
        wrapped_key: former.wrapped_key,
        ciphertext: former.ciphertext,
    };
    let scope = "personal_key";
    let mut tx = test.app.database.system("a test seals").await.unwrap();
    sealed_secrets::insert_if_absent(&mut tx, scope, None, Uuid::max(), &row)
        .await
        .unwrap();
    tx.commit().await.unwrap();
    rotation::rotate(&test.app, 7, "a test").await.unwrap();
    let mut tx = test.app.database.system("a test looks").await.unwrap();
    let row = sealed_secrets::find(&mut tx, scope, Uuid::max(), "password")
        .await
        .unwrap()
        .unwrap();
    assert_eq!(row.format, 2);
    let place = Place {
        scope,
        ..place("password")
    };
    assert_eq!(sealer.open_secret(place, row).unwrap().as_slice(), b"the word");
    assert!(lock_secrets(&mut tx, "k1", 2, &[], 1).await.unwrap().is_empty());
}

/// A column that looks sealed is one that the replacement of a master key goes through.
#[tokio::test]
async fn no_sealed_column_is_forgotten() {
    let test = TestApp::start().await;
    let mut tx = test.app.database.system("a test reads the schema").await.unwrap();
    let columns: Vec<(String, String)> = sqlx::query_as(
        "select table_name::text, column_name::text from information_schema.columns
         where table_schema = 'public' and (column_name like '%sealed%' or column_name = 'ciphertext')",
    )
    .fetch_all(&mut tx)
    .await
    .unwrap();
    let known: Vec<_> = SealedColumn::ALL.into_iter().map(SealedColumn::place).collect();
    for (table, column) in &columns {
        // Under the person's own key, which is sealed itself; rows of the log can be changed by nobody.
        let is_personal = (table.as_str(), column.as_str()) == ("audit_events", "sealed_personal");
        assert!(
            is_personal || known.contains(&(table.as_str(), column.as_str())),
            "{table}.{column}"
        );
    }
    assert!(columns.len() >= 7, "{columns:?}");
}
