//! What every handler can reach.

use std::{fmt, ops::Deref, sync::Arc};

use tenantry_app::{App, provisioning::ProgressFeed, sealing::SealingError};
use url::Url;
use zeroize::Zeroizing;

use crate::{cors::CorsOrigins, edge::client::TrustedProxies, provisioning::slots::StreamSlots};

/// Gives a span the parent that a W3C `traceparent` names, where traces are exported.
pub type SpanParent = Arc<dyn Fn(&tracing::Span, &str) + Send + Sync>;

/// Settings of the edge, beside those of the application.
#[derive(Clone, Default)]
pub struct HttpSettings {
    /// Proxies whose forwarded address and trace context are believed.
    pub trusted_proxies: TrustedProxies,
    /// How a request's span is tied into an exported trace.
    pub span_parent: Option<SpanParent>,
    /// The address that browsers open, where it is not the public one; pages from elsewhere may not call.
    pub origin: Option<Url>,
    /// Pages from elsewhere that may call all the same, without cookies.
    pub cors_origins: CorsOrigins,
    /// Whether operators are served elsewhere: their API does not exist here.
    pub without_operators: bool,
}

impl fmt::Debug for HttpSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpSettings")
            .field("trusted_proxies", &self.trusted_proxies)
            .finish_non_exhaustive()
    }
}

/// The application and what HTTP adds to it. Cloning it is cheap.
#[derive(Clone)]
pub struct AppState {
    /// The use cases' context.
    pub app: App,
    edge: Arc<Edge>,
}

/// What is computed once for all requests.
pub struct Edge {
    pub(crate) settings: HttpSettings,
    /// `scheme://host[:port]` of the address that browsers open, as they send it in `Origin`.
    pub(crate) origin: String,
    /// Signs the cursors of lists.
    pub(crate) cursor_key: Zeroizing<[u8; 32]>,
    /// Fingerprints requests that are sent under an `Idempotency-Key`.
    pub(crate) request_key: Zeroizing<[u8; 32]>,
    /// Tells live views that an operation has moved.
    pub(crate) progress: ProgressFeed,
    /// Bounds the live views of each session.
    pub(crate) streams: StreamSlots,
}

impl AppState {
    /// Prepares the state of a server.
    ///
    /// # Errors
    /// When no key can be derived from the master key.
    pub fn new(app: App, settings: HttpSettings) -> Result<Self, SealingError> {
        let url = settings.origin.as_ref().unwrap_or(&app.settings.public_url);
        let origin = url.origin().ascii_serialization();
        let cursor_key = app.sealer.derive("list cursors")?;
        let request_key = app.sealer.derive("idempotent requests")?;
        Ok(Self {
            app,
            edge: Arc::new(Edge {
                settings,
                origin,
                cursor_key,
                request_key,
                progress: ProgressFeed::default(),
                streams: StreamSlots::default(),
            }),
        })
    }
}

impl Deref for AppState {
    type Target = Edge;

    fn deref(&self) -> &Edge {
        &self.edge
    }
}
