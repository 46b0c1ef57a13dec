//! The first customer: signs up, confirms by mail, buys, watches, opens.

mod inbox;
mod payment;

use std::{process::Stdio, time::Duration};

use reqwest::{Client, Method, Response, header};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Value, json};
use tokio::time::Instant;

use crate::{error::DemoError, parts::Parts, report::say};

const PATIENCE: Duration = Duration::from_secs(60);
const A_PERSON_PAYS: Duration = Duration::from_secs(30 * 60);
const PAUSE: Duration = Duration::from_millis(100);

/// Who signs up, for whom, and what the tenant is to be called.
#[derive(Debug, Clone)]
pub struct Person {
    /// Address to sign up with.
    pub email: String,
    /// Name of the organization.
    pub organization: String,
    /// Name in the tenant's host.
    pub tenant: String,
}

impl Person {
    /// The demonstration's own.
    pub fn first(parts: &Parts) -> Self {
        Self {
            email: parts.customer_email.clone(),
            organization: "Museum of Examples".into(),
            tenant: parts.tenant_name.clone(),
        }
    }
}

/// What the customer got.
#[derive(Debug, Deserialize)]
pub struct Tenant {
    /// Where it answers.
    pub url: String,
    /// Its host name.
    pub host: String,
    /// Where it runs in the cluster.
    pub namespace: String,
}

#[derive(Deserialize)]
struct Session {
    csrf_token: String,
    organizations: Vec<Named>,
}

#[derive(Deserialize)]
struct Named {
    slug: String,
}

/// One attempt to buy.
#[derive(Debug, Deserialize)]
pub struct Checkout {
    id: String,
    state: String,
    url: Option<String>,
    tenant_id: String,
    operation_id: Option<String>,
}

/// A browser's worth of state: the cookie and the token that goes with unsafe calls.
pub struct Customer<'parts> {
    parts: &'parts Parts,
    person: Person,
    client: Client,
    cookie: Option<String>,
    csrf_token: Option<String>,
    organization: String,
}

impl<'parts> Customer<'parts> {
    /// Somebody who is nobody yet.
    pub fn new(parts: &'parts Parts, person: Person) -> Result<Self, DemoError> {
        let client = Client::builder().redirect(reqwest::redirect::Policy::none()).build()?;
        Ok(Self {
            parts,
            person,
            client,
            cookie: None,
            csrf_token: None,
            organization: String::new(),
        })
    }

    /// Signs up and follows the link in the mail. Where nobody reads a terminal (`unattended`), the inbox must be ours.
    pub async fn signs_up(&mut self, unattended: bool) -> Result<(), DemoError> {
        say(&format!(
            "{} signs up for {}",
            self.person.email, self.person.organization
        ));
        let account = json!({
            "email": self.person.email,
            "password": self.parts.customer_password,
            "name": "Ada Curator",
            "organization_name": self.person.organization,
        });
        self.send(Method::POST, "/auth/register", Some(account)).await?;
        let token = match &self.parts.inbox_url {
            Some(inbox) => inbox::confirmation_token(&self.client, inbox, &self.person.email).await?,
            None => inbox::ask_for_token(unattended).await?,
        };
        // Cookies are kept from here on only: the password shows that it was us who signed up.
        let confirmation = json!({"token": token, "password": self.parts.customer_password});
        let response = self
            .send(Method::POST, "/auth/verify-email", Some(confirmation))
            .await?;
        self.cookie = response
            .headers()
            .get_all(header::SET_COOKIE)
            .iter()
            .filter_map(|value| value.to_str().ok()?.split(';').next())
            .find(|cookie| cookie.starts_with("__Host-"))
            .map(str::to_owned);
        let session: Session = response.json().await?;
        self.csrf_token = Some(session.csrf_token);
        say("confirmed by the link in the mail");
        let first = session.organizations.into_iter().next();
        self.organization = first
            .map(|organization| organization.slug)
            .ok_or_else(|| DemoError::NotProvisioned("signing up made no organization".into()))?;
        Ok(())
    }

    /// Chooses plan Starter and a name, and gets the payment page.
    pub async fn begins_checkout(&self) -> Result<Checkout, DemoError> {
        say(&format!(
            "{} buys plan Starter of the product Collection",
            self.person.organization
        ));
        let plan = json!({"price": "collection_starter_month_eur", "tenant_name": self.person.tenant});
        self.call(Method::POST, &self.path("checkouts"), Some(plan)).await
    }

