//! `tenantry keys …` and `tenantry master-key …`.

use serde_json::{Value, json};

use crate::terminal::{MASTER_KEY, Spoken, Terminal, USAGE};

const FIELDS: [&str; 7] = [
    "algorithm",
    "created_at",
    "kid",
    "not_before",
    "remove_at",
    "retire_at",
    "state",
];

/// Algorithm and state of each key, in order.
fn states(answer: &Value) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let keys = answer["keys"].as_array().unwrap().iter();
    let mut states: Vec<_> = keys.map(|key| (text(&key["algorithm"]), text(&key["state"]))).collect();
    states.sort();
    states
}

fn pairs(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs
        .iter()
        .map(|(one, other)| ((*one).to_owned(), (*other).to_owned()))
        .collect()
}

#[tokio::test]
async fn keys_are_listed_replaced_and_revoked() {
    let terminal = Terminal::open().await;
    assert_eq!(terminal.json(&["keys", "list"]).await, json!({ "keys": [] }));
    assert!(terminal.text(&["keys", "list"]).await.starts_with("no keys yet"));

    // The first ones sign at once, their successors a day later.
    let first = terminal.json(&["keys", "rotate"]).await;
    assert_eq!(states(&first), pairs(&[("EdDSA", "signs"), ("RS256", "signs")]));
    assert_eq!(Spoken::fields(&first["keys"][0]), FIELDS);
    let next = terminal.json(&["keys", "rotate", "--algorithm", "EdDSA"]).await;
    assert_eq!(states(&next), pairs(&[("EdDSA", "next")]));
    let listed = terminal.json(&["keys", "list"]).await;
    assert_eq!(
        states(&listed),
        pairs(&[("EdDSA", "next"), ("EdDSA", "signs"), ("RS256", "signs")])
    );
    let table = terminal.text(&["keys", "list"]).await;
    assert!(
        table.starts_with("KEY") && table.contains("SIGNS FROM") && table.contains("UTC"),
        "{table}"
    );
    assert_eq!(terminal.code(&["keys", "rotate", "--algorithm", "HS256"]).await, USAGE);

    let signing = first["keys"]
        .as_array()
        .unwrap()
        .iter()
        .find(|key| key["algorithm"] == "EdDSA")
        .unwrap()["kid"]
        .as_str()
        .unwrap();
    assert_eq!(terminal.code(&["keys", "revoke", signing]).await, USAGE, "asks first");
    let revoked = terminal.json(&["keys", "revoke", signing, "--yes"]).await;
    assert_eq!(
        Spoken::fields(&revoked),
        ["algorithm", "kid", "revoked_at", "successor"]
    );
    assert_eq!(
        (&revoked["kid"], &revoked["algorithm"]),
        (&json!(signing), &json!("EdDSA"))
    );
    assert_eq!(Spoken::fields(&revoked["successor"]), FIELDS);
    assert_eq!(revoked["successor"]["state"], "signs", "nobody is left without a key");
    let listed = terminal.json(&["keys", "list"]).await;
    assert!(!listed.to_string().contains(signing), "{listed}");
    let again = terminal.text(&["keys", "revoke", signing, "--yes"]).await;
    assert!(
        again.starts_with(&format!("EdDSA {signing} is revoked since")),
        "{again}"
    );
    assert_eq!(again.lines().count(), 1, "and no other key is made: {again}");

    let public: Vec<String> = [&first, &next, &listed, &revoked].map(Value::to_string).to_vec();
    for answer in public.iter().chain([&table, &again]) {
        for private in ["\"d\"", "private", "sealed"] {
            assert!(!answer.contains(private), "{private}: {answer}");
        }
    }
    let acts = "select count(*) from audit_events where actor = 'command line' and action like 'signing_key.%'";
    assert!(terminal.count(acts).await >= 4);
}

#[tokio::test]
async fn the_master_key_is_named_and_never_shown() {
    let terminal = Terminal::open().await;
    terminal.json(&["keys", "rotate"]).await;
    let rotated = terminal.json(&["master-key", "rotate"]).await;
    assert_eq!(
        (Spoken::fields(&rotated), &rotated["key"]),
        (vec!["columns", "key"], &json!("k1"))
    );
    for column in rotated["columns"].as_array().unwrap() {
        assert_eq!(Spoken::fields(column), ["column", "resealed", "table", "unopened"]);
        assert_eq!(
            (&column["resealed"], &column["unopened"]),
            (&json!(0), &json!(0)),
            "{column}"
        );
    }
    let shown = terminal.text(&["master-key", "rotate"]).await;
    assert!(
        shown.contains("signing_keys.") && shown.contains("everything is sealed under k1"),
        "{shown}"
    );

    let file = terminal.path("master-keys");
    let newer = "QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVoyMzQ1Njc=";
    std::fs::write(&file, format!("k1 {MASTER_KEY}\nk2 {newer}\n")).unwrap();
    let shown = terminal.text(&["master-key", "rotate"]).await;
    assert!(shown.contains("are sealed under k2 now; run this again"), "{shown}");
    let shown = terminal.text(&["master-key", "rotate"]).await;
    assert!(shown.contains("everything is sealed under k2"), "{shown}");

    for broken in [
        String::new(),
        format!("k2 {newer}!\n"),
        format!("k2 {}\n", &newer[..20]),
        format!("k1 {MASTER_KEY}\n"),
    ] {
        std::fs::write(&file, &broken).unwrap();
        let refused = terminal.run(&["master-key", "rotate"]).await;
        assert_eq!(refused.code, USAGE, "{broken:?}: {refused:?}");
        for key in [MASTER_KEY, &newer[..20]] {
            assert!(!format!("{refused:?}").contains(key), "{refused:?}");
        }
    }
    let missing = [("TENANTRY_MASTER_KEY_FILE", "no-such-file")];
    assert_eq!(
        terminal.run_with(&missing, "", &["master-key", "rotate"]).await.code,
        USAGE
    );
}
