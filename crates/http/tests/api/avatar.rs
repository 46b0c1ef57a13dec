//! Pictures of people: drawn anew, and refused when they are something else.

use http::Method;

use crate::support::{Answer, Browser, TestApp};

/// Two pixels wide and one high; one of them is half transparent.
const PNG: &str = "89504e470d0a1a0a0000000d4948445200000002000000010806000000f4227f8a0000000e4944415478da63f8cfc000420d000f\
                   7a037e6a8131e10000000049454e44ae426082";
/// 65 bytes that say to be 60,000 pixels wide and high.
const BOMB: &str = "89504e470d0a1a0a0000000d494844520000ea600000ea60080600000080d27542000000084944415478da0300000000016fddc9\
                    910000000049454e44ae426082";
const AVATAR: &str = "/api/v1/me/avatar";

fn bytes(text: &str) -> Vec<u8> {
    hex::decode(text.replace(char::is_whitespace, "")).unwrap()
}

async fn put(browser: &mut Browser, content_type: &str, file: Vec<u8>) -> Answer {
    let headers = [("content-type", content_type)];
    browser.send(Method::PUT, AVATAR, &headers, file).await
}

#[tokio::test]
async fn a_picture_is_set_shown_and_removed() {
    let test = TestApp::start().await;
    let mut ada = test.person("ada").await;
    assert_eq!(ada.browser.get(AVATAR).await.code(), "not_found");
    let answer = put(&mut ada.browser, "image/png", bytes(PNG)).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let profile = answer.json();
    let address = profile["avatar_url"].as_str().unwrap();
    assert!(address.starts_with("/api/v1/me/avatar?v="), "{address}");

    let shown = ada.browser.get(address).await;
    assert_eq!((shown.status, shown.header("content-type")), (200, "image/png"));
    assert!(shown.bytes.starts_with(b"\x89PNG"));
    assert_eq!(shown.header("x-content-type-options"), "nosniff");
    assert_eq!(shown.header("cache-control"), "private, no-cache");
    let tag = shown.header("etag").to_owned();
    let known = ada
        .browser
        .send(Method::GET, address, &[("if-none-match", &tag)], Vec::new())
        .await;
    assert_eq!((known.status, known.bytes.len()), (304, 0));
    let mut grace = test.person("grace").await;
    assert_eq!(grace.browser.get(address).await.code(), "not_found", "it is one's own");

    let removed = ada.browser.send(Method::DELETE, AVATAR, &[], Vec::new()).await;
    assert_eq!(
        (removed.status, &removed.json()["avatar_url"]),
        (200, &serde_json::Value::Null)
    );
    assert_eq!(
        ada.browser.send(Method::DELETE, AVATAR, &[], Vec::new()).await.status,
        200
    );
    assert_eq!(ada.browser.get(AVATAR).await.code(), "not_found");
    assert_eq!(
        test.count("select count(*) from audit_events where action like 'avatar.%'")
            .await,
        2
    );
}

#[tokio::test]
async fn what_hides_in_a_file_is_never_handed_out() {
    let test = TestApp::start().await;
    let mut ada = test.person("ada").await;
    let mut polyglot = bytes(PNG);
    polyglot.extend_from_slice(b"<script>alert(document.cookie)</script>");
    assert_eq!(put(&mut ada.browser, "image/png", polyglot).await.status, 200);
    let shown = ada.browser.get(AVATAR).await;
    assert!(!shown.text().contains("script"), "{}", shown.text());
}

#[tokio::test]
async fn what_is_no_picture_is_refused() {
    let test = TestApp::start().await;
    let mut ada = test.person("ada").await;
    let svg = b"<svg xmlns=\"http://www.w3.org/2000/svg\" onload=\"alert(1)\"/>".to_vec();
    for content_type in ["image/svg+xml", "text/html", "application/json", "image/gif", ""] {
        let answer = put(&mut ada.browser, content_type, svg.clone()).await;
        assert_eq!(
            (answer.status, answer.code().as_str()),
            (415, "unsupported_media_type"),
            "{content_type}"
        );
    }
    for (file, code) in [
        (svg, "image_format_unknown"),
        (Vec::new(), "image_format_unknown"),
        (b"GIF89a\x01\x00\x01\x00".to_vec(), "image_format_unknown"),
        (bytes(PNG)[..40].to_vec(), "image_damaged"),
        (bytes(BOMB), "image_too_many_pixels"),
    ] {
        let answer = put(&mut ada.browser, "image/png", file).await;
        assert_eq!(answer.status, 422, "{code}: {}", answer.text());
        assert_eq!(answer.json()["errors"][0]["code"], code);
    }
    let large = put(&mut ada.browser, "image/jpeg", vec![0xff; 5 * 1024 * 1024 + 1]).await;
    assert_eq!((large.status, large.code().as_str()), (413, "body_too_large"));
    assert_eq!(test.count("select count(*) from user_avatars").await, 0);
}
