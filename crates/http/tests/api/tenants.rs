//! Tenants and operations, for customers and for operators. No engine runs here: the ledger is moved by hand.

use http::Method;
use serde_json::{Value, json};
use tenantry_domain::accounts::OperatorRole;

use crate::{
    operators::operator,
    support::{Answer, Browser, TestApp},
};

/// A product that can be provisioned.
pub(crate) async fn sell(test: &TestApp) {
    test.execute("insert into products (key, delivery, definition) values ('collection', 'dedicated', '{}')")
        .await;
    test.execute(
        "insert into plan_versions (id, product, plan, version, definition) \
         values ('01890000-0000-7000-8000-000000000001', 'collection', 'starter', 1, '{}')",
    )
    .await;
}

pub(crate) async fn provision(operator: &mut Browser, organization: &str, name: &str) -> Value {
    let request = json!({ "organization": organization, "product": "collection", "plan": "starter", "name": name });
    let answer = operator.post("/api/v1/operator/tenants", &request).await;
    assert_eq!(answer.status, 202, "{}", answer.text());
    let operation = answer.json();
    let location = format!("/api/v1/operator/operations/{}", operation["id"].as_str().unwrap());
    assert_eq!(answer.header("location"), location);
    operation
}

#[tokio::test]
async fn an_operator_provisions_and_the_customer_sees_it() {
    let test = TestApp::start().await;
    sell(&test).await;
    let mut customer = test.person("ada").await;
    let organization = customer.organization();
    let mut operator = operator(&test, OperatorRole::Admin).await;
    let operation = provision(&mut operator, &organization, "Museum-of-Examples").await;
    assert_eq!(operation["state"], "queued");
    assert_eq!(operation["steps"][0]["title"], "Set aside a place of its own");
    assert_eq!(operation["steps"].as_array().unwrap().len(), 10);

    let base = format!("/api/v1/organizations/{organization}");
    let page = customer
        .browser
        .get(&format!("{base}/tenants?state=pending&search=museum"))
        .await
        .json();
    assert_eq!(page["items"][0]["host"], "museum-of-examples.tenants.localhost");
    assert_eq!(page["items"][0]["plan"], "starter");
    assert_eq!(page["next_cursor"], Value::Null);
    assert_eq!(
        customer
            .browser
            .get(&format!("{base}/tenants?state=active"))
            .await
            .json()["items"],
        json!([])
    );

    let tenant = operation["tenant_id"].as_str().unwrap();
    let shown = customer.browser.get(&format!("{base}/tenants/{tenant}")).await.json();
    assert_eq!(shown["current_operation"]["id"], operation["id"]);
    let id = operation["id"].as_str().unwrap();
    assert_eq!(
        customer.browser.get(&format!("{base}/operations/{id}")).await.json()["id"],
        operation["id"]
    );

    let listed = operator.get("/api/v1/operator/tenants?search=museum").await.json();
    assert_eq!(listed["items"][0]["organization"]["id"], organization.as_str());
    let overview = operator.get("/api/v1/operator/overview").await.json();
    assert_eq!(overview["tenants_by_state"]["pending"], 1);
    assert_eq!(overview["tenants_by_state"]["active"], 0);
    assert_eq!(overview["unknown_namespaces"], json!([]));
    let organizations = operator.get("/api/v1/operator/organizations").await.json();
    assert_eq!(organizations["items"][0]["tenants"], 1);
    test.stop().await;
}

