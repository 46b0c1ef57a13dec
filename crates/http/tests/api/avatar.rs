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

/// Files that say to be 65,000 pixels wide and high, or 16,383, in each format that is taken.
fn bombs() -> [(&'static str, Vec<u8>); 4] {
    // A frame of three colours, and what a decoder asks for before it reads the size.
    let mut jpeg = b"\xff\xd8\xff\xc0\x00\x11\x08\xfd\xe8\xfd\xe8\x03\x01\x11\x00\x02\x11\x00\x03\x11\x00".to_vec();
    jpeg.extend_from_slice(b"\xff\xda\x00\x0c\x03\x01\x00\x02\x00\x03\x00\x00\x3f\x00\x00\xff\xd9");
    let lossless =
        b"RIFF\x1a\x00\x00\x00WEBPVP8L\x0d\x00\x00\x00\x2f\xfe\xff\xff\x0f\x00\x00\x00\x00\x00\x00\x00\x00\x00";
    let lossy = b"RIFF\x16\x00\x00\x00WEBPVP8 \x0a\x00\x00\x00\x10\x00\x00\x9d\x01\x2a\xff\x3f\xff\x3f";
    [
        ("image/png", bytes(BOMB)),
        ("image/jpeg", jpeg),
        ("image/webp", lossless.to_vec()),
        ("image/webp", lossy.to_vec()),
    ]
}

#[tokio::test]
async fn bombs_are_not_lit_in_any_format() {
    let test = TestApp::start().await;
    let mut ada = test.person("ada").await;
    for (content_type, file) in bombs() {
        let answer = put(&mut ada.browser, content_type, file).await;
        assert_eq!(
            (answer.status, answer.code().as_str()),
            (422, "validation_failed"),
            "{content_type}"
        );
        let code = &answer.json()["errors"][0]["code"];
        // The reader of WebP itself takes no picture of that size.
        let is_webp = content_type == "image/webp";
        assert!(
            code == "image_too_many_pixels" || (is_webp && code == "image_damaged"),
            "{content_type}: {code}"
        );
    }
    assert_eq!(test.count("select count(*) from user_avatars").await, 0);
}

/// A file that is a picture and something else: before, inside, behind, and under another name.
#[tokio::test]
async fn of_a_file_that_is_several_things_the_picture_is_kept_or_nothing() {
    const SCRIPT: &[u8] = b"<script>alert(document.cookie)</script>";
    let test = TestApp::start().await;
    let mut ada = test.person("ada").await;
    let png = bytes(PNG);
    let png = png.as_slice();
    let after_the_header = 33;
    let inside = [&png[..after_the_header], &text_chunk(SCRIPT), &png[after_the_header..]].concat();
    let archive = b"PK\x05\x06\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00";
    for (what, content_type, file) in [
        ("a script inside", "image/png", inside),
        ("an archive behind it", "image/png", [png, archive.as_slice()].concat()),
        ("another name", "image/jpeg", [png, SCRIPT].concat()),
    ] {
        let answer = put(&mut ada.browser, content_type, file).await;
        assert_eq!(answer.status, 200, "{what}: {}", answer.text());
        let shown = ada.browser.get(AVATAR).await;
        assert_eq!(shown.header("content-type"), "image/png", "{what}");
        for hidden in ["script", "tEXt", "PK"] {
            assert!(!shown.text().contains(hidden), "{what}: {hidden}");
        }
        ada.browser.send(Method::DELETE, AVATAR, &[], Vec::new()).await;
    }
    for (what, file) in [
        ("a script in front", [SCRIPT, png].concat()),
        (
            "a page that begins like a GIF",
            [b"GIF89a/*".as_slice(), png, b"*/=1;alert(1)"].concat(),
        ),
        ("a document", [b"%PDF-1.7\n".as_slice(), png].concat()),
    ] {
        let answer = put(&mut ada.browser, "image/png", file).await;
        assert_eq!(answer.status, 422, "{what}: {}", answer.text());
        assert_eq!(answer.json()["errors"][0]["code"], "image_format_unknown", "{what}");
    }
    assert_eq!(test.count("select count(*) from user_avatars").await, 0);
}

/// A piece of a PNG that holds words.
fn text_chunk(words: &[u8]) -> Vec<u8> {
    let body = [b"tEXtComment\0".as_slice(), words].concat();
    let crc = !body.iter().fold(u32::MAX, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| {
            (crc >> 1) ^ (0xedb8_8320 & 0_u32.wrapping_sub(crc & 1))
        })
    });
    let length = u32::try_from(body.len() - 4).unwrap();
    [length.to_be_bytes().as_slice(), &body, &crc.to_be_bytes()].concat()
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
