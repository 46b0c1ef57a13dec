//! The inbox.

use axum::{Json, extract::State};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use tenantry_app::billing::events::{self, StoredEvent};
use utoipa::{IntoParams, ToSchema};

use crate::{AppState, Operator, Paging, Problem, ValidQuery, page_of};

page_of!(StripeEventPage, StripeEvent, "One page of events, newest first.");

/// What became of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum StripeEventState {
    /// It waits to be looked at.
    Received,
    /// The ledger follows it.
    Applied,
    /// It is not about a purchase of ours.
    Ignored,
    /// A person has to look.
    Failed,
}

impl StripeEventState {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Received => "received",
            Self::Applied => "applied",
            Self::Ignored => "ignored",
            Self::Failed => "failed",
        }
    }
}

/// Why an event was ignored, failed, or still waits.
#[derive(Debug, Serialize, ToSchema)]
pub struct StripeEventReason {
    /// Stable.
    #[schema(example = "price_not_in_catalog")]
    pub code: String,
    /// What it means and what to do.
    pub detail: String,
}

/// An event as it came in.
#[derive(Debug, Serialize, ToSchema)]
pub struct StripeEvent {
    /// The payment provider's identifier.
    #[schema(example = "evt_1QabcdEFghIJklMN")]
    pub id: String,
    /// What happened.
    #[serde(rename = "type")]
    #[schema(example = "invoice.paid")]
    pub kind: String,
    /// What it is about.
    pub object_id: Option<String>,
    /// What became of it.
    pub state: StripeEventState,
    /// How often it was looked at.
    pub attempts: i32,
    /// Why it is not applied.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<StripeEventReason>,
    /// When it arrived.
    pub received_at: DateTime<Utc>,
}

impl From<StoredEvent> for StripeEvent {
    fn from(event: StoredEvent) -> Self {
        let state = match event.state.as_str() {
            "applied" => StripeEventState::Applied,
            "ignored" => StripeEventState::Ignored,
            "failed" => StripeEventState::Failed,
            _ => StripeEventState::Received,
        };
        Self {
            id: event.id,
            kind: event.r#type,
            object_id: event.object_id,
            state,
            attempts: event.attempts,
            error: event.reason.map(|code| StripeEventReason {
                detail: events::explain(&code).to_owned(),
                code,
            }),
            received_at: event.received_at,
        }
    }
}

/// Which events.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct StripeEventParameters {
    /// Only those in this state.
    pub(crate) state: Option<StripeEventState>,
}

/// Lists events, newest first.
#[utoipa::path(
    get, path = "/stripe-events", tag = "operator", security(("operator" = [])),
    params(crate::pagination::PageParameters, StripeEventParameters),
    responses((status = 200, description = "One page", body = StripeEventPage))
)]
pub(super) async fn operator_list_stripe_events(
    State(state): State<AppState>,
    _: Operator,
    paging: Paging,
    ValidQuery(parameters): ValidQuery<StripeEventParameters>,
) -> Result<Json<StripeEventPage>, Problem> {
    let list = format!("stripe events in {:?}", parameters.state);
    let after = paging.after::<(DateTime<Utc>, String)>(&state, &list)?;
    let after = after.as_ref().map(|(at, id)| (*at, id.as_str()));
    let wanted = parameters.state.map(StripeEventState::as_str);
    let rows = events::list(&state.app, wanted, after, paging.fetch()).await?;
    let (rows, next_cursor) = paging.finish(&state, &list, rows, |row| (row.received_at, row.id.clone()));
    Ok(Json(StripeEventPage {
        items: rows.into_iter().map(StripeEvent::from).collect(),
        next_cursor,
    }))
}
