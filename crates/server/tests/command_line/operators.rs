//! `tenantry operator …`.

use serde_json::{Value, json};

use crate::terminal::{NOT_FOUND, REFUSED, Spoken, Terminal, UNAVAILABLE, USAGE};

const PASSWORD: &str = "seven quiet lanterns drift";
const ANOTHER: &str = "copper lighthouse folds slowly";
const FIELDS: [&str; 7] = [
    "created_at",
    "disabled_at",
    "email",
    "id",
    "last_used_at",
    "role",
    "second_factor",
];

async fn create(terminal: &Terminal, email: &str, role: &str) -> Value {
    let arguments = [
        "operator", "create", "--email", email, "--role", role, "--output", "json",
    ];
    terminal.say(&format!("{PASSWORD}\n"), &arguments).await.json()
}

#[tokio::test]
async fn the_first_operator_comes_by_a_link_or_by_command() {
    let terminal = Terminal::open().await;
    assert_eq!(terminal.json(&["operator", "list"]).await, json!([]));
    assert!(
        terminal
            .text(&["operator", "list"])
            .await
            .contains("`tenantry operator link`")
    );
    let link = terminal.json(&["operator", "link"]).await;
    assert_eq!(Spoken::fields(&link), ["expires_at", "url"]);
    let start = format!("{}/operator/first#token=", terminal.url);
    assert!(link["url"].as_str().unwrap().starts_with(&start), "{link}");
    let shown = terminal.text(&["operator", "link"]).await;
    let lines: Vec<&str> = shown.lines().collect();
    assert!(
        lines[0].starts_with(&start) && lines[1].starts_with("works once, until"),
        "{shown}"
    );
    assert_ne!(lines[0], link["url"], "each is a link of its own");

    let create = ["operator", "create", "--email", "root@example.org"];
    for weak in ["", "short\n", "password1234\n"] {
        let refused = terminal.say(weak, &create).await;
        assert_eq!(refused.code, USAGE, "{weak:?}: {refused:?}");
        assert!(refused.stderr.contains("password"), "{refused:?}");
    }
    let made = terminal.say(&format!("{PASSWORD}\n"), &create).await;
    assert_eq!(made.code, 0, "{made:?}");
    let console = format!("{}/operator", terminal.url);
    for told in ["root@example.org", "admin", &console, "second factor"] {
        assert!(made.stdout.contains(told), "{told}: {made:?}");
    }
    assert!(!format!("{made:?}").contains(PASSWORD), "{made:?}");
    assert_eq!(
        terminal.say(PASSWORD, &create).await.code,
        REFUSED,
        "the address is taken"
    );
    assert_eq!(terminal.code(&["operator", "link"]).await, REFUSED, "there is one");
    let elsewhere = [
        ("TENANTRY_OPERATOR_LISTEN", "127.0.0.1:0"),
        ("TENANTRY_OPERATOR_URL", "https://operators.example.com"),
    ];
    let create = ["operator", "create", "--email", "grace@example.org", "--role", "viewer"];
    let made = terminal.run_with(&elsewhere, PASSWORD, &create).await;
    assert!(
        made.stdout.contains("https://operators.example.com/operator"),
        "{made:?}"
    );
}

#[tokio::test]
async fn operators_are_looked_after_by_command() {
    let terminal = Terminal::open().await;
    let root = create(&terminal, "root@example.org", "admin").await;
    assert_eq!(Spoken::fields(&root), ["email", "id", "role"]);
    let grace = create(&terminal, "grace@example.org", "viewer").await;
    let id = grace["id"].as_str().unwrap();
    assert!(id.starts_with("opr_"), "{grace}");

    let listed = terminal.json(&["operator", "list"]).await;
    assert_eq!(listed.as_array().map(Vec::len), Some(2), "{listed}");
    for operator in listed.as_array().unwrap() {
        assert_eq!(Spoken::fields(operator), FIELDS);
        assert_eq!(
            (&operator["disabled_at"], &operator["second_factor"]),
            (&Value::Null, &json!(false))
        );
    }
    let table = terminal.text(&["operator", "list"]).await;
    assert!(table.starts_with("OPERATOR") && table.contains(id), "{table}");
    assert!(table.contains("second factor to be set up"), "{table}");

    // By address, by id; an address is the same in capitals.
    for (who, role) in [
        ("grace@example.org", "support"),
        (id, "viewer"),
        ("Grace@Example.ORG", "support"),
    ] {
        let changed = terminal.json(&["operator", "role", who, role]).await;
        assert_eq!(Spoken::fields(&changed), FIELDS);
        assert_eq!(
            (changed["id"].as_str(), changed["role"].as_str()),
            (Some(id), Some(role)),
            "{who}"
        );
    }
    let told = terminal.text(&["operator", "role", id, "viewer"]).await;
    assert_eq!(told, "grace@example.org is viewer from now on\n");
    assert_eq!(terminal.code(&["operator", "role", id, "emperor"]).await, USAGE);

    let disabled = terminal.json(&["operator", "disable", id]).await;
    assert!(disabled["disabled_at"].is_string(), "{disabled}");
    assert!(terminal.text(&["operator", "list"]).await.contains("disabled 2"));
    assert_eq!(
        terminal.json(&["operator", "enable", id]).await["disabled_at"],
        Value::Null
    );
    let told = terminal.text(&["operator", "disable", id]).await;
    assert_eq!(told, "grace@example.org is disabled, and signed out\n");
    assert_eq!(
        terminal.text(&["operator", "enable", id]).await,
        "grace@example.org may sign in again\n"
    );

    // Somebody has to be left who can make others.
    assert_eq!(
        terminal.code(&["operator", "disable", "root@example.org"]).await,
        REFUSED
    );
    assert_eq!(
        terminal
            .code(&["operator", "role", "root@example.org", "support"])
            .await,
        REFUSED
    );
    let acts = "select count(*) from audit_events where actor = 'command line' and action like 'operator.%'";
    assert!(terminal.count(acts).await >= 8, "each act is in the log");
}

