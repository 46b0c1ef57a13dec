//! `tenantry user …`.

use serde_json::{Value, json};

use crate::terminal::{Spoken, Terminal, USAGE};

const SUMMARY: [&str; 7] = [
    "created_at",
    "email",
    "id",
    "last_used_at",
    "name",
    "organizations",
    "second_factor",
];

/// Ada, with a museum and two open sessions, and Grace, who has nothing.
async fn people(terminal: &Terminal) {
    sqlx::raw_sql(
        "insert into users (id, email_normalized, name, verified_at, created_at) values \
             (gen_random_uuid(), 'ada@example.org', 'Ada Lovelace', now(), now() - interval '1 day'), \
             (gen_random_uuid(), 'grace@example.com', 'Grace Hopper', now(), now()); \
         insert into credentials (user_id, password_hash) select id, '$argon2id$hush' from users; \
         insert into organizations (id, name) values (gen_random_uuid(), 'Museum of Examples'); \
         insert into organization_slugs (slug, organization_id, is_current) \
             select 'museum-of-examples', id, true from organizations; \
         insert into memberships (organization_id, user_id, role) \
             select o.id, u.id, 'owner' from organizations o, users u where u.name like 'Ada%'; \
         insert into sessions (id, user_id, kind, secret_hash, device, address, expires_at) \
             select gen_random_uuid(), u.id, s.kind, s.hash, s.device, s.address::inet, now() + interval '1 day' \
             from users u, (values ('browser', sha256('one'), 'Firefox on Linux', '192.0.2.7'), \
                 ('token', null, 'a program', '2001:db8::7')) as s (kind, hash, device, address) \
             where u.name like 'Ada%'",
    )
    .execute(&mut terminal.superuser().await)
    .await
    .unwrap();
}

#[tokio::test]
async fn people_are_found_and_shown() {
    let terminal = Terminal::open().await;
    assert_eq!(terminal.json(&["user", "list"]).await, json!([]));
    assert_eq!(terminal.text(&["user", "list"]).await, "nobody\n");
    people(&terminal).await;

    let everybody = terminal.json(&["user", "list"]).await;
    let names: Vec<_> = everybody.as_array().unwrap().iter().map(|user| &user["name"]).collect();
    assert_eq!(names, ["Grace Hopper", "Ada Lovelace"], "newest first");
    assert_eq!(Spoken::fields(&everybody[0]), SUMMARY);
    for (search, found) in [
        ("ada", vec!["ada@example.org"]),
        ("love ad", vec!["ada@example.org"]),
        ("example.org", vec!["ada@example.org"]),
        ("e", vec!["grace@example.com", "ada@example.org"]),
        ("nobody", vec![]),
        ("' or true --", vec![]),
    ] {
        let list = terminal.json(&["user", "list", "--search", search]).await;
        let addresses: Vec<_> = list
            .as_array()
            .unwrap()
            .iter()
            .map(|user| user["email"].clone())
            .collect();
        assert_eq!(addresses, found, "{search}");
    }
    assert_eq!(
        terminal
            .json(&["user", "list", "--limit", "1"])
            .await
            .as_array()
            .map(Vec::len),
        Some(1)
    );
    assert_eq!(terminal.code(&["user", "list", "--limit", "0"]).await, USAGE);
    let table = terminal.text(&["user", "list"]).await;
    assert!(
        table.starts_with("USER") && table.contains("SEEN (UTC)") && table.contains("ada@example.org"),
        "{table}"
    );

    let ada = terminal.json(&["user", "show", "Ada@Example.org"]).await;
    let id = ada["id"].as_str().unwrap().to_owned();
    assert!(id.starts_with("usr_"), "{ada}");
    assert_eq!(terminal.json(&["user", "show", &id]).await, ada, "by id as by address");
    let mut expected = [
        &SUMMARY[..],
        &["locale", "memberships", "sessions", "time_zone", "verified_at"],
    ]
    .concat();
    expected.sort_unstable();
    assert_eq!(Spoken::fields(&ada), expected);
    let membership = &ada["memberships"][0];
    assert_eq!(Spoken::fields(membership), ["id", "joined_at", "name", "role", "slug"]);
    assert_eq!(
        (&membership["slug"], &membership["role"]),
        (&json!("museum-of-examples"), &json!("owner"))
    );
    let sessions = ada["sessions"].as_array().unwrap();
    assert_eq!(sessions.len(), 2, "{ada}");
    let fields = [
        "address",
        "created_at",
        "device",
        "expires_at",
        "id",
        "kind",
        "last_used_at",
        "operator_email",
    ];
    assert_eq!(Spoken::fields(&sessions[0]), fields);

    let shown = terminal.text(&["user", "show", &id]).await;
    for told in [
        "Ada Lovelace <ada@example.org>",
        "UTC",
        "Museum of Examples (museum-of-examples)",
        "Firefox on Linux",
        "192.0.2.7",
    ] {
        assert!(shown.contains(told), "{told}: {shown}");
    }
    let shown = terminal.text(&["user", "show", "grace@example.com"]).await;
    assert!(
        shown.contains("in no organization") && shown.contains("signed in nowhere"),
        "{shown}"
    );
    for everything in [shown, ada.to_string(), terminal.text(&["user", "show", &id]).await] {
        assert!(!everything.contains("argon2"), "{everything}");
    }
    // Personal data is not looked at unseen, and what was searched for is kept nowhere.
    let looks = "select count(*) from audit_events where actor = 'command line' and action like 'user%'";
    assert!(terminal.count(looks).await >= 12);
    let told = "select count(*) from audit_events where audit_events::text ilike '%love ad%'";
    assert_eq!(terminal.count(told).await, 0);
}

#[tokio::test]
async fn a_person_is_signed_out_everywhere() {
    let terminal = Terminal::open().await;
    people(&terminal).await;
    let ended = terminal.json(&["user", "end-sessions", "ada@example.org"]).await;
    assert_eq!(
        (Spoken::fields(&ended), &ended["ended"]),
        (vec!["ended", "user"], &json!(2))
    );
    assert_eq!(
        terminal
            .count("select count(*) from sessions where ended_at is null")
            .await,
        0
    );
    assert_eq!(
        terminal.text(&["user", "end-sessions", "ada@example.org"]).await,
        "0 sessions ended\n"
    );
    let ada = terminal.json(&["user", "show", "ada@example.org"]).await;
    assert_eq!((&ada["sessions"], &ada["last_used_at"]), (&json!([]), &Value::Null));
}