#[tokio::test]
async fn what_is_anothers_is_not_found() {
    let test = TestApp::start().await;
    sell(&test).await;
    let (ada, mut eve) = (test.person("ada").await, test.person("eve").await);
    let mut operator = operator(&test, OperatorRole::Admin).await;
    let operation = provision(&mut operator, &ada.organization(), "secret-museum").await;
    let (tenant, id) = (
        operation["tenant_id"].as_str().unwrap(),
        operation["id"].as_str().unwrap(),
    );
    for organization in [ada.organization(), eve.organization()] {
        for path in [
            format!("tenants/{tenant}"),
            format!("operations/{id}"),
            format!("operations/{id}/events"),
        ] {
            let answer = eve
                .browser
                .get(&format!("/api/v1/organizations/{organization}/{path}"))
                .await;
            assert_eq!(answer.code(), "not_found", "{path}");
        }
    }
    let own = format!("/api/v1/organizations/{}/tenants", eve.organization());
    assert_eq!(eve.browser.get(&own).await.json()["items"], json!([]));
    test.stop().await;
}

#[tokio::test]
async fn names_are_judged_before_anything_is_bought() {
    let test = TestApp::start().await;
    sell(&test).await;
    let mut ada = test.person("ada").await;
    let names = format!("/api/v1/organizations/{}/tenant-names", ada.organization());
    let mut operator = operator(&test, OperatorRole::Admin).await;
    provision(&mut operator, &ada.organization(), "taken").await;
    for (name, reason) in [
        ("taken", "name_taken"),
        ("adm1n", "name_reserved"),
        ("%22%3B%20%7B%7B%20x%20%7D%7D", "name_invalid"),
        ("%F0%9F%98%80", "name_invalid"),
    ] {
        let answer = ada.browser.get(&format!("{names}/{name}")).await.json();
        assert_eq!(
            (&answer["available"], &answer["reason"]),
            (&json!(false), &json!(reason)),
            "{answer}"
        );
        assert!(answer["suggestion"].is_string(), "{answer}");
    }
    let free = ada.browser.get(&format!("{names}/Museum")).await.json();
    assert_eq!((&free["available"], &free["name"]), (&json!(true), &json!("museum")));

    let again =
        json!({ "organization": ada.organization(), "product": "collection", "plan": "starter", "name": "taken" });
    assert_eq!(
        operator.post("/api/v1/operator/tenants", &again).await.code(),
        "name_taken"
    );
    let other = json!({ "organization": ada.organization(), "product": "collection", "plan": "none", "name": "free" });
    assert_eq!(
        operator.post("/api/v1/operator/tenants", &other).await.code(),
        "plan_unknown"
    );
    test.stop().await;
}

#[tokio::test]
async fn removing_takes_the_name_and_a_great_enough_role() {
    let test = TestApp::start().await;
    sell(&test).await;
    let ada = test.person("ada").await;
    let mut admin = operator(&test, OperatorRole::Admin).await;
    let mut support = operator(&test, OperatorRole::Support).await;
    let operation = provision(&mut admin, &ada.organization(), "to-remove").await;
    let path = format!(
        "/api/v1/operator/tenants/{}/deprovision",
        operation["tenant_id"].as_str().unwrap()
    );
    let right = json!({ "confirm": "to-remove" });
    assert_eq!(support.post(&path, &right).await.code(), "role_too_small");
    assert_eq!(
        admin.post(&path, &json!({ "confirm": "another" })).await.code(),
        "not_confirmed"
    );
    // Being made: it goes when that has ended.
    let answer = admin.post(&path, &right).await;
    let tenant = format!("/api/v1/operator/tenants/{}", operation["tenant_id"].as_str().unwrap());
    assert_eq!((answer.status, answer.header("location")), (202, tenant.as_str()));
    let removal = json!({ "tenant_id": operation["tenant_id"], "follows_operation_id": operation["id"] });
    assert_eq!(answer.json(), removal);
    let retry = format!(
        "/api/v1/operator/operations/{}/retry",
        operation["id"].as_str().unwrap()
    );
    assert_eq!(support.post(&retry, &Value::Null).await.code(), "operation_in_progress");

    // Nothing is at work any more.
    test.execute("update operations set state = 'undone', ended_at = now()")
        .await;
    let answer = admin.post(&path, &right).await;
    let removal = answer.json()["operation_id"].as_str().unwrap().to_owned();
    let location = format!("/api/v1/operator/operations/{removal}");
    assert_eq!((answer.status, answer.header("location")), (202, location.as_str()));
    assert_ne!(removal, operation["id"].as_str().unwrap());
    assert_eq!(admin.get(&location).await.json()["kind"], "deprovision");
    test.stop().await;
}

