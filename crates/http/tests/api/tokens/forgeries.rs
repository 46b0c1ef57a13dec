//! Tokens that somebody made up, or that are meant for somebody else.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD as BASE64};
use chrono::TimeDelta;
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha2::Sha256;

use super::{access_token, first_tokens, get_with, program};
use crate::support::{Browser, PUBLIC_URL, TestApp};

struct Parts {
    header: Value,
    claims: Value,
    signature: String,
}

fn parts(token: &str) -> Parts {
    let pieces: Vec<&str> = token.split('.').collect();
    let read = |piece: &str| serde_json::from_slice(&BASE64.decode(piece).unwrap()).unwrap();
    Parts {
        header: read(pieces[0]),
        claims: read(pieces[1]),
        signature: pieces[2].to_owned(),
    }
}

fn message(header: &Value, claims: &Value) -> String {
    format!(
        "{}.{}",
        BASE64.encode(header.to_string()),
        BASE64.encode(claims.to_string())
    )
}

fn with_hmac(header: &Value, claims: &Value, key: &[u8]) -> String {
    let message = message(header, claims);
    let mut mac = Hmac::<Sha256>::new_from_slice(key).unwrap();
    mac.update(message.as_bytes());
    format!("{message}.{}", BASE64.encode(mac.finalize().into_bytes()))
}

async fn refused(program: &mut Browser, what: &str, token: &str) {
    let answer = get_with(program, "/api/v1/session", token).await;
    assert_eq!(
        (answer.status, answer.code().as_str()),
        (401, "unauthenticated"),
        "{what}"
    );
}

#[tokio::test]
async fn signatures_and_algorithms_are_not_negotiable() {
    let test = TestApp::start().await;
    let mut program = program(&test).await;
    let pair = first_tokens(&mut program).await;
    let Parts {
        header,
        claims,
        signature,
    } = parts(access_token(&pair));
    let list = program.get("/.well-known/jwks.json").await;
    let keys = list.json()["keys"].as_array().unwrap().clone();
    let ed = keys.iter().find(|key| key["kty"] == "OKP").unwrap();
    let rsa = keys.iter().find(|key| key["kty"] == "RSA").unwrap();

    for name in ["none", "None", "NONE", "nOnE"] {
        let mut unsigned = header.clone();
        unsigned["alg"] = name.into();
        for end in ["", signature.as_str()] {
            let token = format!("{}.{end}", message(&unsigned, &claims));
            refused(&mut program, &format!("alg {name}"), &token).await;
        }
    }
    let mut symmetric = header.clone();
    symmetric["alg"] = "HS256".into();
    let public = BASE64.decode(ed["x"].as_str().unwrap()).unwrap();
    let modulus = BASE64.decode(rsa["n"].as_str().unwrap()).unwrap();
    let list_text = list.text();
    for key in [
        public.as_slice(),
        ed["x"].as_str().unwrap().as_bytes(),
        &modulus,
        list_text.as_bytes(),
        b"",
    ] {
        refused(
            &mut program,
            "HS256 with what is public",
            &with_hmac(&symmetric, &claims, key),
        )
        .await;
        let mut others = symmetric.clone();
        others["kid"] = rsa["kid"].clone();
        refused(
            &mut program,
            "the same under the RSA key's name",
            &with_hmac(&others, &claims, key),
        )
        .await;
    }
    for (alg, kid) in [("RS256", &ed["kid"]), ("EdDSA", &rsa["kid"]), ("ES256", &ed["kid"])] {
        let mut mixed = header.clone();
        mixed["alg"] = alg.into();
        mixed["kid"] = kid.clone();
        let token = format!("{}.{signature}", message(&mixed, &claims));
        refused(&mut program, "another algorithm's key", &token).await;
    }
    for (what, changed) in [
        ("another person", json!({ "sub": "usr_01jd3r8v6yf3qb5c1zk3s9x0aa" })),
        ("a longer life", json!({ "exp": 9_999_999_999_i64 })),
    ] {
        let mut claims = claims.clone();
        for (name, value) in changed.as_object().unwrap() {
            claims[name] = value.clone();
        }
        refused(
            &mut program,
            what,
            &format!("{}.{signature}", message(&header, &claims)),
        )
        .await;
    }
    let mut bytes = BASE64.decode(&signature).unwrap();
    bytes[10] ^= 1;
    let token = format!("{}.{}", message(&header, &claims), BASE64.encode(&bytes));
    refused(&mut program, "a bent signature", &token).await;
}

