//! Connections from strangers: bounded in number, and in how long they may take to say what they want.

use std::{io, net::SocketAddr, sync::Arc, time::Duration};

use axum::Router;
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::{conn::auto::Builder, graceful::GracefulShutdown},
    service::TowerToHyperService,
};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::Semaphore,
};
use tokio_util::sync::CancellationToken;
use tower::{MakeService, ServiceExt};

use crate::exit::{Failure, FailureKind};

/// A request whose headers are not there by then is a stalled or hostile client's. Kept connections may idle as long
/// between two requests.
const HEADERS_WITHIN: Duration = Duration::from_secs(30);
/// How often an HTTP/2 peer is asked whether it is still there, and how long it has to answer.
const PING_EVERY: Duration = Duration::from_secs(30);
const PONG_WITHIN: Duration = Duration::from_secs(20);
/// Open at once. Each takes a descriptor and some 20 KiB; further ones wait in the system's queue.
const MAX_CONNECTIONS: usize = 10_000;
/// After an error that the next attempt meets as well, such as no descriptors being left.
const PAUSE: Duration = Duration::from_secs(1);

/// Takes an address.
pub(super) async fn listen(address: SocketAddr) -> Result<TcpListener, Failure> {
    TcpListener::bind(address)
        .await
        .map_err(|error| Failure::new(FailureKind::Failed, format!("cannot listen on {address}: {error}")))
}

/// Serves until it is stopped; then lets requests in flight end.
pub(super) async fn serve(listener: TcpListener, router: Router, stop: CancellationToken) {
    serve_patiently(listener, router, stop, HEADERS_WITHIN).await;
}

async fn serve_patiently(listener: TcpListener, router: Router, stop: CancellationToken, headers_within: Duration) {
    let mut make_service = router.into_make_service_with_connect_info::<SocketAddr>();
    let builder = builder(headers_within);
    let connections = GracefulShutdown::new();
    let places = Arc::new(Semaphore::new(MAX_CONNECTIONS));
    while let Some((stream, peer, place)) = stop.run_until_cancelled(next(&listener, &places)).await {
        let Ok(service) = MakeService::<_, axum::extract::Request>::make_service(&mut make_service, peer).await;
        let service = TowerToHyperService::new(
            service.map_request(|request: http::Request<_>| request.map(axum::body::Body::new)),
        );
        let connection = builder.serve_connection_with_upgrades(TokioIo::new(stream), service);
        let connection = connections.watch(connection.into_owned());
        tokio::spawn(async move {
            // Clients leave as they please; what was asked of us was logged with the request.
            if let Err(error) = connection.await {
                tracing::debug!(%error, "a connection ended early");
            }
            drop(place);
        });
    }
    drop(listener);
    connections.shutdown().await;
}

fn builder(headers_within: Duration) -> Builder<TokioExecutor> {
    let mut builder = Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(headers_within);
    builder
        .http2()
        .timer(TokioTimer::new())
        .keep_alive_interval(PING_EVERY)
        .keep_alive_timeout(PONG_WITHIN);
    builder
}

/// The next connection, once there is a place for it.
async fn next(
    listener: &TcpListener,
    places: &Arc<Semaphore>,
) -> (TcpStream, SocketAddr, Option<tokio::sync::OwnedSemaphorePermit>) {
    // The semaphore is never closed.
    let place = places.clone().acquire_owned().await.ok();
    loop {
        match listener.accept().await {
            Ok((stream, peer)) => {
                // Answers are small and written whole; waiting to fill a packet only delays them.
                if let Err(error) = stream.set_nodelay(true) {
                    tracing::debug!(%error, "a connection was gone at once");
                }
                return (stream, peer, place);
            }
            Err(error) if is_of_the_connection(&error) => {}
            Err(error) => {
                tracing::error!(%error, "cannot accept connections, trying on");
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
}

/// The connection failed before it was ours; the next one may do.
fn is_of_the_connection(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionRefused | io::ErrorKind::ConnectionAborted | io::ErrorKind::ConnectionReset
    )
}

#[cfg(test)]
mod tests {
    use axum::routing::get;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    use super::*;

    async fn ask(address: SocketAddr, text: &str) -> String {
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(text.as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        // A connection that is cut may end in a reset.
        let _ = stream.read_to_end(&mut answer).await;
        String::from_utf8_lossy(&answer).into_owned()
    }

    #[tokio::test]
    async fn half_a_request_is_cut_and_a_whole_one_answered_until_the_end() {
        let listener = listen(([127, 0, 0, 1], 0).into()).await.unwrap();
        let address = listener.local_addr().unwrap();
        let stop = CancellationToken::new();
        let router = Router::new().route("/", get(async || "here"));
        let patience = Duration::from_millis(200);
        let served = tokio::spawn(serve_patiently(listener, router, stop.clone(), patience));

        let whole = ask(address, "GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n").await;
        assert!(whole.starts_with("HTTP/1.1 200") && whole.ends_with("here"), "{whole}");
        // Without a limit this would wait for ever.
        let half = ask(address, "GET / HTTP/1.1\r\nhost: a\r\nx-slow: ").await;
        assert!(!half.contains("here"), "{half}");

        stop.cancel();
        served.await.unwrap();
        assert!(TcpStream::connect(address).await.is_err(), "nobody listens any more");
    }
}
