//! A request through the ingress, as a browser would send it.

use std::{
    collections::HashMap,
    error::Error,
    iter,
    net::{IpAddr, SocketAddr},
    sync::{Arc, Mutex, PoisonError},
};

use reqwest::{
    Client,
    dns::{Addrs, Name, Resolve, Resolving},
    header::HOST,
    redirect::Policy,
};
use tenantry_domain::provisioning::{
    ClusterError,
    cluster::{Probe, ProbeAnswer},
};

/// Sends probes. Making a client reads every root certificate, so there is one for each address that is connected to: in
/// practice a single one.
#[derive(Clone, Default)]
pub(crate) struct Prober {
    clients: Arc<Mutex<HashMap<Option<IpAddr>, Client>>>,
}

impl Prober {
    /// Over a new connection each time: what is asked is whether a stranger gets through now.
    pub(crate) async fn send(&self, probe: &Probe) -> Result<ProbeAnswer, ClusterError> {
        let client = self
            .client(probe.address.map(|address| address.ip()))
            .map_err(|error| ClusterError::Invalid {
                resource: format!("the probe of {}", probe.host),
                detail: error.to_string(),
            })?;
        let port = probe.address.map(|address| address.port()).or(probe.port);
        let url = format!("{}://{}{}", probe.scheme, with_port(&probe.host, port), probe.path);
        let request = client
            .get(url)
            .header(HOST, with_port(&probe.host, probe.port))
            .timeout(probe.timeout);
        match request.send().await {
            Ok(answer) if answer.status().is_success() => Ok(ProbeAnswer::Healthy),
            Ok(answer) => Ok(ProbeAnswer::Status(answer.status().as_u16())),
            Err(error) => Ok(ProbeAnswer::NoAnswer(innermost(&error))),
        }
    }

    fn client(&self, address: Option<IpAddr>) -> Result<Client, reqwest::Error> {
        let mut clients = self.clients.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(client) = clients.get(&address) {
            return Ok(client.clone());
        }
        let builder = Client::builder()
            .no_proxy()
            .redirect(Policy::none())
            .pool_max_idle_per_host(0);
        let client = match address {
            Some(address) => builder.dns_resolver(Always(address)),
            None => builder,
        }
        .build()?;
        clients.insert(address, client.clone());
        Ok(client)
    }
}

/// Every name is at this address: the ingress answers for all hosts.
struct Always(IpAddr);

impl Resolve for Always {
    fn resolve(&self, _: Name) -> Resolving {
        // The port of the URL takes the place of 0.
        let addresses: Addrs = Box::new(iter::once(SocketAddr::new(self.0, 0)));
        Box::pin(std::future::ready(Ok(addresses)))
    }
}

fn with_port(host: &str, port: Option<u16>) -> String {
    port.map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
}

fn innermost(error: &reqwest::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(inner) = source {
        text = inner.to_string();
        source = inner.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use tokio::{
        io::{AsyncReadExt, AsyncWriteExt},
        net::{TcpListener, TcpStream},
    };

    use super::*;

    /// The request that comes over the next connection, answered with this status, the connection left open.
    async fn answer_one(ingress: &TcpListener, status: &str) -> (String, TcpStream) {
        let (mut stream, _) = ingress.accept().await.unwrap();
        let mut request = Vec::new();
        while !request.ends_with(b"\r\n\r\n") {
            request.push(stream.read_u8().await.unwrap());
        }
        let answer = format!("HTTP/1.1 {status}\r\ncontent-length: 0\r\n\r\n");
        stream.write_all(answer.as_bytes()).await.unwrap();
        (String::from_utf8(request).unwrap().to_lowercase(), stream)
    }

    fn probe_of(host: &str, ingress: SocketAddr) -> Probe {
        Probe {
            address: Some(ingress),
            scheme: "http".to_owned(),
            port: Some(8443),
            host: host.to_owned(),
            path: "/health".to_owned(),
            timeout: Duration::from_secs(10),
        }
    }

    #[tokio::test]
    async fn tenants_share_a_client_and_never_a_connection() {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let ingress = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = ingress.local_addr().unwrap();
        let prober = Prober::default();
        let mut open = Vec::new();
        for (host, status, expected) in [
            ("one.tenants.example", "200 OK", ProbeAnswer::Healthy),
            ("one.tenants.example", "503 Busy", ProbeAnswer::Status(503)),
            ("two.tenants.example", "302 Found", ProbeAnswer::Status(302)),
        ] {
            let probe = probe_of(host, address);
            let (answer, (request, stream)) = tokio::join!(prober.send(&probe), answer_one(&ingress, status));
            assert_eq!(answer.unwrap(), expected);
            assert!(request.starts_with("get /health "), "{request}");
            assert!(request.contains(&format!("host: {host}:8443\r\n")), "{request}");
            open.push(stream);
        }
        assert_eq!(prober.clients.lock().unwrap().len(), 1);
    }

    #[tokio::test]
    async fn each_probe_has_its_own_patience() {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let ingress = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let mut probe = probe_of("mute.tenants.example", ingress.local_addr().unwrap());
        probe.timeout = Duration::from_millis(100);
        let asked = Instant::now();
        let answer = Prober::default().send(&probe).await.unwrap();
        assert!(matches!(answer, ProbeAnswer::NoAnswer(_)), "{answer:?}");
        assert!(asked.elapsed() < Duration::from_secs(5));
    }
}
