//! Whose things are not found: another person's, another organization's, nobody's, and what is no id at all.

use std::collections::BTreeMap;

use serde_json::Value;
use tenantry_domain::accounts::OperatorRole;

use super::{
    assert_refused, routes, send,
    table::{Door, Route, unknown},
};
use crate::{
    operators::operator,
    support::{Browser, Person, TestApp},
    tenants::{provision, sell},
    users::user_id,
};

/// What stands in addresses of somebody's things, by the name in braces.
type Things = BTreeMap<&'static str, String>;

async fn first(browser: &Browser, path: &str, member: &str) -> String {
    let page = browser.clone().get(path).await.json();
    page["items"][0][member].as_str().unwrap().to_owned()
}

/// One of everything.
async fn things_of(person: &Person, admin: &Browser, tenant: &str) -> Things {
    let operation = provision(&mut admin.clone(), &person.organization(), tenant).await;
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    BTreeMap::from([
        ("organization", person.organization()),
        ("tenant", text(&operation["tenant_id"])),
        ("operation", text(&operation["id"])),
        ("session", first(&person.browser, "/api/v1/me/sessions", "id").await),
        ("user", user_id(&person.session)),
        ("name", tenant.to_owned()),
    ])
}

/// Each organization has begun to buy something.
async fn begin_checkouts(test: &TestApp) {
    for statement in [
        "insert into prices (id, plan_version_id, recurrence, currency, amount_minor, lookup_key)
             select gen_random_uuid(), id, 'month', 'EUR', 4900, 'collection_starter_month_eur' from plan_versions",
        "insert into checkouts (id, organization_id, product, price_id, tenant_id, expires_at)
             select ('01890000-0000-7000-8000-' || lpad(row_number() over (order by t.name)::text, 12, '0'))::uuid,
                 t.organization_id, 'collection', p.id, t.id, now() + interval '1 day' from tenants t, prices p",
    ] {
        test.execute(statement).await;
    }
}

/// What an operator sees of everything.
async fn picture(admin: &Browser) -> Vec<Value> {
    let mut seen = Vec::new();
    for list in [
        "checkouts",
        "operations",
        "operators",
        "organizations",
        "tenants",
        "users",
    ] {
        seen.push(admin.clone().get(&format!("/api/v1/operator/{list}")).await.json());
    }
    seen
}

#[tokio::test]
async fn anothers_things_are_not_found() {
    let test = TestApp::start().await;
    sell(&test).await;
    let (ada, grace) = (test.person("ada").await, test.person("grace").await);
    let admin = operator(&test, OperatorRole::Admin).await;
    let mut adas = things_of(&ada, &admin, "first-museum").await;
    let mut graces = things_of(&grace, &admin, "second-museum").await;
    begin_checkouts(&test).await;
    for (things, person) in [(&mut adas, &ada), (&mut graces, &grace)] {
        let page = admin.clone().get("/api/v1/operator/checkouts").await.json();
        let own = page["items"].as_array().unwrap().iter();
        let mut own = own.filter(|item| item["organization"]["id"] == *person.organization());
        things.insert("checkout", own.next().unwrap()["id"].as_str().unwrap().to_owned());
    }
    let slug = ada.session["organizations"][0]["slug"].as_str().unwrap();
    let before = picture(&admin).await;
    let mut tried = 0;
    for route in routes() {
        if !matches!(route.door, Door::User | Door::Member(_)) {
            continue;
        }
        for name in route.ids() {
            let one_of_adas = route.address(|part| if part == name { &adas } else { &graces }[part].clone());
            let all_adas = route.address(|part| adas[part].clone());
            let by_slug = route.address(|part| {
                if part == "organization" {
                    slug.to_owned()
                } else {
                    adas[part].clone()
                }
            });
            for address in [one_of_adas, all_adas, by_slug] {
                let answer = send(&mut grace.browser.clone(), &route, &address, &route.body()).await;
                assert_refused(&answer, 404, "not_found", &format!("{} at {address}", route.id));
                tried += 1;
            }
            if !route.acts() {
                let own = route.address(|part| adas[part].clone());
                assert_eq!(ada.browser.clone().open(&own).await.status, 200, "{own} by its owner");
            }
        }
    }
    assert!(tried > 30, "{tried}");
    assert_eq!(picture(&admin).await, before);
    assert_eq!(ada.browser.clone().get("/api/v1/session").await.status, 200);

    let crossed = format!(
        "/api/v1/operator/users/{}/sessions/{}",
        user_id(&ada.session),
        graces["session"]
    );
    let answer = admin
        .clone()
        .send(http::Method::DELETE, &crossed, &[], Vec::new())
        .await;
    assert_refused(&answer, 404, "not_found", "a session under somebody else");
    assert_eq!(grace.browser.clone().get("/api/v1/session").await.status, 200);
}

#[tokio::test]
async fn what_nobody_has_and_what_is_no_id_is_not_found() {
    let test = TestApp::start().await;
    sell(&test).await;
    let ada = test.person("ada").await;
    let admin = operator(&test, OperatorRole::Admin).await;
    let things = things_of(&ada, &admin, "first-museum").await;
    let before = picture(&admin).await;
    for route in routes() {
        let browser = match route.door {
            Door::Anybody | Door::Provider(_) => continue,
            Door::User | Door::Member(_) => &ada.browser,
            Door::Operator(_) => &admin,
        };
        for name in route.ids() {
            let of_another_kind = unknown(if name == "tenant" { "user" } else { "tenant" });
            for wrong in [unknown(name), of_another_kind, strange(name)]
                .into_iter()
                .chain(NO_IDS.map(str::to_owned))
            {
                let address = at(&route, name, &wrong, &things);
                let answer = send(&mut browser.clone(), &route, &address, &route.body()).await;
                assert_refused(&answer, 404, "not_found", &format!("{} at {address}", route.id));
            }
        }
    }
    assert_eq!(picture(&admin).await, before);
}

/// Texts that could be taken for something else than an id on their way to the ledger.
const NO_IDS: [&str; 8] = [
    "x",
    "%00",
    "%2e%2e",
    "%F0%9F%8F%9B",
    "%ff",
    "'%20or%20'1'='1",
    "%0d%0aset-cookie:x=1",
    "-1",
];

/// An id that is a letter too long, and one in capitals, are none.
fn strange(name: &str) -> String {
    format!("{}a", unknown(name))
}

fn at(route: &Route, name: &str, wrong: &str, things: &Things) -> String {
    route.address(|part| match things.get(part) {
        _ if part == name => wrong.to_owned(),
        Some(thing) => thing.clone(),
        None => unknown(part),
    })
}
