//! Organizations are found by their members alone.

use chrono::TimeDelta;
use serde_json::json;

use crate::support::TestApp;

#[tokio::test]
async fn an_organization_is_found_by_id_and_slug_and_by_nobody_else() {
    let test = TestApp::start().await;
    let mut ada = test.person("ada").await;
    let mut grace = test.person("grace").await;
    let answer = ada
        .browser
        .post("/api/v1/organizations", &json!({ "name": "  Łódź   Gallery " }))
        .await;
    assert_eq!(answer.status, 201, "{}", answer.text());
    let created = answer.json();
    assert_eq!(created["name"], "Łódź Gallery");
    assert_eq!(created["slug"], "lodz-gallery");
    assert_eq!(created["role"], "owner");
    let id = created["id"].as_str().unwrap();
    assert_eq!(answer.header("location"), format!("/api/v1/organizations/{id}"));

    for name in [id, "lodz-gallery"] {
        let path = format!("/api/v1/organizations/{name}");
        let answer = ada.browser.get(&path).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        assert_eq!(answer.json()["id"], id);
        assert!(
            answer.json()["permissions"]
                .as_array()
                .unwrap()
                .contains(&json!("billing.manage"))
        );
        let foreign = grace.browser.get(&path).await;
        assert_eq!((foreign.status, foreign.code().as_str()), (404, "not_found"));
    }
    for nothing in [
        "org_01jd3r8v6yf3qb5c1zk3s9x0aa",
        "no-such-slug",
        "%00",
        "ten_01jd3r8v6yf3qb5c1zk3s9x0aa",
        "..%2f..",
    ] {
        assert_eq!(
            ada.browser
                .get(&format!("/api/v1/organizations/{nothing}"))
                .await
                .code(),
            "not_found",
            "{nothing}"
        );
    }
}

#[tokio::test]
async fn a_page_leads_to_the_next() {
    let test = TestApp::start().await;
    let mut ada = test.person("ada").await;
    let mut grace = test.person("grace").await;
    for name in ["Beta", "alpha", "Gamma", "alpha"] {
        assert_eq!(
            ada.browser
                .post("/api/v1/organizations", &json!({ "name": name }))
                .await
                .status,
            201
        );
    }
    let mut names = Vec::new();
    let mut path = "/api/v1/organizations?limit=2".to_owned();
    let mut pages = 0;
    loop {
        let page = ada.browser.get(&path).await.json();
        names.extend(
            page["items"]
                .as_array()
                .unwrap()
                .iter()
                .map(|item| item["name"].as_str().unwrap().to_owned()),
        );
        pages += 1;
        let Some(cursor) = page["next_cursor"].as_str() else {
            break;
        };
        path = format!("/api/v1/organizations?limit=2&cursor={cursor}");
        let taken_elsewhere = format!("/api/v1/organizations?limit=2&search=a&cursor={cursor}");
        assert_eq!(ada.browser.get(&taken_elsewhere).await.code(), "invalid_cursor");
        let changed = format!("/api/v1/organizations?cursor={}x", &cursor[..cursor.len() - 1]);
        assert_eq!(ada.browser.get(&changed).await.code(), "invalid_cursor");
    }
    assert_eq!(names, ["alpha", "alpha", "Beta", "Gamma", "Museum of Examples"]);
    assert_eq!(pages, 3);

    let found = ada.browser.get("/api/v1/organizations?search=ALP").await.json();
    assert_eq!(found["items"].as_array().unwrap().len(), 2);
    assert_eq!(found["items"][0]["slug"], "alpha");
    assert_eq!(
        grace.browser.get("/api/v1/organizations").await.json()["items"]
            .as_array()
            .unwrap()
            .len(),
        1
    );
    for query in ["limit=0", "limit=201", "limit=x", "search=%00"] {
        let answer = ada.browser.get(&format!("/api/v1/organizations?{query}")).await;
        assert_eq!(
            (answer.status, answer.code().as_str()),
            (400, "invalid_query"),
            "{query}"
        );
    }
}

#[tokio::test]
async fn twenty_at_once_get_twenty_slugs() {
    let test = TestApp::start().await;
    let ada = test.person("ada").await;
    let requests = (0..20).map(|_| {
        let mut browser = ada.browser.clone();
        async move { browser.post("/api/v1/organizations", &json!({ "name": "Same" })).await }
    });
    let mut slugs: Vec<String> = futures::future::join_all(requests)
        .await
        .iter()
        .map(|answer| {
            answer.json()["slug"]
                .as_str()
                .unwrap_or_else(|| panic!("{}", answer.text()))
                .to_owned()
        })
        .collect();
    slugs.sort();
    slugs.dedup();
    assert_eq!(slugs.len(), 20);
}

#[tokio::test]
async fn one_person_owns_a_bounded_number() {
    let test = TestApp::start().await;
    let mut ada = test.person("ada").await;
    for _ in 0..47 {
        test.clock.advance(TimeDelta::minutes(10));
        assert_eq!(
            ada.browser
                .post("/api/v1/organizations", &json!({ "name": "Another" }))
                .await
                .status,
            201
        );
    }
    // Two are left, and eight want one at once.
    let at_once = (0..8).map(|_| {
        let mut browser = ada.browser.clone();
        async move {
            browser
                .post("/api/v1/organizations", &json!({ "name": "Another" }))
                .await
                .status
        }
    });
    let statuses = futures::future::join_all(at_once).await;
    assert_eq!(
        statuses.iter().filter(|status| **status == 201).count(),
        2,
        "{statuses:?}"
    );
    let answer = ada
        .browser
        .post("/api/v1/organizations", &json!({ "name": "Another" }))
        .await;
    assert_eq!((answer.status, answer.code().as_str()), (409, "too_many_organizations"));
}

#[tokio::test]
async fn many_are_made_at_once_and_more_one_by_one() {
    let test = TestApp::start().await;
    let mut ada = test.person("ada").await.browser;
    let mut grace = test.person("grace").await.browser;
    let (path, body) = ("/api/v1/organizations", json!({ "name": "One of many" }));
    for remaining in (0..20).rev() {
        let made = ada.post(path, &body).await;
        assert_eq!(made.status, 201, "{}", made.text());
        assert_eq!(made.header("ratelimit-limit"), "20");
        assert_eq!(made.header("ratelimit-remaining"), remaining.to_string());
    }
    let key = [("idempotency-key", "one more")];
    let refused = ada.post_with(path, &body, &key).await;
    assert_eq!((refused.status, refused.code().as_str()), (429, "too_many_attempts"));
    assert_eq!(refused.header("ratelimit-remaining"), "0");
    assert_eq!(refused.header("ratelimit-reset"), "600");
    assert_eq!(refused.header("retry-after"), "600");
    assert_eq!(
        grace.post(path, &body).await.header("ratelimit-remaining"),
        "19",
        "everybody counts for themselves"
    );
    test.clock.advance(TimeDelta::seconds(599));
    let early = ada.post_with(path, &body, &key).await;
    assert_eq!((early.status, early.header("retry-after")), (429, "1"));
    let made = "select count(*) from organizations where name = 'One of many'";
    assert_eq!(test.count(made).await, 21, "nothing is left of what was refused");

    test.clock.advance(TimeDelta::seconds(1));
    let made = ada.post_with(path, &body, &key).await;
    assert_eq!((made.status, made.header("ratelimit-remaining")), (201, "0"));
    let again = ada.post_with(path, &body, &key).await;
    assert_eq!(again.status, 201, "the same one, which counted once");
    assert_eq!(again.json()["id"], made.json()["id"]);
    assert_eq!(ada.post(path, &body).await.status, 429);
}
