//! Sending a browser on.

use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};
use url::form_urlencoded;

use super::page;

/// Sends the browser to an address that was compared before, with these parameters.
pub(super) fn to(address: &str, parameters: &[(&str, &str)]) -> Response {
    let mut target = address.to_owned();
    if !parameters.is_empty() {
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.extend_pairs(parameters);
        target.push(if address.contains('?') { '&' } else { '?' });
        target.push_str(&query.finish());
    }
    match HeaderValue::try_from(target) {
        Ok(location) => (StatusCode::SEE_OTHER, [(header::LOCATION, location)]).into_response(),
        Err(_) => page::refusal(
            "This link does not work",
            "The address to come back to holds letters that no address may hold. Tell the product's maker.",
        ),
    }
}
