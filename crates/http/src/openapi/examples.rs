//! Examples for members that are called the same everywhere, so that no handler has to repeat them. What stands beside a
//! member of a request or an answer comes first.

use serde_json::{Value, json};

/// What a member of this name looks like. Identifiers are those of one imagined customer.
const MEMBERS: &[(&str, &str)] = &[
    (
        "access_token",
        "eyJhbGciOiJFZERTQSIsImtpZCI6IjIwMjYtMDUifQ.eyJzdWIiOiJ1c3JfMDFqZCJ9.c2lnbmF0dXJl",
    ),
    ("avatar_url", "/api/v1/me/avatar"),
    ("cause", "payment"),
    ("client_id", "collection"),
    ("client_secret", "Jx1kEY0mYzK9s2n8vQ4tB7cW3aL6dH5fR0gU1iO2pTs"),
    ("code", "123456"),
    ("code_challenge", "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"),
    ("code_challenge_method", "S256"),
    ("code_verifier", "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"),
    (
        "csrf_token",
        "9f2c4b7d0a1e3f586c7b8a9d0e1f2a3b4c5d6e7f8091a2b3c4d5e6f708192a3b",
    ),
    ("currency", "EUR"),
    ("current_password", "violet tractor hums at noon"),
    ("description", "For a small museum."),
    ("detail", "Use at most 200 characters."),
    ("device", "Mozilla/5.0 (X11; Linux x86_64) Firefox/140.0"),
    ("email", "ada@example.org"),
    ("host", "museum.tenants.example.net"),
    (
        "id_token_hint",
        "eyJhbGciOiJSUzI1NiIsImtpZCI6IjIwMjYtMDUifQ.eyJzaWQiOiJzZXNfMDFqZCJ9.c2lnbmF0dXJl",
    ),
    ("kind", "provision"),
    ("locale", "en"),
    ("max_age", "3600"),
    ("name", "Museum of Examples"),
    ("namespace", "tenant-01jd3r8v6yf3qb5c1zk3s9x0aa"),
    ("next", "We try again in an hour."),
    ("next_cursor", "q83vASNFZ4mrze8BI0VniWJbIjIwMjYtMDUtMDQiXQ"),
    ("nonce", "n-0S6_WzA2Mj"),
    ("object_id", "sub_1Example"),
    ("operation_id", "op_01jd3r8v6yf3qb5c1zk3s9x0aa"),
    ("operator_email", "support@example.org"),
    ("organization", "org_01jd3r8v6yf3qb5c1zk3s9x0aa"),
    (
        "otpauth_uri",
        "otpauth://totp/Tenantry:ada@example.org?secret=JBSWY3DPEHPK3PXP&issuer=Tenantry",
    ),
    ("password", "violet tractor hums at noon"),
    ("plan", "starter"),
    ("post_logout_redirect_uri", "https://collection.example.com/"),
    ("product", "collection"),
    ("prompt", "none"),
    ("qr_svg", "<svg xmlns=\"http://www.w3.org/2000/svg\"/>"),
    ("reason", "taken"),
    ("redirect_uri", "https://collection.example.com/auth/callback"),
    ("refresh_token", "Jx1kEY0mYzK9s2n8vQ4tB7cW3aL6dH5fR0gU1iO2pTs"),
    ("release", "tenant-01jd3r8v6yf3qb5c1zk3s9x0aa"),
    ("request_id", "req_0199f3c1d2e47a60b1c2d3e4f5a6b7c8"),
    ("response_type", "code"),
    ("scope", "openid profile email"),
    ("secret", "JBSWY3DPEHPK3PXP"),
    ("slug", "museum-of-examples"),
    ("state", "af0ifjsldkj"),
    ("stripe_session_id", "cs_test_example"),
    (
        "subject_token",
        "eyJhbGciOiJFZERTQSIsImtpZCI6IjIwMjYtMDUifQ.eyJzdWIiOiJ1c3JfMDFqZCJ9.c2lnbmF0dXJl",
    ),
    ("subscription_id", "sub_01jd3r8v6yf3qb5c1zk3s9x0aa"),
    ("suggestion", "museum-2"),
    ("technical", "deployment does not have minimum availability"),
    ("tenant_id", "ten_01jd3r8v6yf3qb5c1zk3s9x0aa"),
    ("tenant_name", "museum"),
    ("time_zone", "Europe/Berlin"),
    ("title", "Some values are not acceptable"),
    ("token", "Jx1kEY0mYzK9s2n8vQ4tB7cW3aL6dH5fR0gU1iO2pTs"),
    ("token_type", "Bearer"),
    ("url", "https://museum.tenants.example.net/"),
    ("version", "0.1.0"),
    ("waiting_for", "room for the site"),
    ("waiting_technical", "0/3 nodes are available: 3 Insufficient memory"),
];

