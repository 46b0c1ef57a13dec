//! What a collector of traces does with OTLP over HTTP, as far as tests need it: it takes spans and keeps them. No
//! collector of the OpenTelemetry project, whose program is larger than everything else that tests build.

use std::sync::{Arc, Mutex, PoisonError};

use axum::{
    Router,
    body::Bytes,
    extract::State,
    http::{HeaderMap, StatusCode, header},
    routing::post,
};
use opentelemetry_proto::tonic::{
    collector::trace::v1::{ExportTraceServiceRequest, ExportTraceServiceResponse},
    common::v1::any_value::Value,
};
use prost::Message;
use tokio::{net::TcpListener, task::JoinHandle};

/// A span as it arrived.
#[derive(Debug, Clone)]
pub(crate) struct ReceivedSpan {
    /// 32 hexadecimal digits.
    pub(crate) trace_id: String,
    pub(crate) name: String,
    /// The span's attribute `step`, where it has one.
    pub(crate) step: Option<String>,
    /// `service.name` of the program that sent it.
    pub(crate) service: Option<String>,
    pub(crate) nanoseconds: u64,
}

/// Listens until it is dropped.
#[derive(Debug)]
pub(crate) struct SpanReceiver {
    /// What `TENANTRY_OTLP_ENDPOINT` is set to.
    pub(crate) endpoint: String,
    spans: Arc<Mutex<Vec<ReceivedSpan>>>,
    serving: JoinHandle<()>,
}

impl SpanReceiver {
    pub(crate) async fn start() -> Self {
        let spans: Arc<Mutex<Vec<ReceivedSpan>>> = Arc::default();
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let router = Router::new()
            .route("/v1/traces", post(receive))
            .with_state(Arc::clone(&spans));
        let serving = tokio::spawn(async move {
            axum::serve(listener, router).await.expect("a listener");
        });
        Self {
            endpoint: format!("http://{address}/v1/traces"),
            spans,
            serving,
        }
    }

    /// Everything that has arrived.
    pub(crate) fn spans(&self) -> Vec<ReceivedSpan> {
        self.spans.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Drop for SpanReceiver {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

/// As the protocol has it: binary protobuf, 400 for what cannot be read.
async fn receive(
    State(spans): State<Arc<Mutex<Vec<ReceivedSpan>>>>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Vec<u8>, StatusCode> {
    let kind = headers.get(header::CONTENT_TYPE).map(|kind| kind.as_bytes());
    if kind != Some(b"application/x-protobuf") {
        return Err(StatusCode::UNSUPPORTED_MEDIA_TYPE);
    }
    let request = ExportTraceServiceRequest::decode(body).map_err(|_| StatusCode::BAD_REQUEST)?;
    let mut spans = spans.lock().unwrap_or_else(PoisonError::into_inner);
    for of_program in request.resource_spans {
        let service = of_program
            .resource
            .and_then(|resource| text(&resource.attributes, "service.name"));
        for span in of_program.scope_spans.into_iter().flat_map(|scope| scope.spans) {
            spans.push(ReceivedSpan {
                trace_id: span.trace_id.iter().map(|byte| format!("{byte:02x}")).collect(),
                name: span.name,
                step: text(&span.attributes, "step"),
                service: service.clone(),
                nanoseconds: span.end_time_unix_nano.saturating_sub(span.start_time_unix_nano),
            });
        }
    }
    Ok(ExportTraceServiceResponse::default().encode_to_vec())
}

fn text(attributes: &[opentelemetry_proto::tonic::common::v1::KeyValue], key: &str) -> Option<String> {
    let found = attributes.iter().find(|attribute| attribute.key == key)?;
    match found.value.as_ref()?.value.as_ref()? {
        Value::StringValue(text) => Some(text.clone()),
        _ => None,
    }
}
