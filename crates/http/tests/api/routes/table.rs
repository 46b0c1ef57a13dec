//! The table: one line a route, with who may call it. Everything else that the tests need comes from the description.

use std::collections::BTreeSet;

use http::Method;
use serde_json::{Value, json};
use tenantry_domain::{
    accounts::OperatorRole::{self, Admin, Support, Viewer},
    organizations::Permission::{
        self, BillingManage, BillingRead, OrganizationManage, OrganizationRead, TenantsCreate, TenantsRead,
    },
};

use Door::{Anybody, Member, Operator, Provider, User};

/// Who is let in.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Door {
    /// Everybody. Whoever puts a route here means it.
    Anybody,
    /// Whoever is signed in, for their own things.
    User,
    /// Members of the organization in the address who may do all of this there.
    Member(&'static [Permission]),
    /// Operators of this role or a greater one.
    Operator(OperatorRole),
    /// Whom OpenID Connect lets in, by these schemes. Its refusals are no problems of ours: `provider.rs` has them.
    Provider(&'static [&'static str]),
}

#[rustfmt::skip]
const TABLE: &[(&str, Door)] = &[
    ("GET /.well-known/jwks.json", Provider(&[])),
    ("GET /.well-known/openid-configuration", Provider(&[])),
    ("POST /api/v1/auth/confirm-email", Anybody),
    ("POST /api/v1/auth/confirm-email/link", Anybody),
    ("POST /api/v1/auth/forgot-password", Anybody),
    ("POST /api/v1/auth/login", Anybody),
    ("POST /api/v1/auth/login/second-factor", Anybody),
    ("POST /api/v1/auth/logout", User),
    ("POST /api/v1/auth/password-strength", Anybody),
    ("POST /api/v1/auth/refresh", Anybody),
    ("POST /api/v1/auth/register", Anybody),
    ("POST /api/v1/auth/resend-verification", Anybody),
    ("POST /api/v1/auth/reset-password", Anybody),
    ("POST /api/v1/auth/step-up", User),
    ("POST /api/v1/auth/verify-email", Anybody),
    ("POST /api/v1/auth/verify-email/link", Anybody),
    ("GET /api/v1/me", User),
    ("PATCH /api/v1/me", User),
    ("DELETE /api/v1/me/avatar", User),
    ("GET /api/v1/me/avatar", User),
    ("PUT /api/v1/me/avatar", User),
    ("POST /api/v1/me/delete", User),
    ("POST /api/v1/me/email", User),
    ("POST /api/v1/me/password", User),
    ("GET /api/v1/me/second-factor", User),
    ("POST /api/v1/me/second-factor/recovery-codes", User),
    ("DELETE /api/v1/me/second-factor/totp", User),
    ("POST /api/v1/me/second-factor/totp", User),
    ("POST /api/v1/me/second-factor/totp/confirm", User),
    ("GET /api/v1/me/sessions", User),
    ("POST /api/v1/me/sessions/end-others", User),
    ("DELETE /api/v1/me/sessions/{session}", User),
    ("GET /api/v1/meta", Anybody),
    ("POST /api/v1/operator/auth/first", Anybody),
    ("POST /api/v1/operator/auth/login", Anybody),
    ("POST /api/v1/operator/auth/login/second-factor", Anybody),
    ("POST /api/v1/operator/auth/logout", Operator(Viewer)),
    ("POST /api/v1/operator/auth/password", Operator(Viewer)),
    ("POST /api/v1/operator/auth/second-factor/confirm", Anybody),
    ("POST /api/v1/operator/auth/second-factor/totp", Anybody),
    ("GET /api/v1/operator/checkouts", Operator(Viewer)),
    ("POST /api/v1/operator/checkouts/{checkout}/refund", Operator(Support)),
    ("GET /api/v1/operator/operations", Operator(Viewer)),
    ("GET /api/v1/operator/operations/{operation}", Operator(Viewer)),
    ("GET /api/v1/operator/operations/{operation}/events", Operator(Viewer)),
    ("POST /api/v1/operator/operations/{operation}/retry", Operator(Support)),
    ("GET /api/v1/operator/operators", Operator(Admin)),
    ("POST /api/v1/operator/operators/{operator}/disable", Operator(Admin)),
    ("POST /api/v1/operator/operators/{operator}/enable", Operator(Admin)),
    ("POST /api/v1/operator/operators/{operator}/role", Operator(Admin)),
    ("GET /api/v1/operator/organizations", Operator(Viewer)),
    ("GET /api/v1/operator/overview", Operator(Viewer)),
    ("GET /api/v1/operator/session", Operator(Viewer)),
    ("GET /api/v1/operator/stripe-events", Operator(Viewer)),
    ("POST /api/v1/operator/stripe-events/{event}/replay", Operator(Support)),
    ("GET /api/v1/operator/tenants", Operator(Viewer)),
    ("POST /api/v1/operator/tenants", Operator(Admin)),
    ("GET /api/v1/operator/tenants/{tenant}", Operator(Viewer)),
    ("POST /api/v1/operator/tenants/{tenant}/deprovision", Operator(Admin)),
    ("POST /api/v1/operator/tenants/{tenant}/retry", Operator(Support)),
    ("GET /api/v1/operator/users", Operator(Viewer)),
    ("GET /api/v1/operator/users/{user}", Operator(Viewer)),
    ("GET /api/v1/operator/users/{user}/sessions", Operator(Viewer)),
    ("DELETE /api/v1/operator/users/{user}/sessions/{session}", Operator(Support)),
    ("POST /api/v1/operator/users/{user}/view-as", Operator(Support)),
    ("GET /api/v1/organizations", User),
    ("POST /api/v1/organizations", User),
    ("GET /api/v1/organizations/{organization}", Member(&[OrganizationRead])),
    ("POST /api/v1/organizations/{organization}/checkouts", Member(&[BillingManage, TenantsCreate])),
    ("GET /api/v1/organizations/{organization}/checkouts/{checkout}", Member(&[BillingRead])),
    ("POST /api/v1/organizations/{organization}/checkouts/{checkout}/cancel", Member(&[BillingManage])),
    ("GET /api/v1/organizations/{organization}/operations/{operation}", Member(&[TenantsRead])),
    ("GET /api/v1/organizations/{organization}/operations/{operation}/events", Member(&[TenantsRead])),
    ("GET /api/v1/organizations/{organization}/security", Member(&[OrganizationManage])),
    ("PUT /api/v1/organizations/{organization}/security", Member(&[OrganizationManage])),
    ("GET /api/v1/organizations/{organization}/subscriptions", Member(&[BillingRead])),
    ("GET /api/v1/organizations/{organization}/tenant-names/{name}", Member(&[TenantsRead])),
    ("GET /api/v1/organizations/{organization}/tenants", Member(&[TenantsRead])),
    ("GET /api/v1/organizations/{organization}/tenants/{tenant}", Member(&[TenantsRead])),
    ("GET /api/v1/products", Anybody),
    ("GET /api/v1/session", User),
    ("GET /oauth/authorize", Provider(&[])),
    ("POST /oauth/authorize", Provider(&[])),
    ("GET /oauth/end-session", Provider(&[])),
    ("POST /oauth/end-session", Provider(&[])),
    ("POST /oauth/token", Provider(&["client"])),
    ("GET /oauth/userinfo", Provider(&["product"])),
    ("POST /oauth/userinfo", Provider(&["product"])),
];

