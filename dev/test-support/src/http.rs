use std::sync::OnceLock;

use rustls::crypto::{CryptoProvider, ring};

/// A client for the parts of a test. A new one each time: a connection belongs to the runtime that opened it, and each
/// test has its own.
pub(crate) fn client() -> reqwest::Client {
    static PROVIDER: OnceLock<()> = OnceLock::new();
    PROVIDER.get_or_init(|| {
        // Whoever was first has set the same one.
        let _: Result<(), std::sync::Arc<CryptoProvider>> = ring::default_provider().install_default();
    });
    reqwest::Client::builder().no_proxy().build().expect("an HTTP client")
}