/// What an identifier of this kind looks like in an address.
const PARAMETERS: &[(&str, &str)] = &[
    ("checkout", "chk_01jd3r8v6yf3qb5c1zk3s9x0aa"),
    ("event", "evt_1Example"),
    ("name", "museum"),
    ("operation", "op_01jd3r8v6yf3qb5c1zk3s9x0aa"),
    ("operator", "opr_01jd3r8v6yf3qb5c1zk3s9x0aa"),
    ("organization", "museum-of-examples"),
    ("session", "ses_01jd3r8v6yf3qb5c1zk3s9x0aa"),
    ("subscription", "sub_01jd3r8v6yf3qb5c1zk3s9x0aa"),
    ("tenant", "ten_01jd3r8v6yf3qb5c1zk3s9x0aa"),
    ("user", "usr_01jd3r8v6yf3qb5c1zk3s9x0aa"),
];

/// What an `id` of these schemas looks like.
const IDENTIFIERS: &[(&str, &str)] = &[
    ("OperatorCheckout", "chk_01jd3r8v6yf3qb5c1zk3s9x0aa"),
    ("OperatorOrganization", "org_01jd3r8v6yf3qb5c1zk3s9x0aa"),
];

fn look_up(table: &[(&str, &'static str)], name: &str) -> Option<&'static str> {
    table
        .iter()
        .find(|(known, _)| *known == name)
        .map(|(_, example)| *example)
}

pub(super) fn of_path_parameter(name: &str) -> Option<&'static str> {
    look_up(PARAMETERS, name)
}

/// Adds examples to the members of all schemas that have none.
pub(super) fn add(schemas: &mut Value) {
    for (schema_name, schema) in schemas.as_object_mut().into_iter().flatten() {
        add_to(schema_name, schema);
    }
}

fn add_to(schema_name: &str, schema: &mut Value) {
    for (name, member) in schema
        .get_mut("properties")
        .and_then(Value::as_object_mut)
        .into_iter()
        .flatten()
    {
        if !wants_example(member) {
            continue;
        }
        let known = if name == "id" {
            look_up(IDENTIFIERS, schema_name)
        } else {
            look_up(MEMBERS, name)
        };
        let example = match member.get("format").and_then(Value::as_str) {
            Some("date-time") => Some("2026-05-04T09:30:00Z"),
            _ => known,
        };
        if let Some(example) = example {
            member["example"] = json!(example);
        }
    }
    // Objects put together of others, and alternatives of a union.
    for key in ["allOf", "oneOf", "anyOf"] {
        for part in schema.get_mut(key).and_then(Value::as_array_mut).into_iter().flatten() {
            add_to(schema_name, part);
        }
    }
}

/// A text of which nobody can say from its schema what it looks like.
pub(super) fn wants_example(member: &Value) -> bool {
    let is_text = match member.get("type") {
        Some(Value::String(kind)) => kind == "string",
        Some(Value::Array(kinds)) => kinds.iter().any(|kind| kind == "string"),
        _ => false,
    };
    is_text
        && ["enum", "const", "example", "examples"]
            .iter()
            .all(|key| member.get(key).is_none())
}
