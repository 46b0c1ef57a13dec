//! Every object that Stripe would keep, by type, newest last, with a few indexes so that lists stay fast.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// A type of object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub(crate) enum Kind {
    Charge,
    CheckoutSession,
    Customer,
    Event,
    Invoice,
    InvoicePayment,
    PaymentIntent,
    PaymentMethod,
    Price,
    Product,
    Refund,
    Subscription,
    WebhookEndpoint,
}

impl Kind {
    const ALL: [Self; 13] = [
        Self::Charge,
        Self::CheckoutSession,
        Self::Customer,
        Self::Event,
        Self::Invoice,
        Self::InvoicePayment,
        Self::PaymentIntent,
        Self::PaymentMethod,
        Self::Price,
        Self::Product,
        Self::Refund,
        Self::Subscription,
        Self::WebhookEndpoint,
    ];

    pub(crate) fn prefix(self) -> &'static str {
        match self {
            Self::Charge => "ch",
            Self::CheckoutSession => "cs_test",
            Self::Customer => "cus",
            Self::Event => "evt",
            Self::Invoice => "in",
            Self::InvoicePayment => "inpay",
            Self::PaymentIntent => "pi",
            Self::PaymentMethod => "pm",
            Self::Price => "price",
            Self::Product => "prod",
            Self::Refund => "re",
            Self::Subscription => "sub",
            Self::WebhookEndpoint => "we",
        }
    }

    /// The type that an identifier names.
    pub(crate) fn of_id(id: &str) -> Option<Self> {
        let (prefix, _) = id.rsplit_once('_')?;
        Self::ALL.into_iter().find(|kind| kind.prefix() == prefix)
    }

    /// The word for it in Stripe's error messages.
    pub(crate) fn noun(self) -> &'static str {
        match self {
            Self::Charge => "charge",
            Self::CheckoutSession => "checkout.session",
            Self::Customer => "customer",
            Self::Event => "event",
            Self::Invoice => "invoice",
            Self::InvoicePayment => "invoice_payment",
            Self::PaymentIntent => "payment_intent",
            Self::PaymentMethod => "PaymentMethod",
            Self::Price => "price",
            Self::Product => "product",
            Self::Refund => "refund",
            Self::Subscription => "subscription",
            Self::WebhookEndpoint => "webhook endpoint",
        }
    }

    pub(crate) fn list_url(self) -> &'static str {
        match self {
            Self::Charge => "/v1/charges",
            Self::CheckoutSession => "/v1/checkout/sessions",
            Self::Customer => "/v1/customers",
            Self::Event => "/v1/events",
            Self::Invoice => "/v1/invoices",
            Self::InvoicePayment => "/v1/invoice_payments",
            Self::PaymentIntent => "/v1/payment_intents",
            Self::PaymentMethod => "/v1/payment_methods",
            Self::Price => "/v1/prices",
            Self::Product => "/v1/products",
            Self::Refund => "/v1/refunds",
            Self::Subscription => "/v1/subscriptions",
            Self::WebhookEndpoint => "/v1/webhook_endpoints",
        }
    }

    /// JSON pointers by which lists of this type are often filtered.
    fn indexed(self) -> &'static [&'static str] {
        match self {
            Self::Charge | Self::Refund => &["/payment_intent"],
            Self::CheckoutSession => &["/customer", "/subscription", "/payment_intent"],
            Self::Invoice => &["/customer", "/parent/subscription_details/subscription"],
            Self::InvoicePayment => &["/invoice", "/payment/payment_intent"],
            Self::PaymentIntent | Self::PaymentMethod | Self::Subscription => &["/customer"],
            Self::Price => &["/product", "/lookup_key"],
            Self::Event => &["/type"],
            Self::Customer | Self::Product | Self::WebhookEndpoint => &[],
        }
    }
}

/// An object as the API shows it, and what Stripe would know about it without showing it.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Record {
    pub(crate) object: Value,
    #[serde(default, skip_serializing_if = "Value::is_null")]
    pub(crate) hidden: Value,
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct Collection {
    records: BTreeMap<u64, Record>,
    #[serde(skip)]
    position_of: HashMap<String, u64>,
    #[serde(skip)]
    index: HashMap<(&'static str, String), BTreeSet<u64>>,
}

/// The objects of the account.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Store {
    collections: BTreeMap<Kind, Collection>,
    next_position: u64,
}

impl Store {
    /// Rebuilds what a snapshot leaves out.
    pub(crate) fn rebuild_indexes(&mut self) {
        for (kind, collection) in &mut self.collections {
            for (position, record) in &collection.records {
                collection
                    .position_of
                    .insert(id_of(&record.object).to_owned(), *position);
                for key in index_keys(*kind, &record.object) {
                    collection.index.entry(key).or_default().insert(*position);
                }
            }
        }
    }