#[tokio::test]
async fn progress_is_streamed_until_the_end_and_resumed_where_it_broke_off() {
    let test = TestApp::start().await;
    sell(&test).await;
    let mut ada = test.person("ada").await;
    let mut operator = operator(&test, OperatorRole::Admin).await;
    let operation = provision(&mut operator, &ada.organization(), "live").await;
    let path = format!(
        "/api/v1/organizations/{}/operations/{}/events",
        ada.organization(),
        operation["id"].as_str().unwrap()
    );

    let mut live = ada.browser.open(&path).await;
    assert_eq!(live.headers["content-type"], "text/event-stream");
    let mut events = vec![live.next().await.unwrap()];
    for statement in [
        "insert into operation_steps (operation_id, seq, organization_id, step, phase, record, epoch, attempt) \
         select id, 1, organization_id, 'namespace', 'do', 'started', 1, 1 from operations",
        "insert into operation_steps (operation_id, seq, organization_id, step, phase, record, epoch, attempt) \
         select id, 2, organization_id, 'namespace', 'do', 'done', 1, 1 from operations",
        "update operations set state = 'done', started_at = now(), ended_at = now()",
    ] {
        test.execute(statement).await;
        events.push(live.next().await.unwrap());
    }
    let ids: Vec<&str> = events
        .iter()
        .map(|event| event.lines().find_map(|line| line.strip_prefix("id: ")).unwrap())
        .collect();
    assert_eq!(ids, ["0", "1", "2", "2"], "{events:?}");
    let data = |event: &str| -> Value {
        serde_json::from_str(event.lines().find_map(|line| line.strip_prefix("data: ")).unwrap()).unwrap()
    };
    assert_eq!(data(&events[1])["steps"][0]["state"], "running");
    assert_eq!(data(&events[2])["steps"][0]["state"], "done");
    assert_eq!(data(&events[3])["state"], "done");
    assert_eq!(live.next().await.unwrap(), "event: end\ndata: {}");
    assert_eq!(live.next().await, None);

    // What has ended is told once more, also to somebody who saw its last record.
    let again = ada
        .browser
        .send(Method::GET, &path, &[("last-event-id", "2")], Vec::new())
        .await
        .text();
    assert_eq!(again.matches("event: operation").count(), 1, "{again}");
    test.stop().await;
}

/// An operation of `owner`, made by an operator, and where it streams for either.
async fn live_operation(test: &TestApp, operator: &mut Browser, organization: &str) -> [String; 2] {
    sell(test).await;
    let operation = provision(operator, organization, "live").await;
    let id = operation["id"].as_str().unwrap();
    [
        format!("/api/v1/organizations/{organization}/operations/{id}/events"),
        format!("/api/v1/operator/operations/{id}/events"),
    ]
}

#[tokio::test]
async fn what_the_cluster_says_of_a_wait_is_shown_to_operators_only() {
    let test = TestApp::start().await;
    let mut ada = test.person("ada").await;
    let mut operator = operator(&test, OperatorRole::Admin).await;
    let [path, operators] = live_operation(&test, &mut operator, &ada.organization()).await;
    test.execute(
        "insert into operation_steps (operation_id, seq, organization_id, step, phase, record, epoch, attempt, error) \
         select id, r.seq, organization_id, 'ready', 'do', r.record, 1, 1, r.error from operations, (values \
             (1, 'started', null), \
             (2, 'not_yet', '{\"code\": \"waiting_for_capacity\", \"detail\": \"room for the site\", \
                              \"technical\": \"node-7.example.net is full\"}'::jsonb)) as r (seq, record, error)",
    )
    .await;
    let steps = |answer: Answer| answer.json()["steps"][0].clone();
    let shown = steps(ada.browser.get(path.trim_end_matches("/events")).await);
    assert_eq!(
        (&shown["state"], &shown["waiting_for"], &shown["waiting_technical"]),
        (&json!("waiting"), &json!("room for the site"), &Value::Null)
    );
    let shown = steps(operator.get(operators.trim_end_matches("/events")).await);
    assert_eq!(shown["waiting_technical"], "node-7.example.net is full");
    test.stop().await;
}

