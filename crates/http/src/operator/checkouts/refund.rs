//! A payment that bought nothing goes back.

use axum::{Json, extract::State};
use tenantry_app::billing::refunds::{self, RefundError};
use tenantry_domain::ids::CheckoutId;

use super::OperatorCheckout;
use crate::{
    AppState, Operator, PathId, Problem, TraceContext, authorization::Support, billing::problems, problem::kinds,
};

/// Sends a payment back that bought nothing.
#[utoipa::path(
    post, path = "/checkouts/{checkout}/refund", tag = "operator", security(("operator" = [])),
    responses(
        (status = 200, description = "It went back; `refund_needed` is false now, unless the bank takes its time", body = OperatorCheckout),
        (status = 409, description = "`refund_not_needed`, `refund_without_payment` or `refund_refused`", body = crate::problem::ProblemDocument, content_type = "application/problem+json"),
        (status = 503, description = "`payment_provider_unavailable`", body = crate::problem::ProblemDocument, content_type = "application/problem+json"),
    )
)]
pub(super) async fn operator_refund_checkout(
    State(state): State<AppState>,
    operator: Operator<Support>,
    PathId(checkout): PathId<CheckoutId>,
    trace: TraceContext,
) -> Result<Json<OperatorCheckout>, Problem> {
    let traceparent = trace.traceparent();
    let sale = refunds::refund(&state.app, checkout, &operator.actor(), Some(&traceparent)).await?;
    Ok(Json(OperatorCheckout::from(sale)))
}

impl From<RefundError> for Problem {
    fn from(error: RefundError) -> Self {
        match error {
            RefundError::Unknown => Self::of(kinds::NOT_FOUND),
            RefundError::NotNeeded => Self::of(problems::REFUND_NOT_NEEDED),
            RefundError::NoPayment { .. } => {
                Self::new(problems::REFUND_WITHOUT_PAYMENT, format!("{error}. Look there."))
            }
            RefundError::Refused(error) => {
                Self::new(problems::REFUND_REFUSED, format!("It says: {error}. Look there.")).caused_by(error)
            }
            RefundError::Fault(fault) => fault.into(),
        }
    }
}