#[tokio::test]
async fn passwords_and_second_factors_are_replaced_by_command() {
    let terminal = Terminal::open().await;
    let id = create(&terminal, "root@example.org", "admin").await["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let hash = "select password_hash from operators";
    let before = terminal.value(hash).await;
    let set = ["operator", "set-password", "root@example.org"];
    for weak in ["", "root@example.org\n", "short\n"] {
        assert_eq!(terminal.say(weak, &set).await.code, USAGE, "{weak:?}");
    }
    assert_eq!(terminal.value(hash).await, before);
    let told = terminal.say(&format!("{ANOTHER}\n"), &set).await;
    assert_eq!(
        told.stdout, "root@example.org has another password, and is signed out everywhere\n",
        "{told:?}"
    );
    assert!(!told.stderr.contains(ANOTHER), "{told:?}");
    assert_ne!(terminal.value(hash).await, before);
    let told = terminal
        .say(PASSWORD, &[&set[..], &["--output", "json"]].concat())
        .await
        .json();
    assert_eq!(told, json!({ "id": id }));

    // Another factor is set up with a link, which this answer alone has.
    let reset = ["operator", "reset-second-factor", &id];
    let first = terminal.json(&reset).await;
    assert_eq!(Spoken::fields(&first), ["expires_at", "had_second_factor", "id", "url"]);
    assert_eq!((&first["id"], &first["had_second_factor"]), (&json!(id), &json!(false)));
    let shown = terminal.text(&reset).await;
    let lines: Vec<&str> = shown.lines().collect();
    assert!(
        lines[0].starts_with(&terminal.url) && lines[0].contains("#token="),
        "{shown}"
    );
    assert!(
        lines[1].starts_with("root@example.org had no second factor."),
        "{shown}"
    );
    let token = lines[0].split_once("#token=").unwrap().1;
    let kept =
        "select operators::text || (select coalesce(string_agg(a::text, ''), '') from audit_events a) from operators";
    assert!(!terminal.value(kept).await.contains(token), "only a hash is kept");

    sqlx::raw_sql(
        "insert into operator_totp_factors (operator_id, sealed_secret, confirmed_at) select id, 'sealed', now() from operators",
    )
    .execute(&mut terminal.superuser().await)
    .await
    .unwrap();
    assert!(terminal.text(&["operator", "list"]).await.contains("active"));
    let forgotten = terminal.text(&reset).await;
    assert!(
        forgotten.contains("The second factor of root@example.org is forgotten"),
        "{forgotten}"
    );
    assert_eq!(terminal.count("select count(*) from operator_totp_factors").await, 0);
}

#[tokio::test]
async fn who_is_not_there_and_what_is_away_have_codes_of_their_own() {
    let terminal = Terminal::open().await;
    create(&terminal, "root@example.org", "admin").await;
    for who in [
        "nobody@example.org",
        "opr_01h2xcejqtf2nbrexx3vqjhp41",
        "usr_01h2xcejqtf2nbrexx3vqjhp41",
        "'; drop",
    ] {
        for arguments in [
            vec!["operator", "disable", who],
            vec!["operator", "enable", who],
            vec!["operator", "role", who, "viewer"],
            vec!["operator", "reset-second-factor", who],
            vec!["operator", "set-password", who],
            vec!["user", "show", who],
            vec!["user", "end-sessions", who],
            vec!["keys", "revoke", who, "--yes"],
        ] {
            assert_eq!(terminal.code(&arguments).await, NOT_FOUND, "{arguments:?}");
        }
    }
    let away = [(
        "DATABASE_SYSTEM_URL",
        "postgres://tenantry_system:hush@127.0.0.1:1/none",
    )];
    for arguments in [
        vec!["operator", "list"],
        vec!["user", "list"],
        vec!["keys", "list"],
        vec!["master-key", "rotate"],
    ] {
        let spoken = terminal.run_with(&away, "", &arguments).await;
        assert_eq!(spoken.code, UNAVAILABLE, "{arguments:?}: {spoken:?}");
        assert!(!spoken.stderr.contains("hush"), "{spoken:?}");
    }
}
