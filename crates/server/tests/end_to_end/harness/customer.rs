//! Somebody who signs up, buys and looks, through the API as a browser would.

use reqwest::{Client, Method, header};
use serde_json::{Value, json};
use tenantry_test_support::wait_for;

use super::{Installation, PATIENCE, installation, unique};

/// A problem document and its status.
#[derive(Debug)]
pub(crate) struct Refused {
    pub(crate) status: u16,
    pub(crate) code: String,
}

/// A signed-in browser.
#[derive(Debug)]
pub(crate) struct Customer {
    client: Client,
    origin: String,
    cookie: String,
    csrf_token: String,
    /// The slug of the organization that signing up made.
    pub(crate) organization: String,
}

impl Customer {
    /// Signs up for an organization of this name and follows the link in the mail.
    pub(crate) async fn sign_up(installation: &Installation, organization_name: &str) -> Self {
        let mut customer = Self {
            client: Client::new(),
            origin: installation.url.clone(),
            cookie: String::new(),
            csrf_token: String::new(),
            organization: String::new(),
        };
        let email = format!("{}@museum.example", unique("curator"));
        let password = format!("{}-{}", unique("quiet"), unique("harbour"));
        let account = json!({
            "email": email,
            "password": password,
            "name": "Ada Curator",
            "organization_name": organization_name,
        });
        customer
            .call(Method::POST, "/auth/register", Some(account))
            .await
            .expect("signing up");
        let mail = installation::inbox().await.wait_for_mail_to(&email).await;
        let (_, link) = mail.text.split_once("/confirm#token=").expect("a link");
        let token: String = link
            .chars()
            .take_while(|letter| letter.is_ascii_alphanumeric() || matches!(letter, '-' | '_'))
            .collect();
        customer.confirm(&token, &password).await;
        customer
    }

    /// Presses *Buy*.
    pub(crate) async fn begin_checkout(&self, price: &str, tenant_name: &str) -> Result<Value, Refused> {
        let wish = json!({"price": price, "tenant_name": tenant_name});
        self.call(Method::POST, &self.path("checkouts"), Some(wish)).await
    }

    /// The checkout as it stands.
    pub(crate) async fn checkout(&self, checkout: &Value) -> Value {
        let id = checkout["id"].as_str().expect("an id");
        self.get(&format!("checkouts/{id}")).await
    }

    /// Something of the organization's.
    pub(crate) async fn get(&self, rest: &str) -> Value {
        let path = self.path(rest);
        self.call(Method::GET, &path, None)
            .await
            .unwrap_or_else(|refused| panic!("GET {path}: {refused:?}"))
    }

    /// Waits until the tenant of a checkout is in a state.
    pub(crate) async fn until_tenant_is(&self, checkout: &Value, state: &str) -> Value {
        let path = format!("tenants/{}", checkout["tenant_id"].as_str().expect("an id"));
        wait_for(&format!("the tenant to be {state}"), PATIENCE, async || {
            let tenant = self.get(&path).await;
            (tenant["state"] == state).then_some(tenant)
        })
        .await
    }

    fn path(&self, rest: &str) -> String {
        format!("/organizations/{}/{rest}", self.organization)
    }

    async fn confirm(&mut self, token: &str, password: &str) {
        let answer = self
            .request(Method::POST, "/auth/verify-email")
            .json(&json!({"token": token, "password": password}))
            .send()
            .await
            .expect("the server");
        assert!(answer.status().is_success(), "confirming: {}", answer.status());
        self.cookie = answer
            .headers()
            .get_all(header::SET_COOKIE)
            .iter()
            .filter_map(|value| value.to_str().ok()?.split(';').next())
            .find(|cookie| cookie.starts_with("__Host-"))
            .expect("a session")
            .to_owned();
        let session: Value = answer.json().await.expect("a session");
        self.csrf_token = session["csrf_token"].as_str().expect("a token").to_owned();
        self.organization = session["organizations"][0]["slug"].as_str().expect("a slug").to_owned();
    }

    fn request(&self, method: Method, path: &str) -> reqwest::RequestBuilder {
        self.client
            .request(method, format!("{}/api/v1{path}", self.origin))
            .header(header::ORIGIN, &self.origin)
            .header(header::COOKIE, &self.cookie)
            .header("x-csrf-token", &self.csrf_token)
    }

    async fn call(&self, method: Method, path: &str, body: Option<Value>) -> Result<Value, Refused> {
        let mut request = self.request(method, path);
        if let Some(body) = body {
            request = request.json(&body);
        }
        let answer = request.send().await.expect("the server");
        let status = answer.status();
        let body: Value = answer.json().await.unwrap_or_default();
        if status.is_success() {
            return Ok(body);
        }
        Err(Refused {
            status: status.as_u16(),
            code: body["code"].as_str().unwrap_or_default().to_owned(),
        })
    }
}
