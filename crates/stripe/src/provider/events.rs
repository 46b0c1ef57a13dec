//! Events: read from a delivery, or listed where no delivery can arrive.

use std::{borrow::Cow, collections::VecDeque};

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
    let event: EventWire = serde_json::from_str(text).map_err(|error| WebhookRefusal::NotAnEvent {
        reason: error.to_string(),
    })?;
    event_of(event, text).map_err(|reason| WebhookRefusal::NotAnEvent {
        reason: reason.to_owned(),
    })
}

/// What the inbox stores of an event and its text, or what is wrong with it.
fn event_of(event: EventWire, text: &str) -> Result<ProviderEvent, &'static str> {
    let (object_id, object_type) = match event.data.object {
        // A charge is one attempt at a payment; what is looked at is the payment.
        Some(object) if object.object.as_deref() == Some("charge") && object.payment_intent.is_some() => {
            (object.payment_intent, Some("payment_intent".to_owned()))
        }
        Some(object) => (object.id, object.object),
        None => (None, None),
    };
    let names = [
        Some(&event.id),
        Some(&event.r#type),
        object_id.as_ref(),
        object_type.as_ref(),
        event.api_version.as_ref(),
    ];
    if names.into_iter().flatten().any(|name| name.contains('\0')) {
        return Err("what names it holds the character U+0000");
    }
    Ok(ProviderEvent {
        id: event.id,
        kind: event.r#type,
        object_id,
        object_type,
        api_version: event.api_version,
        livemode: event.livemode,
        created_at: DateTime::from_timestamp(event.created, 0).ok_or("its time of creation is out of range")?,
        payload: storable(text).into_owned(),
    })
}

/// JSON as PostgreSQL can keep it: there is no U+0000 in its texts and no half of a surrogate pair, each of which JSON
/// can write down and somebody may have typed into a name. In their place stands U+FFFD, which is what it is for. Takes
/// JSON that was read before.
fn storable(json: &str) -> Cow<'_, str> {
    const ESCAPE: usize = "\\uXXXX".len();
    let unit_at = |at: usize| -> Option<u16> {
        let digits = json.get(at..at + ESCAPE)?.strip_prefix("\\u")?;
        u16::from_str_radix(digits, 16).ok()
    };
    let mut kept = String::new();
    let (mut copied, mut at) = (0, 0);
    // A backslash begins an escape, and the character after it belongs to that: `\\u0000` is a backslash and five letters.
    while let Some(found) = json.get(at..).and_then(|rest| rest.find('\\')) {
        at += found;
        let Some(unit) = unit_at(at) else {
            at += 2;
            continue;
        };
        let is_pair = matches!(unit, 0xD800..0xDC00) && matches!(unit_at(at + ESCAPE), Some(0xDC00..0xE000));
        if unit == 0 || (matches!(unit, 0xD800..0xE000) && !is_pair) {
            kept.push_str(json.get(copied..at).unwrap_or_default());
            kept.push_str("\\ufffd");
            copied = at + ESCAPE;
        }
        at += if is_pair { 2 * ESCAPE } else { ESCAPE };
    }
    if copied == 0 {
        return Cow::Borrowed(json);
    }
    kept.push_str(json.get(copied..).unwrap_or_default());
    Cow::Owned(kept)
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
                let text = event.to_string();
                let read = serde_json::from_value(event).map_err(|error| error.to_string());
                match read.and_then(|event| event_of(event, &text).map_err(str::to_owned)) {
                    Ok(event) => Some(event),
                    Err(reason) => {
                        tracing::warn!(reason, "an event in Stripe's list cannot be read and is passed over");
                        None
                    }
                }
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
    fn a_name_that_only_looks_like_the_character_nul_is_kept_as_it_is() {
        // What somebody typed: a backslash, a letter and four digits.
        let body = br#"{"id":"evt_1","type":"invoice.paid","data":{"object":{"customer_name":"\\u0000 \\\\u0000"}}}"#;
        assert_eq!(read(body).unwrap().payload.as_bytes(), body);
    }

    #[test]
    fn what_postgresql_cannot_keep_is_replaced() {
        for (written, kept) in [
            (r"a\u0000b", r"a\ufffdb"),
            (r"\u0000\u0000", r"\ufffd\ufffd"),
            (r"\\\u0000", r"\\\ufffd"),
            (r"\\u0000\n\u0000", r"\\u0000\n\ufffd"),
            (r"\ud83e\udd96", r"\ud83e\udd96"),
            (r"\uD83E", r"\ufffd"),
            (r"\udd96\ud83e\ud83e\udd96", r"\ufffd\ufffd\ud83e\udd96"),
            (r"\u00e9 é 🦖", r"\u00e9 é 🦖"),
        ] {
            let event = |name| format!(r#"{{"id":"evt_1","type":"x","data":{{"object":{{"name":"{name}"}}}}}}"#);
            let read = read(event(written).as_bytes()).unwrap();
            assert_eq!(read.payload, event(kept), "{written}");
        }
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