    pub(crate) fn record(&self, kind: Kind, id: &str) -> Option<&Record> {
        let collection = self.collections.get(&kind)?;
        collection.records.get(collection.position_of.get(id)?)
    }

    pub(crate) fn object(&self, kind: Kind, id: &str) -> Option<&Value> {
        self.record(kind, id).map(|record| &record.object)
    }

    /// Adds an object, or replaces the one with its id.
    pub(crate) fn put(&mut self, kind: Kind, object: Value, hidden: Value) {
        self.next_position += 1;
        let new_position = self.next_position;
        let collection = self.collections.entry(kind).or_default();
        let position = *collection
            .position_of
            .entry(id_of(&object).to_owned())
            .or_insert(new_position);
        if let Some(old) = collection.records.get(&position) {
            for key in index_keys(kind, &old.object) {
                if let Some(positions) = collection.index.get_mut(&key) {
                    positions.remove(&position);
                }
            }
        }
        for key in index_keys(kind, &object) {
            collection.index.entry(key).or_default().insert(position);
        }
        collection.records.insert(position, Record { object, hidden });
    }

    /// Changes what the API does not show of an object.
    pub(crate) fn edit_hidden(&mut self, kind: Kind, id: &str, edit: impl FnOnce(&mut Value)) {
        if let Some(collection) = self.collections.get_mut(&kind)
            && let Some(position) = collection.position_of.get(id)
            && let Some(record) = collection.records.get_mut(position)
        {
            edit(&mut record.hidden);
        }
    }

    pub(crate) fn remove(&mut self, kind: Kind, id: &str) {
        if let Some(collection) = self.collections.get_mut(&kind)
            && let Some(position) = collection.position_of.remove(id)
            && let Some(record) = collection.records.remove(&position)
        {
            for key in index_keys(kind, &record.object) {
                if let Some(positions) = collection.index.get_mut(&key) {
                    positions.remove(&position);
                }
            }
        }
    }

    pub(crate) fn position(&self, kind: Kind, id: &str) -> Option<u64> {
        self.collections.get(&kind)?.position_of.get(id).copied()
    }

    pub(crate) fn count(&self, kind: Kind) -> usize {
        self.collections
            .get(&kind)
            .map_or(0, |collection| collection.records.len())
    }

    /// All records of a type with their positions, oldest first; reversible.
    pub(crate) fn all(&self, kind: Kind) -> impl DoubleEndedIterator<Item = (u64, &Record)> {
        self.collections
            .get(&kind)
            .into_iter()
            .flat_map(|collection| collection.records.iter().map(|(position, record)| (*position, record)))
    }

    /// The records whose value at an indexed pointer is `value`, oldest first; `None` where that pointer has no index.
    pub(crate) fn by_index(&self, kind: Kind, pointer: &str, value: &str) -> Option<Vec<(u64, &Record)>> {
        let pointer = kind.indexed().iter().find(|indexed| **indexed == pointer)?;
        let Some(collection) = self.collections.get(&kind) else {
            return Some(Vec::new());
        };
        let positions = collection.index.get(&(*pointer, value.to_owned()));
        Some(
            positions
                .into_iter()
                .flatten()
                .filter_map(|position| collection.records.get(position).map(|record| (*position, record)))
                .collect(),
        )
    }
}

/// The id of an object that is in the store.
pub(crate) fn id_of(object: &Value) -> &str {
    object["id"].as_str().unwrap_or_default()
}

fn index_keys(kind: Kind, object: &Value) -> Vec<(&'static str, String)> {
    kind.indexed()
        .iter()
        .filter_map(|pointer| Some((*pointer, object.pointer(pointer)?.as_str()?.to_owned())))
        .collect()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{Kind, Store};

    #[test]
    fn indexes_follow_changes_and_survive_a_snapshot() {
        let mut store = Store::default();
        store.put(Kind::Price, json!({"id": "price_1", "lookup_key": "a"}), Value::Null);
        store.put(Kind::Price, json!({"id": "price_1", "lookup_key": "b"}), Value::Null);
        let found = |store: &Store, key| store.by_index(Kind::Price, "/lookup_key", key).unwrap().len();
        assert_eq!(
            (found(&store, "a"), found(&store, "b"), store.count(Kind::Price)),
            (0, 1, 1)
        );

        let text = serde_json::to_string(&store).unwrap();
        let mut copy: Store = serde_json::from_str(&text).unwrap();
        copy.rebuild_indexes();
        assert_eq!(found(&copy, "b"), 1);
        copy.remove(Kind::Price, "price_1");
        assert_eq!(found(&copy, "b"), 0);
    }

    #[test]
    fn an_id_names_its_type() {
        assert_eq!(Kind::of_id("cs_test_abc"), Some(Kind::CheckoutSession));
        assert_eq!(Kind::of_id("in_1"), Some(Kind::Invoice));
        assert_eq!(Kind::of_id("nonsense"), None);
    }
}
