//! The account itself and its balance: enough for a client to see that its key is good.

use serde_json::{Value, json};

use crate::errors::ApiError;
use crate::routes::Call;
use crate::state::State;
use crate::store::Kind;

pub(crate) fn retrieve(_: &mut State, _: &Call) -> Result<Value, ApiError> {
    Ok(json!({
        "id": "acct_standin0000001",
        "object": "account",
        "business_type": "company",
        "charges_enabled": true,
        "country": "DE",
        "created": 1_700_000_000,
        "default_currency": "eur",
        "details_submitted": true,
        "email": "stripe-stand-in@localhost",
        "metadata": {},
        "payouts_enabled": true,
        "type": "standard",
    }))
}

pub(crate) fn balance(state: &mut State, _: &Call) -> Result<Value, ApiError> {
    let collected: i64 = state
        .store
        .all(Kind::Charge)
        .filter(|(_, record)| record.object["status"] == "succeeded" && record.object["currency"] == "eur")
        .filter_map(|(_, record)| record.object["amount"].as_i64())
        .sum();
    Ok(json!({
        "object": "balance",
        "available": [{"amount": collected, "currency": "eur", "source_types": {"card": collected}}],
        "livemode": false,
        "pending": [{"amount": 0, "currency": "eur", "source_types": {"card": 0}}],
    }))
}
