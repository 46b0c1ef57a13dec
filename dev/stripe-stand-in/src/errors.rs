//! Errors in Stripe's shape: `{"error": {"type", "code", "message", "param", …}}`.

use serde_json::{Map, Value, json};

/// What a request is refused with.
#[derive(Clone, Debug)]
pub(crate) struct ApiError {
    pub(crate) status: u16,
    kind: &'static str,
    code: Option<String>,
    message: String,
    param: Option<String>,
    extra: Map<String, Value>,
}

impl ApiError {
    fn new(status: u16, kind: &'static str, code: Option<&str>, message: impl Into<String>) -> Self {
        Self {
            status,
            kind,
            code: code.map(str::to_owned),
            message: message.into(),
            param: None,
            extra: Map::new(),
        }
    }

    /// The request makes no sense: 400 without a code.
    pub(crate) fn invalid(message: impl Into<String>) -> Self {
        Self::new(400, "invalid_request_error", None, message)
    }

    /// The request makes no sense, in a way that has a code of its own.
    pub(crate) fn invalid_code(code: &str, message: impl Into<String>) -> Self {
        Self::new(400, "invalid_request_error", Some(code), message)
    }

    pub(crate) fn unknown_parameter(param: &str) -> Self {
        Self::invalid_code("parameter_unknown", format!("Received unknown parameter: {param}")).with_param(param)
    }

    pub(crate) fn missing_parameter(param: &str) -> Self {
        Self::invalid_code("parameter_missing", format!("Missing required param: {param}.")).with_param(param)
    }

    /// Stripe knows the parameter, this program does not simulate it. Saying so beats a silent difference.
    pub(crate) fn not_simulated(param: &str) -> Self {
        Self::invalid(format!("The Stripe stand-in does not simulate the parameter {param}.")).with_param(param)
    }

    /// The object that the path names does not exist: 404.
    pub(crate) fn no_such(what: &str, id: &str) -> Self {
        let mut error = Self::no_such_param(what, id, "id");
        error.status = 404;
        error
    }

    /// The object that a parameter names does not exist: 400.
    pub(crate) fn no_such_param(what: &str, id: &str, param: &str) -> Self {
        Self::invalid_code("resource_missing", format!("No such {what}: '{id}'")).with_param(param)
    }

    pub(crate) fn unrecognized_url(method: &str, path: &str) -> Self {
        Self::new(
            404,
            "invalid_request_error",
            None,
            format!(
                "Unrecognized request URL ({method}: {path}). The Stripe stand-in serves a part of Stripe's API: \
                 see its README."
            ),
        )
    }

    pub(crate) fn unauthorized(message: impl Into<String>) -> Self {
        Self::new(401, "invalid_request_error", None, message)
    }

    pub(crate) fn rate_limited() -> Self {
        Self::new(
            429,
            "invalid_request_error",
            Some("rate_limit"),
            "Request rate limit exceeded. Learn more about rate limits here https://stripe.com/docs/rate-limits.",
        )
    }

    pub(crate) fn internal() -> Self {
        Self::new(
            500,
            "api_error",
            None,
            "An unknown error occurred. The Stripe stand-in was told to answer so.",
        )
    }

    pub(crate) fn key_in_use(key: &str) -> Self {
        Self::new(
            409,
            "idempotency_error",
            Some("idempotency_key_in_use"),
            format!(
                "There is currently another in-progress request using this Idempotent Key (that probably means you \
                 submitted twice, and the other request is still going through): {key}. Please try again later."
            ),
        )
    }

    pub(crate) fn key_reused(key: &str) -> Self {
        Self::new(
            400,
            "idempotency_error",
            None,
            format!(
                "Keys for idempotent requests can only be used with the same parameters they were first used with. \
                 Try using a key other than '{key}' if you meant to execute a different request."
            ),
        )
    }

    /// The bank refused: 402 with the reason.
    pub(crate) fn card_declined(code: &str, decline_code: Option<&str>, message: &str) -> Self {
        let mut error = Self::new(402, "card_error", Some(code), message);
        if let Some(decline_code) = decline_code {
            error.extra.insert("decline_code".to_owned(), json!(decline_code));
        }
        error
    }

    pub(crate) fn with_param(mut self, param: &str) -> Self {
        self.param = Some(param.to_owned());
        self
    }

    pub(crate) fn with_status(mut self, status: u16) -> Self {
        self.status = status;
        self
    }

    /// The inner error object, as `last_payment_error` holds it too.
    pub(crate) fn body(&self) -> Value {
        let mut body = self.extra.clone();
        body.insert("type".to_owned(), json!(self.kind));
        body.insert("message".to_owned(), json!(self.message));
        if let Some(code) = &self.code {
            body.insert("code".to_owned(), json!(code));
            let page = code.replace('_', "-");
            body.insert(
                "doc_url".to_owned(),
                json!(format!("https://stripe.com/docs/error-codes/{page}")),
            );
        }
        if let Some(param) = &self.param {
            body.insert("param".to_owned(), json!(param));
        }
        Value::Object(body)
    }

    pub(crate) fn message(&self) -> &str {
        &self.message
    }
}