#[tokio::test]
async fn a_keys_name_is_only_a_name() {
    let test = TestApp::start().await;
    let mut program = program(&test).await;
    let pair = first_tokens(&mut program).await;
    let Parts {
        header,
        claims,
        signature,
    } = parts(access_token(&pair));
    for kid in [
        json!("unknown"),
        json!(""),
        json!("../../../../dev/null"),
        json!("/etc/passwd"),
        json!("x' or '1'='1"),
        json!("x' union select 'AAAA' --"),
        json!("https://evil.example/jwks.json"),
        json!("\u{0}"),
        json!("k".repeat(2000)),
        json!(["a"]),
        json!({ "a": 1 }),
        json!(7),
        Value::Null,
    ] {
        let mut header = header.clone();
        header["kid"] = kid.clone();
        refused(
            &mut program,
            &kid.to_string(),
            &format!("{}.{signature}", message(&header, &claims)),
        )
        .await;
    }
    // A token that brings its key along is not asked about it.
    let mut bringing = header.clone();
    bringing["jwk"] = json!({ "kty": "OKP", "crv": "Ed25519", "x": BASE64.encode([9; 32]) });
    bringing["jku"] = "https://evil.example/jwks.json".into();
    refused(
        &mut program,
        "its own key",
        &format!("{}.{signature}", message(&bringing, &claims)),
    )
    .await;
}

#[tokio::test]
async fn what_is_no_token_is_refused_before_it_is_read() {
    let test = TestApp::start().await;
    let mut program = program(&test).await;
    for text in [
        "a",
        "a.b",
        "a.b.c",
        "....",
        "e30.e30.e30",
        &"a".repeat(10_000),
        &format!("{}.e30.", "A".repeat(5000)),
    ] {
        refused(&mut program, text, text).await;
    }
}

#[tokio::test]
async fn time_audience_and_issuer_count() {
    let test = TestApp::start().await;
    let mut program = program(&test).await;
    let pair = first_tokens(&mut program).await;
    let claims = parts(access_token(&pair)).claims;
    assert_eq!(claims["iss"], PUBLIC_URL);
    assert_eq!(claims["aud"], format!("{PUBLIC_URL}/api/v1"));
    let open = |age: TimeDelta| {
        let (test, program, pair) = (&test, program.clone(), pair.clone());
        async move {
            test.clock.advance(age);
            let status = get_with(&mut program.clone(), "/api/v1/session", access_token(&pair))
                .await
                .status;
            test.clock.advance(-age);
            status
        }
    };
    assert_eq!(
        open(TimeDelta::seconds(-20)).await,
        200,
        "a clock may be a little behind"
    );
    assert_eq!(open(TimeDelta::seconds(-60)).await, 401, "it comes from the future");
    assert_eq!(open(TimeDelta::seconds(900)).await, 200);
    assert_eq!(open(TimeDelta::seconds(931)).await, 401, "it has expired");

    // Another installation on the same database believes none of ours.
    let mut elsewhere = test.replica_at("https://tenantry.example.org");
    refused(&mut elsewhere, "another issuer", access_token(&pair)).await;
}

/// A token whose session was ended elsewhere is over at once.
#[tokio::test]
async fn a_token_ends_with_its_session_and_its_person() {
    let test = TestApp::start().await;
    let mut program = program(&test).await;
    let pair = first_tokens(&mut program).await;
    assert_eq!(
        get_with(&mut program, "/api/v1/session", access_token(&pair))
            .await
            .status,
        200
    );
    test.execute("update users set deleted_at = now() where email_normalized = 'ada@example.org'")
        .await;
    refused(&mut program, "the person is gone", access_token(&pair)).await;
    test.execute("update users set deleted_at = null").await;
    test.execute("update sessions set ended_at = now() where kind = 'token'")
        .await;
    refused(&mut program, "the session has ended", access_token(&pair)).await;
}
