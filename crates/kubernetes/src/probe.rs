//! A request through the ingress, as a browser would send it.

use std::{error::Error, net::SocketAddr};

use reqwest::{Client, header::HOST, redirect::Policy};
use tenantry_domain::provisioning::{
    ClusterError,
    cluster::{Probe, ProbeAnswer},
};

/// A new connection each time: what is asked is whether a stranger gets through now.
pub(crate) async fn send(probe: &Probe) -> Result<ProbeAnswer, ClusterError> {
    let client = client(probe).map_err(|error| ClusterError::Invalid {
        resource: format!("the probe of {}", probe.host),
        detail: error.to_string(),
    })?;
    let port = probe.address.map(|address| address.port()).or(probe.port);
    let authority = port.map_or_else(|| probe.host.clone(), |port| format!("{}:{port}", probe.host));
    let url = format!("{}://{authority}{}", probe.scheme, probe.path);
    let public_host = probe
        .port
        .map_or_else(|| probe.host.clone(), |port| format!("{}:{port}", probe.host));
    match client.get(url).header(HOST, public_host).send().await {
        Ok(answer) if answer.status().is_success() => Ok(ProbeAnswer::Healthy),
        Ok(answer) => Ok(ProbeAnswer::Status(answer.status().as_u16())),
        Err(error) => Ok(ProbeAnswer::NoAnswer(innermost(&error))),
    }
}

fn client(probe: &Probe) -> Result<Client, reqwest::Error> {
    let builder = Client::builder()
        .no_proxy()
        .redirect(Policy::none())
        .timeout(probe.timeout)
        .pool_max_idle_per_host(0);
    match probe.address {
        Some(address) => builder.resolve(&probe.host, SocketAddr::new(address.ip(), 0)),
        None => builder,
    }
    .build()
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
