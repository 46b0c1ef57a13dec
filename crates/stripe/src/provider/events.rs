//! Events: read from a delivery, or listed where no delivery can arrive.

use std::collections::VecDeque;

use chrono::{DateTime, Utc};
use serde_json::Value;
use tenantry_domain::billing::{
    PaymentError,
    provider::{HANDLED_EVENTS, ProviderEvent, WebhookRefusal},
};

use crate::{StripeClient, form::Form, wire::EventWire};

/// Reads an event from bytes that were verified before.
pub(super) fn read(body: &[u8]) -> Result<ProviderEvent, WebhookRefusal> {
    let text = std::str::from_utf8(body).map_err(|_| WebhookRefusal::NotUtf8)?;
    // PostgreSQL cannot keep this character in JSON, and no event of Stripe's has it.
    if text.contains("\\u0000") {
        return Err(WebhookRefusal::NotAnEvent {
            reason: "it holds the character U+0000".to_owned(),
        });
    }
    let event: EventWire = serde_json::from_str(text).map_err(|error| WebhookRefusal::NotAnEvent {
        reason: error.to_string(),
    })?;
    event_of(event, text.to_owned()).ok_or_else(|| WebhookRefusal::NotAnEvent {
        reason: "its time of creation is out of range".to_owned(),
    })
}

fn event_of(event: EventWire, payload: String) -> Option<ProviderEvent> {
    let (object_id, object_type) = match event.data.object {
        // A charge is one attempt at a payment; what is looked at is the payment.
        Some(object) if object.object.as_deref() == Some("charge") && object.payment_intent.is_some() => {
            (object.payment_intent, Some("payment_intent".to_owned()))
        }
        Some(object) => (object.id, object.object),
        None => (None, None),
    };
    Some(ProviderEvent {
        id: event.id,
        kind: event.r#type,
        object_id,
        object_type,
        api_version: event.api_version,
        livemode: event.livemode,
        created_at: DateTime::from_timestamp(event.created, 0)?,
        payload,
    })
}

impl StripeClient {
    pub(super) async fn events_since(
        &self,
        since: DateTime<Utc>,
        limit: usize,
    ) -> Result<Vec<ProviderEvent>, PaymentError> {
        let query = Form::new()
            .with("created[gte]", since.timestamp())
            .with_list("types", HANDLED_EVENTS);
        // Stripe lists the newest first; what happened first is looked at first.
        let mut oldest: VecDeque<Value> = VecDeque::new();
        self.each_in_list(&["events"], query, |event| {
            oldest.push_front(event);
            oldest.truncate(limit);
        })
        .await?;
        Ok(oldest
            .into_iter()
            .filter_map(|event| {
                let payload = event.to_string();
                event_of(serde_json::from_value(event).ok()?, payload)
            })
            .collect())
    }
}

#[cfg(test)]
mod tests {
    use tenantry_domain::billing::provider::EventObject;

    use super::*;

    #[test]
    fn an_event_is_read_as_far_as_the_inbox_needs() {
        let body = br#"{"id":"evt_1","object":"event","type":"invoice.paid","api_version":"2026-08-26.dahlia",
            "created":1800000000,"livemode":false,"data":{"object":{"id":"in_1","object":"invoice","new":[1]}}}"#;
        let event = read(body).unwrap();
        assert_eq!((event.id.as_str(), event.kind.as_str()), ("evt_1", "invoice.paid"));
        assert_eq!(event.subject(), Some(EventObject::Invoice("in_1".to_owned())));
        assert_eq!(event.payload.as_bytes(), body);
    }

    #[test]
    fn an_event_about_nothing_is_still_an_event() {
        let event =
            read(br#"{"id":"evt_1","type":"balance.available","data":{"object":{"object":"balance"}}}"#).unwrap();
        assert_eq!((event.subject(), event.object_id), (None, None));
        assert!(
            read(br#"{"id":"evt_2","type":"invoice.paid","data":null}"#)
                .unwrap()
                .subject()
                .is_none()
        );
    }

    #[test]
    fn what_is_not_an_event_is_refused() {
        assert_eq!(read(b"\xff\xfe"), Err(WebhookRefusal::NotUtf8));
        for body in [
            &b""[..],
            b"[]",
            b"{}",
            br#"{"id":7,"type":"x"}"#,
            br#"{"id":"evt\u0000","type":"x"}"#,
        ] {
            assert!(matches!(read(body), Err(WebhookRefusal::NotAnEvent { .. })), "{body:?}");
        }
    }
}
