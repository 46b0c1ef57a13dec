use std::net::SocketAddr;

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};

use super::TestApp;

/// A server that listens, for requests that no client would write.
pub(crate) struct Wire {
    address: SocketAddr,
    server: JoinHandle<()>,
}

/// What came back, as it stood on the wire.
#[derive(Debug)]
pub(crate) struct WireAnswer(String);

impl WireAnswer {
    /// Zero when the server hung up without a word.
    pub(crate) fn status(&self) -> u16 {
        let status = self.0.strip_prefix("HTTP/1.1 ").and_then(|rest| rest.get(..3));
        status.and_then(|status| status.parse().ok()).unwrap_or_default()
    }

    /// The lines of the head, without the status.
    pub(crate) fn headers(&self) -> impl Iterator<Item = &str> {
        let head = self.0.split_once("\r\n\r\n").map_or(self.0.as_str(), |(head, _)| head);
        head.split("\r\n").skip(1)
    }

    pub(crate) fn contains(&self, text: &str) -> bool {
        self.0.contains(text)
    }
}

impl Wire {
    pub(crate) async fn of(test: &TestApp) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let service = test.router().into_make_service_with_connect_info::<SocketAddr>();
        let server = tokio::spawn(async move { axum::serve(listener, service).await.unwrap() });
        Self { address, server }
    }

    /// `GET`, with headers that each end with a line break.
    pub(crate) async fn get(&self, path: &str, headers: &str) -> WireAnswer {
        self.send(&format!(
            "GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n{headers}\r\n"
        ))
        .await
    }

    pub(crate) async fn send(&self, request: &str) -> WireAnswer {
        let mut connection = TcpStream::connect(self.address).await.unwrap();
        // The server may answer and hang up before it has read everything.
        let _ = connection.write_all(request.as_bytes()).await;
        let mut answer = Vec::new();
        let _ = connection.read_to_end(&mut answer).await;
        WireAnswer(String::from_utf8_lossy(&answer).into_owned())
    }
}

impl Drop for Wire {
    fn drop(&mut self) {
        self.server.abort();
    }
}
