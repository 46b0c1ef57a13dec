//! The HTTP under the adapter: one GET, one POST, one DELETE, each bounded in time and size.

use std::sync::{PoisonError, RwLock};

use reqwest::{
    Method, RequestBuilder, Response,
    header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderValue, RETRY_AFTER},
    redirect,
};
use secrecy::{ExposeSecret, SecretString};
use serde::de::DeserializeOwned;
use tenantry_domain::billing::{PaymentError, provider::IdempotencyKey};
use url::Url;

use crate::{API_VERSION, StripeConfig, answer::failure, config::InvalidStripeConfig, form::Form};

/// No object that we ask for is larger; a list of a hundred is not, either.
const MAX_ANSWER_BYTES: usize = 8 << 20;
const USER_AGENT: &str = concat!("tenantry/", env!("CARGO_PKG_VERSION"));

/// Stripe, reached over HTTP.
#[derive(Debug)]
pub struct StripeClient {
    http: reqwest::Client,
    base_url: Url,
    livemode: bool,
    configured_secrets: Vec<SecretString>,
    ledger_secrets: RwLock<Vec<SecretString>>,
}

impl StripeClient {
    /// Prepares a client; nothing is sent yet.
    ///
    /// # Errors
    /// When the HTTP client cannot be set up.
    pub fn new(config: &StripeConfig) -> Result<Self, InvalidStripeConfig> {
        let failed = |error: &dyn std::fmt::Display| InvalidStripeConfig::Client(error.to_string());
        let bearer = format!("Bearer {}", config.api_key.expose_secret());
        let mut authorization = HeaderValue::from_str(&bearer).map_err(|error| failed(&error))?;
        authorization.set_sensitive(true);
        let mut headers = HeaderMap::new();
        headers.insert(AUTHORIZATION, authorization);
        headers.insert("Stripe-Version", HeaderValue::from_static(API_VERSION));
        let http = reqwest::Client::builder()
            .default_headers(headers)
            .user_agent(USER_AGENT)
            .connect_timeout(config.connect_timeout)
            .timeout(config.timeout)
            // A redirect would take the key somewhere else.
            .redirect(redirect::Policy::none())
            .build()
            .map_err(|error| failed(&error))?;
        Ok(Self {
            http,
            base_url: config.base_url.clone(),
            livemode: config.livemode(),
            configured_secrets: config.webhook_secrets.clone(),
            ledger_secrets: RwLock::default(),
        })
    }

    pub(crate) fn livemode(&self) -> bool {
        self.livemode
    }

    pub(crate) fn webhook_secrets(&self) -> Vec<SecretString> {
        let ledger = self.ledger_secrets.read().unwrap_or_else(PoisonError::into_inner);
        self.configured_secrets.iter().chain(ledger.iter()).cloned().collect()
    }

    pub(crate) fn replace_ledger_secrets(&self, secrets: Vec<SecretString>) {
        *self.ledger_secrets.write().unwrap_or_else(PoisonError::into_inner) = secrets;
    }

    pub(crate) async fn get<T: DeserializeOwned>(&self, path: &[&str], query: &Form) -> Result<T, PaymentError> {
        let mut url = self.url(path)?;
        let query = query.encode();
        url.set_query(Some(query.as_str()).filter(|query| !query.is_empty()));
        self.send(self.http.request(Method::GET, url)).await
    }

    pub(crate) async fn post<T: DeserializeOwned>(
        &self,
        path: &[&str],
        form: &Form,
        key: &IdempotencyKey,
    ) -> Result<T, PaymentError> {
        let request = self
            .http
            .request(Method::POST, self.url(path)?)
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
            .header("Idempotency-Key", &key.0)
            .body(form.encode());
        self.send(request).await
    }

    pub(crate) async fn delete<T: DeserializeOwned>(
        &self,
        path: &[&str],
        key: Option<&IdempotencyKey>,
    ) -> Result<T, PaymentError> {
        let mut request = self.http.request(Method::DELETE, self.url(path)?);
        if let Some(key) = key {
            request = request.header("Idempotency-Key", &key.0);
        }
        self.send(request).await
    }

    /// Each part is one segment: an identifier with a slash in it stays inside of its segment.
    fn url(&self, path: &[&str]) -> Result<Url, PaymentError> {
        let mut url = self.base_url.clone();
        url.path_segments_mut()
            .map_err(|()| PaymentError::Unreachable {
                reason: "the address has no path".to_owned(),
            })?
            .pop_if_empty()
            .push("v1")
            .extend(path);
        Ok(url)
    }

    async fn send<T: DeserializeOwned>(&self, request: RequestBuilder) -> Result<T, PaymentError> {
        let response = request.send().await.map_err(|error| unanswered(&error))?;
        let status = response.status().as_u16();
        let retry_after = header_text(&response, RETRY_AFTER.as_str());
        tracing::debug!(
            status,
            request_id = header_text(&response, "Request-Id"),
            path = response.url().path(),
            "Stripe answered"
        );
        let body = bounded_body(response).await?;
        if !(200..300).contains(&status) {
            return Err(failure(status, retry_after.as_deref(), &body));
        }
        serde_json::from_slice(&body).map_err(|error| PaymentError::Unreadable {
            reason: error.to_string(),
        })
    }
}

fn header_text(response: &Response, name: &str) -> Option<String> {
    response.headers().get(name)?.to_str().ok().map(str::to_owned)
}

async fn bounded_body(mut response: Response) -> Result<Vec<u8>, PaymentError> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|error| unanswered(&error))? {
        if body.len() + chunk.len() > MAX_ANSWER_BYTES {
            return Err(PaymentError::Unreadable {
                reason: format!("it is longer than {MAX_ANSWER_BYTES} bytes"),
            });
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

/// Nobody answered, or not to the end: the call may have been carried out.
fn unanswered(error: &reqwest::Error) -> PaymentError {
    if error.is_timeout() {
        return PaymentError::Timeout;
    }
    // The address is ours and holds no secret, but it is long and says nothing new.
    let mut reason = if error.is_connect() {
        "no connection".to_owned()
    } else {
        "the connection broke".to_owned()
    };
    let mut cause = std::error::Error::source(error);
    while let Some(inner) = cause {
        if inner.source().is_none() {
            reason = format!("{reason}: {inner}");
        }
        cause = inner.source();
    }
    PaymentError::Unreachable { reason }
}
