use std::{collections::BTreeMap, net::SocketAddr, time::Duration};

use axum::{
    Router,
    body::Body,
    extract::{ConnectInfo, Request},
    response::Response,
};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use http_body_util::BodyExt;
use serde_json::Value;
use tokio::time::timeout;
use tower::ServiceExt;

/// Longer than a stream needs to notice anything.
const PATIENCE: Duration = Duration::from_secs(25);

/// What came back.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) bytes: Vec<u8>,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.bytes).unwrap_or_else(|error| panic!("{error}: {}", self.text()))
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.bytes).into_owned()
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .map(|value| value.to_str().unwrap())
            .unwrap_or_default()
    }

    /// The code of a problem document, after a look at its form.
    #[track_caller]
    pub(crate) fn code(&self) -> String {
        assert_eq!(
            self.header("content-type"),
            "application/problem+json",
            "{} {}",
            self.status,
            self.text()
        );
        let problem = self.json();
        assert_eq!(problem["status"], self.status);
        assert_eq!(problem["request_id"], self.header("x-request-id"));
        for member in ["type", "title", "detail"] {
            assert!(
                problem[member].as_str().is_some_and(|text| !text.is_empty()),
                "{member} of {problem}"
            );
        }
        problem["code"].as_str().unwrap().to_owned()
    }
}

/// A stream of events that has been opened.
pub(crate) struct Live {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    body: Body,
    text: String,
}

impl Live {
    /// The next event as it was sent, or nothing when the server has closed the stream.
    pub(crate) async fn next(&mut self) -> Option<String> {
        timeout(PATIENCE, self.read()).await.expect("an event, or the end")
    }

    async fn read(&mut self) -> Option<String> {
        loop {
            if let Some((event, rest)) = self.text.split_once("\n\n") {
                let (event, rest) = (event.to_owned(), rest.to_owned());
                self.text = rest;
                // What begins with a colon only keeps the connection alive.
                if event.starts_with(':') {
                    continue;
                }
                return Some(event);
            }
            if let Ok(data) = self.body.frame().await?.unwrap().into_data() {
                self.text.push_str(std::str::from_utf8(&data).unwrap());
            }
        }
    }
}

/// Keeps cookies as a browser does, and sends the token and origin of our own page unless told otherwise.
#[derive(Clone)]
pub(crate) struct Browser {
    router: Router,
    address: SocketAddr,
    pub(crate) cookies: BTreeMap<String, String>,
    pub(crate) csrf_token: Option<String>,
    pub(crate) origin: Option<String>,
}

impl Browser {
    pub(crate) fn new(router: Router, origin: &str, address: SocketAddr) -> Self {
        Self {
            router,
            address,
            cookies: BTreeMap::new(),
            csrf_token: None,
            origin: Some(origin.to_owned()),
        }
    }

    pub(crate) async fn get(&mut self, path: &str) -> Answer {
        self.send(Method::GET, path, &[], Vec::new()).await
    }

    pub(crate) async fn post(&mut self, path: &str, body: &Value) -> Answer {
        self.post_with(path, body, &[]).await
    }

    pub(crate) async fn post_with(&mut self, path: &str, body: &Value, headers: &[(&str, &str)]) -> Answer {
        let mut all = vec![("content-type", "application/json")];
        all.extend_from_slice(headers);
        self.send(Method::POST, path, &all, body.to_string().into_bytes()).await
    }

    pub(crate) async fn send(&mut self, method: Method, path: &str, headers: &[(&str, &str)], body: Vec<u8>) -> Answer {
        let response = self.request(method, path, headers, body).await;
        let (parts, body) = response.into_parts();
        Answer {
            status: parts.status.as_u16(),
            headers: parts.headers,
            bytes: body.collect().await.unwrap().to_bytes().to_vec(),
        }
    }

    /// Opens a stream of events, to be read one by one.
    pub(crate) async fn open(&mut self, path: &str) -> Live {
        let (parts, body) = self.request(Method::GET, path, &[], Vec::new()).await.into_parts();
        Live {
            status: parts.status.as_u16(),
            headers: parts.headers,
            body,
            text: String::new(),
        }
    }

    async fn request(&mut self, method: Method, path: &str, headers: &[(&str, &str)], body: Vec<u8>) -> Response {
        let mut request = Request::new(Body::from(body));
        *request.method_mut() = method.clone();
        *request.uri_mut() = path.parse().unwrap();
        let sent = request.headers_mut();
        if !self.cookies.is_empty() {
            let pairs: Vec<String> = self
                .cookies
                .iter()
                .map(|(name, value)| format!("{name}={value}"))
                .collect();
            sent.insert(header::COOKIE, pairs.join("; ").parse().unwrap());
        }
        if method != Method::GET {
            if let Some(origin) = &self.origin {
                sent.insert(header::ORIGIN, origin.parse().unwrap());
            }
            if let Some(token) = &self.csrf_token {
                sent.insert("x-csrf-token", token.parse().unwrap());
            }
        }
        for (name, value) in headers {
            sent.insert(
                HeaderName::try_from(*name).unwrap(),
                HeaderValue::try_from(*value).unwrap(),
            );
        }
        request.extensions_mut().insert(ConnectInfo(self.address));
        let response = self.router.clone().oneshot(request).await.unwrap();
        super::contract::check(&method, path, &response);
        self.keep_cookies(response.headers());
        response
    }

    /// Takes the token over that a session's view holds.
    pub(crate) fn remember_session(&mut self, answer: &Answer) {
        if answer.status == StatusCode::OK.as_u16() {
            let answer = answer.json();
            let token = [&answer["csrf_token"], &answer["session"]["csrf_token"]]
                .into_iter()
                .find_map(|token| token.as_str());
            self.csrf_token = token.map(str::to_owned);
        }
    }

    fn keep_cookies(&mut self, headers: &HeaderMap) {
        for line in headers.get_all(header::SET_COOKIE) {
            let line = line.to_str().unwrap();
            let (name, value) = line.split(';').next().unwrap().split_once('=').unwrap();
            if line.contains("Max-Age=0") {
                self.cookies.remove(name);
            } else {
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
        }
    }
}
