//! Bodies that nobody would write: whatever arrives is taken or refused with a problem that says where, never with a
//! fault of ours and never with a panic.

use axum::{body::Body, extract::FromRequest};
use futures::FutureExt;
use http::{Request, header};
use proptest::{collection::vec, prelude::*, sample::select};
use serde::de::DeserializeOwned;
use tenantry_http::{
    Problem, ValidJson,
    accounts::{
        login::LoginRequest, password_strength::PasswordStrengthRequest, register::RegisterRequest,
        verify_email::VerifyEmailRequest,
    },
};

/// What a body of ours may be made of, whole and broken.
const PIECES: [&str; 29] = [
    "{",
    "}",
    "[",
    "]",
    ",",
    ":",
    "\"",
    "\\",
    "\\u0000",
    "\\\\u0000",
    "\\ud800",
    "null",
    "true",
    "1e999",
    "-0",
    "\"email\":",
    "\"password\":",
    "\"name\":",
    "\"organization_name\":",
    "\"token\":",
    "\"inputs\":",
    "\"ada@example.org\"",
    "\"\"",
    "\"violet tractor hums at noon\"",
    "\u{202e}",
    "\u{feff}",
    " ",
    "\n",
    "🏛",
];

/// The problem's code, unless the body is taken.
fn read<T: DeserializeOwned + garde::Validate<Context = ()>>(body: &[u8]) -> Option<Problem> {
    let request = Request::post("/")
        .header(header::CONTENT_TYPE, "application/json")
        .body(Body::from(body.to_vec()))
        .unwrap();
    // The body is in memory: there is nothing to wait for.
    let read = ValidJson::<T>::from_request(request, &()).now_or_never();
    read.unwrap().err()
}

fn read_as_each(body: &[u8]) {
    for problem in [
        read::<LoginRequest>(body),
        read::<RegisterRequest>(body),
        read::<VerifyEmailRequest>(body),
        read::<PasswordStrengthRequest>(body),
    ]
    .into_iter()
    .flatten()
    {
        let kind = problem.kind();
        assert!(matches!(kind.status, 400 | 413 | 422), "{kind:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes(bytes in vec(any::<u8>(), 0..300)) {
        read_as_each(&bytes);
    }

    #[test]
    fn almost_documents(pieces in vec(select(&PIECES[..]), 0..40)) {
        read_as_each(pieces.concat().as_bytes());
    }

    #[test]
    fn documents_with_any_texts(email in ".*", password in ".*", name in ".*", token in ".*") {
        let document = serde_json::json!({ "email": email, "password": password });
        read_as_each(document.to_string().as_bytes());
        let document = serde_json::json!({
            "email": email, "password": password, "name": name, "organization_name": name,
        });
        read_as_each(document.to_string().as_bytes());
        read_as_each(serde_json::json!({ "token": token }).to_string().as_bytes());
        read_as_each(serde_json::json!({ "password": password, "inputs": [name, email] }).to_string().as_bytes());
    }
}
