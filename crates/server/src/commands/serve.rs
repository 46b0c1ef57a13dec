//! `tenantry serve`.

mod listener;
mod shutdown;
mod workers;

use std::{
    io::{self, IsTerminal},
    net::SocketAddr,
    sync::Arc,
};

use axum::{Router, routing::get};
use metrics_exporter_prometheus::PrometheusHandle;
use tenantry_app::{
    App,
    accounts::{first_operator_link, has_no_operator},
};
use tenantry_http::{AppState, CorsOrigins, HttpSettings, TrustedProxies};
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
    let listeners = Listeners::bind(configuration, role, &wired.app, &metrics).await?;
    if role != Role::Worker {
        introduce_first_operator(&wired.app).await?;
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
    let mut served = tokio::spawn(listeners.serve(stop.clone()));
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

/// Without operators nobody can look after this installation, so whoever starts it is shown how to become the first. The
/// link itself is for a terminal alone: elsewhere standard output is a log, which is kept, sent on, and read by others.
/// Every replica shows a link of its own; each of them works.
async fn introduce_first_operator(app: &App) -> Result<(), Failure> {
    let unavailable = |error| Failure::new(FailureKind::Unavailable, error);
    if !io::stdout().is_terminal() {
        if has_no_operator(app).await.map_err(unavailable)? {
            tracing::warn!("there is no operator yet: `tenantry operator link` prints a link to become the first");
        }
        return Ok(());
    }
    let link = first_operator_link(app, "server start").await.map_err(unavailable)?;
    let Some(link) = link else { return Ok(()) };
    print_line(&format!(
        "There is no operator yet. Open this link within 24 hours to become the first; it works once:\n  {}",
        link.url
    ))
}

/// Each address with what is served there.
struct Listeners(Vec<(TcpListener, Router)>);

impl Listeners {
    async fn bind(
        configuration: &Configuration,
        role: Role,
        app: &App,
        metrics: &PrometheusHandle,
    ) -> Result<Self, Failure> {
        let mut listeners = Self(Vec::new());
        let public = http_settings(configuration)?;
        if role == Role::Worker {
            // It answers only for its own health, to nobody but the platform.
            let router = tenantry_http::worker_router(state(app, public)?);
            let router = match configuration.metrics_listen {
                Some(_) => router,
                None => router.merge(metrics_router(metrics)),
            };
            listeners.add(configuration.listen, router).await?;
        } else {
            let without_operators = configuration.operator_listen.is_some();
            let customers = HttpSettings {
                without_operators,
                ..public.clone()
            };
            listeners
                .add(configuration.listen, tenantry_http::router(state(app, customers)?))
                .await?;
            if let Some(address) = configuration.operator_listen {
                // Everything else is there as well: *view as* shows an operator a customer's pages.
                let origin = configuration.operator_url.clone();
                let operators = HttpSettings {
                    origin,
                    // Pages elsewhere are customers', who call the other address.
                    cors_origins: CorsOrigins::default(),
                    ..public
                };
                listeners
                    .add(address, tenantry_http::router(state(app, operators)?))
                    .await?;
            }
        }
        if let Some(address) = configuration.metrics_listen {
            listeners.add(address, metrics_router(metrics)).await?;
        }
        Ok(listeners)
    }

    async fn add(&mut self, address: SocketAddr, router: Router) -> Result<(), Failure> {
        self.0.push((listener::listen(address).await?, router));
        Ok(())
    }

    async fn serve(self, stop: CancellationToken) {
        let all = self
            .0
            .into_iter()
            .map(|(listener, router)| listener::serve(listener, router, stop.clone()));
        futures::future::join_all(all).await;
    }
}

fn metrics_router(metrics: &PrometheusHandle) -> Router {
    let metrics = metrics.clone();
    Router::new().route("/metrics", get(async move || metrics.render()))
}

fn state(app: &App, settings: HttpSettings) -> Result<AppState, Failure> {
    AppState::new(app.clone(), settings).map_err(|error| Failure::new(FailureKind::Failed, error))
}

fn http_settings(configuration: &Configuration) -> Result<HttpSettings, Failure> {
    let trusted_proxies = TrustedProxies::parse(&configuration.trusted_proxies)
        .map_err(|error| Failure::new(FailureKind::Usage, format!("TENANTRY_TRUSTED_PROXIES: {error}")))?;
    let cors_origins = CorsOrigins::parse(&configuration.cors_origins)
        .map_err(|error| Failure::new(FailureKind::Usage, format!("TENANTRY_CORS_ORIGINS: {error}")))?;
    Ok(HttpSettings {
        trusted_proxies,
        cors_origins,
        span_parent: Some(Arc::new(telemetry::continue_trace)),
        ..HttpSettings::default()
    })
}
