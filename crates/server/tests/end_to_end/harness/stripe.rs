//! The stand-in's controls, and what its API shows.

use reqwest::Client;
use serde_json::{Value, json};
use tenantry_test_support::StripeStandIn;

/// Steers one stand-in.
#[derive(Debug)]
pub(crate) struct Stripe {
    pub(crate) process: StripeStandIn,
    client: Client,
}

impl Stripe {
    pub(super) async fn start() -> Self {
        Self {
            process: StripeStandIn::start().await,
            client: Client::new(),
        }
    }

    /// Pays a session with a good card. A refusal is the answer.
    pub(crate) async fn pay(&self, session: &str) -> Result<Value, Value> {
        let answer = self
            .client
            .post(self.control(&format!("checkout/sessions/{session}/complete")))
            .json(&json!({}))
            .send()
            .await
            .expect("the stand-in");
        let succeeded = answer.status().is_success();
        let body = answer.json().await.expect("JSON of the stand-in");
        if succeeded { Ok(body) } else { Err(body) }
    }

    /// How deliveries are disturbed from now on.
    pub(crate) async fn disturb_deliveries(&self, mode: Value) {
        self.send(self.client.put(self.control("deliveries/mode")).json(&mode))
            .await;
    }

    /// Makes everything that waits due at once.
    pub(crate) async fn flush_deliveries(&self) {
        self.send(self.client.post(self.control("deliveries/flush"))).await;
    }

    /// What will go wrong with a call.
    pub(crate) async fn add_fault(&self, fault: Value) {
        self.send(self.client.post(self.control("faults")).json(&fault)).await;
    }

    /// Everything of a kind, newest first, such as `subscriptions?status=all`.
    pub(crate) async fn list(&self, what: &str) -> Vec<Value> {
        let joint = if what.contains('?') { '&' } else { '?' };
        let call = self
            .client
            .get(format!("{}/v1/{what}{joint}limit=100", self.process.url))
            .bearer_auth(&self.process.api_key);
        let page = self.send(call).await;
        page["data"].as_array().expect("a list").clone()
    }

    /// Deliveries, newest first.
    pub(crate) async fn deliveries(&self) -> Vec<Value> {
        let answer = self.send(self.client.get(self.control("deliveries?limit=1000"))).await;
        let list = answer
            .get("deliveries")
            .or_else(|| answer.get("data"))
            .unwrap_or(&answer);
        list.as_array().expect("deliveries").clone()
    }

    fn control(&self, path: &str) -> String {
        format!("{}/_control/{path}", self.process.url)
    }

    async fn send(&self, call: reqwest::RequestBuilder) -> Value {
        let answer = call.send().await.expect("the stand-in");
        let status = answer.status();
        let body = answer.text().await.expect("the stand-in's answer");
        assert!(status.is_success(), "the stand-in: {status} {body}");
        serde_json::from_str(&body).unwrap_or(Value::Null)
    }
}
