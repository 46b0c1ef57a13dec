//! What works once works once, also when two hundred want it in the same moment. Beside these: the link of a sign-up
//! (`sign_up`), the link of a reset (`passwords`), a step of an authenticator app (`second_factors`), a refresh token
//! (`tokens::refreshing`).

use tenantry_domain::{
    accounts::{FactorHolder, OperatorRole},
    ids::{OperatorId, UserId},
};
use tenantry_postgres::accounts::second_factors;
use uuid::Uuid;

use crate::{operators, support::TestApp};

const CROWD: usize = 200;

/// How many of a crowd get to use a recovery code. The door's own pauses, which refuse nearly everybody before the
/// ledger is asked, are passed by.
async fn uses(test: &TestApp, holder: FactorHolder, hash: [u8; 32]) -> usize {
    let uses = (0..CROWD).map(|_| async {
        let mut tx = test.app.database.system("a test uses a recovery code").await.unwrap();
        let used = second_factors::use_recovery_code(&mut tx, holder, &hash, test.now())
            .await
            .unwrap();
        tx.commit().await.unwrap();
        used
    });
    let used = futures::future::join_all(uses).await;
    used.into_iter().filter(|used| *used).count()
}

/// Whose code, and the hash by which the ledger knows it.
async fn unused(test: &TestApp, query: &'static str) -> (Uuid, [u8; 32]) {
    let mut tx = test.app.database.system("a test reads a hash").await.unwrap();
    let (holder, hash): (Uuid, Vec<u8>) = sqlx::query_as(query).fetch_one(&mut tx).await.unwrap();
    (holder, hash.try_into().unwrap())
}

#[tokio::test]
async fn of_two_hundred_with_one_recovery_code_one_uses_it() {
    let test = TestApp::start().await;
    let mut ada = test.person("ada").await.browser;
    ada.sets_up_second_factor(&test).await;
    let codes = "select user_id, hash from recovery_codes where used_at is null limit 1";
    let (user, hash) = unused(&test, codes).await;
    let holder = FactorHolder::User(UserId::from_uuid(user));
    assert_eq!(uses(&test, holder, hash).await, 1);
    let left = ada.get("/api/v1/me/second-factor").await.json()["recovery_codes_left"].clone();
    assert_eq!(left, 9);
    assert_eq!(uses(&test, holder, hash).await, 0, "nor later");
}

#[tokio::test]
async fn an_operators_recovery_code_is_used_once_as_well() {
    let test = TestApp::start().await;
    operators::operator(&test, OperatorRole::Admin).await;
    let codes = "select operator_id, hash from operator_recovery_codes where used_at is null limit 1";
    let (operator, hash) = unused(&test, codes).await;
    let holder = FactorHolder::Operator(OperatorId::from_uuid(operator));
    assert_eq!(uses(&test, holder, hash).await, 1);
    let spent = "select count(*) from operator_recovery_codes where used_at is not null";
    assert_eq!(test.count(spent).await, 1);
}
