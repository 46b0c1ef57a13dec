//! Lists that are longer than anybody expects: what was not seen must not pass for what is not there.
#![allow(clippy::unwrap_used, clippy::panic, reason = "what a test cannot do fails it")]

use chrono::{DateTime, Utc};
use secrecy::SecretString;
use tenantry_domain::{
    billing::{PaymentError, PaymentProvider, provider::References},
    ids::{InstallationId, OrganizationId},
};
use tenantry_stripe::{StripeClient, StripeConfig};
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    net::{TcpListener, TcpStream},
};

const PAGE_SIZE: usize = 100;

/// Answers every question with a page of a list of this many events, newest first: `evt_1` is the newest.
async fn a_list_of(length: usize) -> StripeClient {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((connection, _)) = listener.accept().await {
            tokio::spawn(answer(connection, length));
        }
    });
    let key = SecretString::from("sk_test_lists".to_owned());
    StripeClient::new(&StripeConfig::at(url.parse().unwrap(), key).unwrap()).unwrap()
}

async fn answer(connection: TcpStream, length: usize) {
    let mut connection = BufReader::new(connection);
    loop {
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            if connection.read_line(&mut head).await.unwrap_or(0) == 0 {
                return;
            }
        }
        let after = head
            .split_once("starting_after=evt_")
            .map_or(0, |(_, rest)| number(rest));
        let numbers = after + 1..=(after + PAGE_SIZE).min(length);
        let has_more = *numbers.end() < length;
        let events: Vec<String> = numbers.map(event).collect();
        let body = format!(
            r#"{{"object":"list","data":[{}],"has_more":{has_more}}}"#,
            events.join(",")
        );
        let answer = format!(
            "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        );
        if connection.write_all(answer.as_bytes()).await.is_err() {
            return;
        }
    }
}

fn number(text: &str) -> usize {
    let digits: String = text.chars().take_while(char::is_ascii_digit).collect();
    digits.parse().unwrap()
}

fn event(number: usize) -> String {
    format!(
        r#"{{"id":"evt_{number}","object":"event","type":"invoice.paid","created":1800000000,"data":{{"object":{{"id":"in_1","object":"invoice"}}}}}}"#
    )
}

fn long_ago() -> DateTime<Utc> {
    DateTime::UNIX_EPOCH
}

#[tokio::test]
async fn what_is_not_among_ten_thousand_is_not_said_to_be_nowhere() {
    let id = "0188bac7-4afa-78aa-bc3b-bd1eef28d881".parse().unwrap();
    let references = References {
        installation: Some(InstallationId::from_uuid(id)),
        organization: Some(OrganizationId::from_uuid(id)),
        ..References::default()
    };
    let found = a_list_of(10_000).await.find_customer(&references, long_ago()).await;
    assert_eq!(found, Ok(None), "the whole list was seen");
    let found = a_list_of(10_001).await.find_customer(&references, long_ago()).await;
    assert!(matches!(found, Err(PaymentError::Unreadable { .. })), "{found:?}");
}

#[tokio::test]
async fn polling_begins_with_the_oldest_however_many_there_are() {
    let events = a_list_of(12_345).await.list_events(long_ago(), 3).await.unwrap();
    let ids: Vec<&str> = events.iter().map(|event| event.id.as_str()).collect();
    assert_eq!(ids, ["evt_12345", "evt_12344", "evt_12343"]);
}

#[tokio::test]
async fn a_part_of_a_list_does_not_pass_for_the_whole() {
    let listed = a_list_of(usize::MAX).await.list_webhook_endpoints().await;
    assert!(matches!(listed, Err(PaymentError::Unreadable { .. })), "{listed:?}");
}