    /// Pays on the hosted page, or asks a person to. Returns how long to wait for the payment.
    pub async fn pays(&self, checkout: &Checkout) -> Result<Duration, DemoError> {
        let Some(url) = &checkout.url else {
            return Err(DemoError::NotProvisioned(format!(
                "the checkout is {} and has no payment page",
                checkout.state
            )));
        };
        if self.parts.stripe_is_stand_in {
            payment::pay(&self.client, url).await?;
            say("paid with card 4242 4242 4242 4242 on the hosted page");
            Ok(PATIENCE)
        } else {
            say(&format!("pay with card 4242 4242 4242 4242 at\n      {url}"));
            Ok(A_PERSON_PAYS)
        }
    }

    /// Waits until Tenantry knows of the payment and names the operation that it queued.
    pub async fn until_paid(&self, checkout: &Checkout, patience: Duration) -> Result<String, DemoError> {
        let path = self.path(&format!("checkouts/{}", checkout.id));
        let begun = Instant::now();
        loop {
            let checkout: Checkout = self.call(Method::GET, &path, None).await?;
            match (checkout.state.as_str(), checkout.operation_id) {
                ("paid", Some(operation)) => return Ok(operation),
                ("expired" | "failed", _) => {
                    return Err(DemoError::NotProvisioned(format!("the checkout is {}", checkout.state)));
                }
                _ if begun.elapsed() > patience => {
                    let detail = format!(": the checkout is {}", checkout.state);
                    return Err(DemoError::Timeout {
                        what: "the payment".into(),
                        seconds: patience.as_secs(),
                        detail,
                    });
                }
                _ => tokio::time::sleep(PAUSE).await,
            }
        }
    }

    /// The live progress of an operation.
    pub async fn watches(&self, operation: &str) -> Result<Response, DemoError> {
        self.send(Method::GET, &self.path(&format!("operations/{operation}/events")), None)
            .await
    }

    /// The tenant that a checkout is for.
    pub async fn tenant(&self, checkout: &Checkout) -> Result<Tenant, DemoError> {
        self.call(
            Method::GET,
            &self.path(&format!("tenants/{}", checkout.tenant_id)),
            None,
        )
        .await
    }

    fn path(&self, rest: &str) -> String {
        format!("/organizations/{}/{rest}", self.organization)
    }

    /// Asks the ingress for the tenant's host, as a browser would.
    pub async fn opens(&self, tenant: &Tenant) -> Result<(), DemoError> {
        let response = self
            .client
            .get(format!("http://{}/", self.parts.ingress_address))
            .header(header::HOST, &tenant.host)
            .send()
            .await?;
        let status = response.status();
        let body = response.text().await?;
        // The sample shows whose it is; another product need not.
        let is_theirs = !self.parts.is_sample_product || body.contains(&self.person.organization);
        if !status.is_success() || !is_theirs {
            return Err(DemoError::Answer {
                request: format!("GET {}", tenant.url),
                status: status.as_u16(),
                body,
            });
        }
        Ok(())
    }

    async fn call<T: DeserializeOwned>(&self, method: Method, path: &str, body: Option<Value>) -> Result<T, DemoError> {
        Ok(self.send(method, path, body).await?.json().await?)
    }

    async fn send(&self, method: Method, path: &str, body: Option<Value>) -> Result<Response, DemoError> {
        let origin = self.parts.public_url.as_str().trim_end_matches('/');
        let mut request = self
            .client
            .request(method.clone(), format!("{origin}/api/v1{path}"))
            .header(header::ORIGIN, origin);
        if let Some(cookie) = &self.cookie {
            request = request.header(header::COOKIE, cookie);
        }
        if let Some(token) = &self.csrf_token {
            request = request.header("x-csrf-token", token);
        }
        if let Some(body) = body {
            request = request.json(&body);
        }
        let response = request.send().await?;
        if response.status().is_success() {
            return Ok(response);
        }
        let status = response.status().as_u16();
        Err(DemoError::Answer {
            request: format!("{method} {path}"),
            status,
            body: response.text().await?,
        })
    }
}

/// Letters and digits from the system's randomness: a password for one run.
pub fn random_password() -> String {
    random_key()
        .chars()
        .filter(char::is_ascii_alphanumeric)
        .take(20)
        .collect()
}

/// 32 random bytes in base64.
pub fn random_key() -> String {
    // The demonstration is for Linux; a machine without /dev/urandom could not run the cluster either.
    let read = std::process::Command::new("sh")
        .args(["-c", "head -c 32 /dev/urandom | base64"])
        .stderr(Stdio::null())
        .output();
    read.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned())
        .unwrap_or_default()
}
