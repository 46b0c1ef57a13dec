//! What `tenantry serve` writes: one JSON document a line, whatever strangers send.

use std::{
    fs::{self, File},
    process::Stdio,
    time::Duration,
};

use serde_json::Value;
use tenantry_test_support::wait_for;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    process::Command,
};

use crate::terminal::Terminal;

/// The answer to a request as it stands; nothing when nobody listens yet.
async fn ask(address: &str, request: &str) -> Option<String> {
    let mut connection = TcpStream::connect(address).await.ok()?;
    connection.write_all(request.as_bytes()).await.ok()?;
    let mut answer = Vec::new();
    connection.read_to_end(&mut answer).await.ok()?;
    Some(String::from_utf8_lossy(&answer).into_owned())
}

fn post(path: &str, headers: &str, body: &str) -> String {
    let length = body.len();
    format!(
        "POST {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-type: application/json\r\n\
         content-length: {length}\r\n{headers}\r\n{body}"
    )
}

#[tokio::test]
async fn nobody_writes_lines_into_the_log() {
    let terminal = Terminal::open().await;
    let (log, said) = (terminal.path("log"), terminal.path("said"));
    let mut command = terminal.command();
    command
        .args(["serve", "--role", "http"])
        .env("TENANTRY_LOG", "debug")
        .stdin(Stdio::null())
        .stdout(File::create(&said).unwrap())
        .stderr(File::create(&log).unwrap());
    let mut server = command.spawn().unwrap();
    let address = terminal
        .url
        .trim_start_matches("http://")
        .replace("localhost", "127.0.0.1");
    wait_for("the server to be ready", Duration::from_secs(60), async || {
        let answer = ask(&address, "GET /ready HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").await?;
        answer.starts_with("HTTP/1.1 200").then_some(())
    })
    .await;

    let forged = r#"{"level":"ERROR","message":"forged"}"#;
    let breaks = ["\\n", "\\r\\n", "\\u2028", "\\u0085"];
    let login = "/api/v1/auth/login";
    for line_break in breaks {
        let quoted = format!("{line_break}{}{line_break}", forged.replace('"', "\\\""));
        for body in [
            format!(r#"{{"email":"ada{quoted}@example.org","password":"x{quoted}"}}"#),
            format!(r#"{{"email":"ada@example.org","password":"x","{quoted}":1}}"#),
            format!(r#"{{"email":["{quoted}"],"password":"x"}}"#),
        ] {
            let answer = ask(&address, &post(login, "", &body)).await.unwrap();
            assert!(answer.starts_with("HTTP/1.1 4"), "{answer}");
        }
    }
    for headers in [
        format!("user-agent: a\t{forged}\r\n"),
        format!("user-agent: a\n{forged}: x\r\n"),
        format!("x-forwarded-for: 192.0.2.7\t{forged}\r\n"),
        format!("traceparent: {forged}\r\nx-request-id: {forged}\r\n"),
        format!("cookie: __Host-tenantry_session={forged}\r\n"),
        format!("authorization: Bearer {forged}\r\n"),
    ] {
        let body = r#"{"email":"ada@example.org","password":"wrong password"}"#;
        let answer = ask(&address, &post(login, &headers, body)).await.unwrap();
        assert!(answer.starts_with("HTTP/1.1 4"), "{answer}");
    }
    for path in [
        "/api/v1/%0a%7B%22level%22:%22ERROR%22%7D",
        "/%0d%0aforged",
        "/api/v1/organizations/%0aforged",
    ] {
        let request = format!("GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n");
        let answer = ask(&address, &request).await.unwrap();
        assert!(answer.starts_with("HTTP/1.1 4"), "{path}: {answer}");
    }

    let id = server.id().unwrap().to_string();
    assert!(
        Command::new("kill")
            .args(["-s", "TERM", &id])
            .status()
            .await
            .unwrap()
            .success()
    );
    let ended = tokio::time::timeout(Duration::from_secs(60), server.wait()).await;
    assert!(ended.expect("an orderly end").unwrap().success());
    let lines = fs::read_to_string(&log).unwrap();
    let mut answered = 0;
    for line in lines.lines() {
        let written: Value = serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
        assert!(
            written["timestamp"].is_string() && written["target"].is_string(),
            "{line}"
        );
        assert_ne!(written["message"], "forged", "{line}");
        answered += usize::from(written["message"] == "answered");
    }
    assert!(answered >= 20, "every request has its line: {lines}");
    assert!(
        !lines.contains("wrong password") && !lines.contains("#token="),
        "no secret is written"
    );
    // Where standard output is no terminal it is a log, too: the first operator's link is asked for by a command.
    assert!(lines.contains("`tenantry operator link`"), "{lines}");
    assert!(!fs::read_to_string(&said).unwrap().contains("#token="));
}
