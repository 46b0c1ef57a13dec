//! `tenantry serve`.

mod shutdown;
mod workers;

use std::{future::IntoFuture, net::SocketAddr, sync::Arc};

use axum::{Router, routing::get};
use metrics_exporter_prometheus::PrometheusHandle;
use tenantry_app::{App, accounts::first_operator_link};
use tenantry_http::{AppState, HttpSettings, TrustedProxies};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::{
    cli::{Role, ServeArgs},
    config::Configuration,
    exit::{Failure, FailureKind},
    print::print_line,
    telemetry,
    wiring::Wired,
};

/// Serves until a signal asks it to end.
pub fn run(configuration: Configuration, arguments: ServeArgs) -> Result<(), Failure> {
    let telemetry = telemetry::install(&configuration).map_err(|error| Failure::new(FailureKind::Usage, error))?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::new(FailureKind::Failed, error))?;
    let ended = runtime.block_on(serve(&configuration, arguments.role, telemetry.metrics.clone()));
    drop(runtime);
    telemetry.shut_down();
    ended
}

async fn serve(configuration: &Configuration, role: Role, metrics: PrometheusHandle) -> Result<(), Failure> {
    let wired = Wired::connect(configuration).await?;

    let stop = CancellationToken::new();
    let workers = match role {
        Role::Http => None,
        Role::All | Role::Worker => Some(workers::start(configuration, &wired.app, &stop).await?),
    };
    let state = AppState::new(wired.app.clone(), http_settings(configuration, role, &metrics)?)
        .map_err(|error| Failure::new(FailureKind::Failed, error))?;
    let listener = listen(configuration.listen).await?;
    if role != Role::Worker {
        introduce_first_operator(&wired.app).await?;
    }
    if let Some(address) = configuration.metrics_listen {
        serve_metrics(address, metrics, stop.clone()).await?;
    }
    let followers = [
        tokio::spawn(tenantry_app::billing::follow_catalog(wired.app.clone(), stop.clone())),
        tokio::spawn(tenantry_app::accounts::follow_keys(wired.app.clone(), stop.clone())),
    ];

    tracing::info!(
        address = %configuration.listen,
        public_url = %configuration.public_url,
        version = env!("CARGO_PKG_VERSION"),
        livemode = wired.app.settings.livemode,
        "ready"
    );
    let served = axum::serve(
        listener,
        router(role, state).into_make_service_with_connect_info::<SocketAddr>(),
    )
    .with_graceful_shutdown(stop.clone().cancelled_owned());
    let mut served = tokio::spawn(served.into_future());
    shutdown::requested().await;
    tracing::info!("ending: no new requests, steps in flight may finish");
    stop.cancel();
    shutdown::within_grace(&mut served).await;
    if let Some(workers) = workers {
        workers.shut_down().await;
    }
    for follower in followers {
        follower.abort();
    }
    wired.app.database.close().await;
    Ok(())
}

/// Without operators nobody can look after this installation, so whoever starts it is shown how to become the first. On
/// standard output, since logs are kept and sent elsewhere. Every replica shows a link of its own; each of them works.
async fn introduce_first_operator(app: &App) -> Result<(), Failure> {
    let link = first_operator_link(app)
        .await
        .map_err(|error| Failure::new(FailureKind::Unavailable, error))?;
    let Some(link) = link else { return Ok(()) };
    print_line(&format!(
        "There is no operator yet. Open this link within 24 hours to become the first; it works once:\n  {}",
        link.url
    ))
}

/// A worker answers only for its own health.
fn router(role: Role, state: AppState) -> Router {
    match role {
        Role::Worker => tenantry_http::worker_router(state),
        Role::All | Role::Http => tenantry_http::router(state),
    }
}

fn http_settings(
    configuration: &Configuration,
    role: Role,
    metrics: &PrometheusHandle,
) -> Result<HttpSettings, Failure> {
    let trusted_proxies = TrustedProxies::parse(&configuration.trusted_proxies)
        .map_err(|error| Failure::new(FailureKind::Usage, format!("TENANTRY_TRUSTED_PROXIES: {error}")))?;
    let metrics = metrics.clone();
    let on_this_listener = configuration.metrics_listen.is_none() || role == Role::Worker;
    Ok(HttpSettings {
        trusted_proxies,
        span_parent: Some(Arc::new(telemetry::continue_trace)),
        metrics: on_this_listener.then(|| Arc::new(move || metrics.render()) as tenantry_http::MetricsPage),
    })
}

async fn listen(address: SocketAddr) -> Result<TcpListener, Failure> {
    TcpListener::bind(address)
        .await
        .map_err(|error| Failure::new(FailureKind::Failed, format!("cannot listen on {address}: {error}")))
}

async fn serve_metrics(address: SocketAddr, metrics: PrometheusHandle, stop: CancellationToken) -> Result<(), Failure> {
    let listener = listen(address).await?;
    let router = Router::new().route("/metrics", get(async move || metrics.render()));
    tokio::spawn(
        axum::serve(listener, router)
            .with_graceful_shutdown(stop.cancelled_owned())
            .into_future(),
    );
    Ok(())
}