/// What a route takes for a body.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Takes {
    Nothing,
    Json(&'static Value),
    Form,
    Picture,
}

/// A line of the table beside what the description says of it.
#[derive(Debug, Clone)]
pub(crate) struct Route {
    /// The operation's id.
    pub(crate) id: &'static str,
    pub(crate) method: Method,
    /// With names in braces.
    pub(crate) path: &'static str,
    pub(crate) door: Door,
    pub(crate) takes: Takes,
    pub(crate) operation: &'static Value,
}

impl Route {
    /// Whether calling it changes something.
    pub(crate) fn acts(&self) -> bool {
        self.method != Method::GET
    }

    fn is_of_openid(&self) -> bool {
        matches!(self.door, Provider(_))
    }

    /// Whether it answers a session of its caller's, and ends it.
    pub(crate) fn signs_out(&self) -> bool {
        self.path.ends_with("/logout")
    }

    /// The names in the address, without those of words that are no ids.
    pub(crate) fn ids(&self) -> Vec<&'static str> {
        let names = self
            .path
            .split('/')
            .filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'));
        names.filter(|name| *name != "name").collect()
    }

    /// The address, each name replaced.
    pub(crate) fn address(&self, value: impl Fn(&str) -> String) -> String {
        let parts = self.path.split('/');
        let filled = parts.map(
            |part| match part.strip_prefix('{').and_then(|part| part.strip_suffix('}')) {
                Some(name) => value(name),
                None => part.to_owned(),
            },
        );
        filled.collect::<Vec<_>>().join("/")
    }

    /// The address in this organization, of things that exist nowhere.
    pub(crate) fn address_in(&self, organization: &str) -> String {
        self.address(|name| match name {
            "organization" => organization.to_owned(),
            other => unknown(other),
        })
    }

    /// A body that is taken, as far as its form goes.
    pub(crate) fn body(&self) -> Vec<u8> {
        match self.takes {
            Takes::Json(schema) => sample(schema).to_string().into_bytes(),
            Takes::Nothing | Takes::Form | Takes::Picture => Vec::new(),
        }
    }
}