#[tokio::test]
async fn a_live_view_ends_with_its_session_or_membership() {
    let test = TestApp::start().await;
    let mut ada = test.person("ada").await;
    let mut operator = operator(&test, OperatorRole::Admin).await;
    let [path, operators] = live_operation(&test, &mut operator, &ada.organization()).await;
    let mut signed_out = ada.browser.open(&path).await;
    let mut operator_signed_out = operator.open(&operators).await;
    for live in [&mut signed_out, &mut operator_signed_out] {
        assert_eq!(live.status, 200);
        assert!(live.next().await.unwrap().contains("event: operation"));
    }
    assert_eq!(ada.browser.post("/api/v1/auth/logout", &Value::Null).await.status, 204);
    let out = operator.post("/api/v1/operator/auth/logout", &Value::Null).await;
    assert_eq!(out.status, 204);
    assert_eq!(signed_out.next().await, None);
    assert_eq!(operator_signed_out.next().await, None);
    test.stop().await;
}

#[tokio::test]
async fn a_live_view_ends_when_its_reader_leaves_the_organization() {
    let test = TestApp::start().await;
    let mut ada = test.person("ada").await;
    let mut operator = operator(&test, OperatorRole::Admin).await;
    let [path, _] = live_operation(&test, &mut operator, &ada.organization()).await;
    test.execute(
        "insert into users (id, email_normalized, name, verified_at) \
         values ('01890000-0000-7000-8000-0000000000aa', 'heir@example.org', 'Heir', now())",
    )
    .await;
    let mut live = ada.browser.open(&path).await;
    assert!(live.next().await.unwrap().contains("event: operation"));
    test.execute("update memberships set user_id = '01890000-0000-7000-8000-0000000000aa'")
        .await;
    assert_eq!(live.next().await, None);
    test.stop().await;
}

#[tokio::test]
async fn a_session_holds_a_bounded_number_of_live_views() {
    let test = TestApp::start().await;
    let mut ada = test.person("ada").await;
    let mut operator = operator(&test, OperatorRole::Admin).await;
    let [path, operators] = live_operation(&test, &mut operator, &ada.organization()).await;
    let mut open = Vec::new();
    for _ in 0..20 {
        let live = ada.browser.open(&path).await;
        assert_eq!(live.status, 200);
        open.push(live);
    }
    let refused = ada.browser.get(&path).await;
    assert_eq!((refused.status, refused.code().as_str()), (429, "too_many_streams"));
    assert_eq!(
        operator.open(&operators).await.status,
        200,
        "another session has its own"
    );
    open.pop();
    assert_eq!(ada.browser.open(&path).await.status, 200);
    test.stop().await;
}

#[tokio::test]
async fn a_customer_reads_operations_in_the_scope_of_the_organization() {
    let test = TestApp::start().await;
    let mut ada = test.person("ada").await;
    let mut operator = operator(&test, OperatorRole::Admin).await;
    let [path, operators] = live_operation(&test, &mut operator, &ada.organization()).await;
    // How long steps usually take is known from here on.
    let shown = operator.get(operators.trim_end_matches("/events")).await;
    assert_eq!(shown.status, 200);
    test.as_owner("revoke select on operations, operation_steps from tenantry_system")
        .await;
    let shown = ada.browser.get(path.trim_end_matches("/events")).await;
    assert_eq!(shown.status, 200, "{}", shown.text());
    let mut live = ada.browser.open(&path).await;
    assert!(live.next().await.unwrap().contains("event: operation"));
    test.stop().await;
}
