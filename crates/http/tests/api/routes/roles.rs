//! Whose role is too small: each route, reading ones too, by each role, which is either told so or let in.

use tenantry_domain::{accounts::OperatorRole, organizations::Role};

use super::{
    Route, assert_refused, routes, send,
    table::{Door, Takes},
};
use crate::{
    operators::operator,
    support::{Answer, Browser, TestApp},
};

/// Whoever is let in gets no further than to something that nobody has, or to a body that is not taken.
async fn try_it(browser: &Browser, route: &Route, organization: &str) -> Answer {
    let body: &[u8] = match route.takes {
        Takes::Json(_) => br#"{"no_such_member":1}"#,
        Takes::Nothing | Takes::Form | Takes::Picture => b"",
    };
    send(&mut browser.clone(), route, &route.address_in(organization), body).await
}

fn assert_let_in(answer: &Answer, what: &str) {
    assert!(
        matches!(answer.status, 200 | 204 | 404 | 422),
        "{what}: {}",
        answer.text()
    );
}

#[tokio::test]
async fn members_may_do_what_their_role_holds_and_nothing_else() {
    let test = TestApp::start().await;
    let owner = test.person("ada").await;
    let (admin, member) = (test.person("grace").await, test.person("alan").await);
    test.execute(
        "insert into memberships (organization_id, user_id, role)
         select m.organization_id, u.id, case u.email_normalized when 'alan@example.org' then 'member' else 'admin' end
         from memberships m join users o on o.id = m.user_id, users u
         where o.email_normalized = 'ada@example.org'
             and u.email_normalized in ('grace@example.org', 'alan@example.org')",
    )
    .await;
    let organization = owner.organization();
    let (mut let_in, mut refused) = (0, 0);
    for route in routes() {
        let Door::Member(permissions) = route.door else {
            continue;
        };
        for (role, person) in [(Role::Owner, &owner), (Role::Admin, &admin), (Role::Member, &member)] {
            let what = format!("{} by the {role}", route.id);
            let answer = try_it(&person.browser, &route, &organization).await;
            if permissions.iter().all(|permission| role.may(*permission)) {
                assert_let_in(&answer, &what);
                let_in += 1;
            } else {
                assert_refused(&answer, 403, "permission_missing", &what);
                refused += 1;
            }
        }
    }
    assert!(let_in > 10 && refused > 5, "{let_in} let in, {refused} refused");
}

#[tokio::test]
async fn operators_may_do_what_their_role_is_for_and_nothing_else() {
    let test = TestApp::start().await;
    let organization = test.person("ada").await.organization();
    // Signing out ends the session that the others are called with.
    let (last, others): (Vec<_>, Vec<_>) = routes().into_iter().partition(Route::signs_out);
    for role in [OperatorRole::Viewer, OperatorRole::Support, OperatorRole::Admin] {
        let browser = operator(&test, role).await;
        for route in others.iter().chain(&last) {
            let Door::Operator(least) = route.door else { continue };
            let what = format!("{} by {role}", route.id);
            let answer = try_it(&browser, route, &organization).await;
            if role >= least {
                assert_let_in(&answer, &what);
            } else {
                assert_refused(&answer, 403, "role_too_small", &what);
            }
        }
    }
}