/// Something of this kind that nobody has.
pub(crate) fn unknown(name: &str) -> String {
    match name {
        "checkout" => "chk_01jd3r8v6yf3qb5c1zk3s9x0aa",
        "event" => "evt_nothing",
        "name" => "museum",
        "operation" => "op_01jd3r8v6yf3qb5c1zk3s9x0aa",
        "operator" => "opr_01jd3r8v6yf3qb5c1zk3s9x0aa",
        "organization" => "org_01jd3r8v6yf3qb5c1zk3s9x0aa",
        "session" => "ses_01jd3r8v6yf3qb5c1zk3s9x0aa",
        "tenant" => "ten_01jd3r8v6yf3qb5c1zk3s9x0aa",
        "user" => "usr_01jd3r8v6yf3qb5c1zk3s9x0aa",
        other => panic!("say here what nobody's {other} looks like"),
    }
    .to_owned()
}

/// The routes of the API, in the order of the table.
pub(crate) fn routes() -> Vec<Route> {
    all().into_iter().filter(|route| !route.is_of_openid()).collect()
}

/// The routes where the rules of OpenID Connect hold.
pub(crate) fn openid_routes() -> Vec<Route> {
    all().into_iter().filter(Route::is_of_openid).collect()
}

fn all() -> Vec<Route> {
    let route = |&(line, door): &(&'static str, Door)| {
        let (method, path) = line.split_once(' ').unwrap();
        let operation = &document()["paths"][path][method.to_lowercase()];
        let takes = match operation["requestBody"]["content"].as_object() {
            None => Takes::Nothing,
            Some(content) if content.contains_key("application/x-www-form-urlencoded") => Takes::Form,
            Some(content) => content
                .get("application/json")
                .map_or(Takes::Picture, |json| Takes::Json(resolved(&json["schema"]))),
        };
        Route {
            id: operation["operationId"]
                .as_str()
                .unwrap_or_else(|| panic!("{line} is no route")),
            method: method.parse().unwrap(),
            path,
            door,
            takes,
            operation,
        }
    };
    TABLE.iter().map(route).collect()
}

fn document() -> &'static Value {
    tenantry_http::openapi_document()
}

/// The schema itself, where a name stands for it.
pub(crate) fn resolved(schema: &'static Value) -> &'static Value {
    schema["$ref"]
        .as_str()
        .map_or(schema, |name| document().pointer(name.trim_start_matches('#')).unwrap())
}

/// A value of this form, made of the examples of the description.
pub(crate) fn sample(schema: &'static Value) -> Value {
    let schema = resolved(schema);
    if let Some(example) = schema.get("example").or_else(|| schema["enum"].get(0)) {
        return example.clone();
    }
    if let Some(form) = ["oneOf", "anyOf"].iter().find_map(|name| schema[name].get(0)) {
        return sample(form);
    }
    match schema["type"].as_str().or_else(|| schema["type"][0].as_str()) {
        Some("object") => {
            let required = schema["required"].as_array().into_iter().flatten();
            let member = |name: &'static Value| {
                let name = name.as_str().unwrap();
                (name.to_owned(), sample(&schema["properties"][name]))
            };
            Value::Object(required.map(member).collect())
        }
        Some("array") => json!([]),
        Some("boolean") => json!(true),
        Some("integer" | "number") => json!(1),
        other => panic!("no sample of {other:?}: {schema}"),
    }
}

#[test]
fn every_route_of_the_description_has_its_line_and_every_line_its_route() {
    let mut described = BTreeSet::new();
    for (path, item) in document()["paths"].as_object().unwrap() {
        for method in item.as_object().unwrap().keys() {
            described.insert(format!("{} {path}", method.to_uppercase()));
        }
    }
    let lines: BTreeSet<String> = TABLE.iter().map(|(line, _)| (*line).to_owned()).collect();
    assert_eq!(lines.len(), TABLE.len(), "a line stands twice");
    let without: Vec<_> = described.difference(&lines).collect();
    assert!(without.is_empty(), "routes without a line: {without:?}");
    let gone: Vec<_> = lines.difference(&described).collect();
    assert!(gone.is_empty(), "lines without a route: {gone:?}");
}

/// What the table says of a route's callers, the description tells its clients.
#[test]
fn the_description_names_the_same_doors() {
    for route in all() {
        let schemes: BTreeSet<&str> = route.operation["security"]
            .as_array()
            .into_iter()
            .flatten()
            .flat_map(|scheme| scheme.as_object().unwrap().keys().map(String::as_str))
            .filter(|name| *name != "csrf")
            .collect();
        let expected: BTreeSet<&str> = match route.door {
            Anybody => BTreeSet::new(),
            User | Member(_) => BTreeSet::from(["bearer", "session"]),
            Operator(_) => BTreeSet::from(["operator"]),
            Provider(schemes) => schemes.iter().copied().collect(),
        };
        assert_eq!(schemes, expected, "{}", route.id);
        let of_an_organization = route.ids().contains(&"organization");
        assert_eq!(matches!(route.door, Member(_)), of_an_organization, "{}", route.id);
    }
}
