//! Logs, traces and metrics: one place that decides where they go.

use std::{io, io::IsTerminal};

use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use opentelemetry::{
    Context,
    trace::{SpanContext, SpanId, TraceContextExt, TraceFlags, TraceId, TraceState, TracerProvider as _},
};
use opentelemetry_otlp::{Protocol, SpanExporter, WithExportConfig};
use opentelemetry_sdk::{Resource, trace::SdkTracerProvider};
use tracing::Span;
use tracing_opentelemetry::OpenTelemetrySpanExt;
use tracing_subscriber::{
    EnvFilter, Layer,
    filter::{LevelFilter, Targets},
    layer::SubscriberExt,
    util::SubscriberInitExt,
};

use crate::config::{Configuration, LogFormat};

/// Seconds; from a forwarded check to a stuck upstream.
const DURATION_BUCKETS: [f64; 12] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0];

/// Why telemetry could not be set up.
#[derive(Debug, thiserror::Error)]
pub enum TelemetryError {
    /// The log filter does not parse.
    #[error("TENANTRY_LOG is not a filter such as `info,tenantry=debug`: {0}")]
    Filter(#[from] tracing_subscriber::filter::ParseError),
    /// The trace exporter cannot be built.
    #[error("TENANTRY_OTLP_ENDPOINT cannot be used: {0}")]
    Exporter(#[from] opentelemetry_otlp::ExporterBuildError),
    /// The metrics recorder cannot be installed.
    #[error("metrics cannot be recorded: {0}")]
    Metrics(#[from] metrics_exporter_prometheus::BuildError),
}

/// Keeps exporters alive; [`Telemetry::shut_down`] sends what they still hold.
pub struct Telemetry {
    traces: Option<SdkTracerProvider>,
    /// What `/metrics` answers from.
    pub metrics: PrometheusHandle,
}

impl Telemetry {
    /// Sends what is buffered. Call it outside the async runtime.
    pub fn shut_down(self) {
        if let Some(provider) = self.traces
            && let Err(error) = provider.shutdown()
        {
            tracing::warn!(%error, "traces could not be exported at the end");
        }
    }
}

/// Installs logging, metrics and, when an endpoint is configured, the export of traces. Call it before the async
/// runtime starts: the exporter's client brings its own thread.
///
/// # Errors
/// When a setting cannot be used.
pub fn install(configuration: &Configuration) -> Result<Telemetry, TelemetryError> {
    let filter = EnvFilter::try_new(&configuration.log)?;
    let lines = match configuration.log_format {
        LogFormat::Json => tracing_subscriber::fmt::layer()
            .json()
            .flatten_event(true)
            .with_current_span(true)
            .with_span_list(false)
            .with_writer(io::stderr)
            .boxed(),
        LogFormat::Text => tracing_subscriber::fmt::layer()
            .compact()
            .with_ansi(io::stderr().is_terminal())
            .with_target(false)
            .with_writer(io::stderr)
            .boxed(),
    };
    let traces = configuration
        .otlp_endpoint
        .as_ref()
        .map(|endpoint| {
            SpanExporter::builder()
                .with_http()
                .with_protocol(Protocol::HttpBinary)
                .with_endpoint(endpoint.as_str())
                .build()
        })
        .transpose()?
        .map(|exporter| {
            SdkTracerProvider::builder()
                .with_batch_exporter(exporter)
                .with_resource(Resource::builder().with_service_name("tenantry").build())
                .build()
        });
    // Ours alone: the libraries below have spans for every frame and connection, the exporter's own among them.
    let exported = traces.as_ref().map(|provider| {
        tracing_opentelemetry::layer()
            .with_tracer(provider.tracer("tenantry"))
            .with_filter(Targets::new().with_target("tenantry", LevelFilter::INFO))
    });
    tracing_subscriber::registry()
        .with(lines.with_filter(filter))
        .with(exported)
        .init();

    let metrics = PrometheusBuilder::new()
        .set_buckets_for_metric(Matcher::Suffix("_seconds".into()), &DURATION_BUCKETS)?
        .install_recorder()?;
    Ok(Telemetry { traces, metrics })
}

/// Logging for commands that a person runs: only what went wrong, beside the answer.
pub fn install_for_a_terminal() {
    let filter = std::env::var("TENANTRY_LOG")
        .ok()
        .and_then(|text| EnvFilter::try_new(text).ok());
    tracing_subscriber::fmt()
        .compact()
        .with_ansi(io::stderr().is_terminal())
        .with_target(false)
        .without_time()
        .with_writer(io::stderr)
        .with_env_filter(filter.unwrap_or_else(|| EnvFilter::new("warn")))
        .init();
}

/// Lets `span` continue the trace that a W3C `traceparent` names, so that one trace spans webhook, job and operation.
pub fn continue_trace(span: &Span, traceparent: &str) {
    let Some(parent) = parse_traceparent(traceparent) else {
        return;
    };
    // Fails only where traces are not exported, and then nothing is lost.
    let _ = span.set_parent(Context::new().with_remote_span_context(parent));
}

/// `00-<32 hex>-<16 hex>-<2 hex>`; `None` for anything else.
fn parse_traceparent(text: &str) -> Option<SpanContext> {
    let mut parts = text.split('-');
    let (version, trace, span, flags) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    if version != "00" || parts.next().is_some() {
        return None;
    }
    let context = SpanContext::new(
        TraceId::from_hex(trace).ok()?,
        SpanId::from_hex(span).ok()?,
        TraceFlags::new(u8::from_str_radix(flags, 16).ok()?),
        true,
        TraceState::NONE,
    );
    context.is_valid().then_some(context)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_well_formed_parent_is_read() {
        let context = parse_traceparent("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01").unwrap();
        assert!(context.is_sampled() && context.is_remote());
    }

    #[test]
    fn anything_else_starts_a_trace_of_its_own() {
        for text in [
            "",
            "00-0-0-0",
            "01-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
        ] {
            assert!(parse_traceparent(text).is_none(), "{text}");
        }
    }
}
