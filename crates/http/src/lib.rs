//! The HTTP API and the embedded web interface.
//!
//! One endpoint is one file: its request, its answer, its errors and its handler. A handler's signature says who may call
//! it: nobody in particular, [`SignedIn`], [`Authorized`] with the permissions that it needs, or [`Operator`] with a role;
//! the extractor has then authenticated and authorised. No handler opens a transaction: the use case does, in the scope of
//! the organization or user that the extractor found.

pub mod accounts;
pub mod authorization;
pub mod billing;
mod body;
mod cookie;
mod cors;
mod csrf;
mod edge;
mod health;
mod idempotency;
mod meta;
mod openapi;
pub mod operator;
pub mod organizations;
pub mod pagination;
mod path;
pub mod problem;
pub mod provisioning;
mod rate_limit;
#[doc(hidden)]
pub mod readers;
mod router;
mod state;
mod trace;
mod ui;

pub use authorization::{Authorized, Operator, SignedIn};
pub use body::{ValidJson, ValidQuery};
pub use cors::{CorsOrigins, InvalidOrigin};
pub use edge::client::{ClientAddress, TrustedProxies};
pub use openapi::document as openapi_document;
pub use pagination::{PageParameters, Paging};
pub use path::{OrganizationRef, PathId, PathParameter};
pub use problem::{Problem, ProblemKind};
pub use router::{router, worker_router};
pub use state::{AppState, HttpSettings, SpanParent};
pub use trace::TraceContext;
