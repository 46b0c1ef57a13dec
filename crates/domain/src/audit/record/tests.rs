use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;

/// What a row is made of, owned.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Row {
    chain: u128,
    seq: i64,
    prev_hash: [u8; 32],
    id: u128,
    organization: Option<u128>,
    user: Option<u128>,
    action: String,
    actor: String,
    sealed_personal: Option<Vec<u8>>,
    target: Option<String>,
    body: String,
    at_micros: i64,
}

impl Row {
    fn position(&self) -> Position {
        Position {
            chain: Uuid::from_u128(self.chain),
            seq: self.seq,
            prev_hash: ChainHash(self.prev_hash),
        }
    }

    fn record(&self) -> Record<'_> {
        Record {
            id: Uuid::from_u128(self.id),
            organization: self.organization.map(Uuid::from_u128),
            user: self.user.map(Uuid::from_u128),
            action: &self.action,
            actor: &self.actor,
            sealed_personal: self.sealed_personal.as_deref(),
            target: self.target.as_deref(),
            body: &self.body,
            at_micros: self.at_micros,
        }
    }

    fn encode(&self) -> Vec<u8> {
        encode(&self.record(), &self.position())
    }

    fn hash(&self) -> String {
        hash(&self.record(), &self.position()).to_string()
    }
}

/// Reads parts behind their lengths.
fn parts(mut bytes: &[u8]) -> Vec<Vec<u8>> {
    let mut parts = Vec::new();
    while !bytes.is_empty() {
        let (length, rest) = bytes.split_first_chunk::<8>().unwrap();
        let (part, rest) = rest.split_at(usize::try_from(u64::from_be_bytes(*length)).unwrap());
        parts.push(part.to_vec());
        bytes = rest;
    }
    parts
}

/// The row of an encoding.
fn decode(bytes: &[u8]) -> Row {
    let parts = parts(bytes);
    let (form, fields) = parts.split_first().unwrap();
    assert_eq!(form, FORM.as_bytes());
    let fields: BTreeMap<String, Vec<u8>> = fields
        .as_chunks::<2>()
        .0
        .iter()
        .map(|[name, value]| (String::from_utf8(name.clone()).unwrap(), value.clone()))
        .collect();
    let text = |name: &str| fields.get(name).map(|value| String::from_utf8(value.clone()).unwrap());
    let id = |name: &str| {
        fields
            .get(name)
            .map(|value| u128::from_be_bytes(value.as_slice().try_into().unwrap()))
    };
    let number = |name: &str| i64::from_be_bytes(fields[name].as_slice().try_into().unwrap());
    Row {
        chain: id("chain").unwrap(),
        seq: number("seq"),
        prev_hash: fields["prev_hash"].as_slice().try_into().unwrap(),
        id: id("id").unwrap(),
        organization: id("organization_id"),
        user: id("user_id"),
        action: text("action").unwrap(),
        actor: text("actor").unwrap(),
        sealed_personal: fields.get("sealed_personal").cloned(),
        target: text("target"),
        body: text("body").unwrap(),
        at_micros: number("at"),
    }
}

/// Short texts of few letters, so that one column's end is often another one's beginning; a column's name among them.
fn text() -> impl Strategy<Value = String> {
    prop_oneof!["[ab]{0,3}", Just("target".to_owned()), any::<String>()]
}

fn rows() -> impl Strategy<Value = Row> {
    let place = (0_u128..3, 1_i64..4, prop_oneof![Just([0; 32]), any::<[u8; 32]>()]);
    let ids = (any::<u128>(), any::<Option<u128>>(), proptest::option::of(0_u128..3));
    let words = (
        text(),
        text(),
        proptest::option::of(proptest::collection::vec(any::<u8>(), 0..4)),
        proptest::option::of(text()),
        text(),
    );
    (place, ids, words, any::<i64>()).prop_map(|(place, ids, words, at_micros)| Row {
        chain: place.0,
        seq: place.1,
        prev_hash: place.2,
        id: ids.0,
        organization: ids.1,
        user: ids.2,
        action: words.0,
        actor: words.1,
        sealed_personal: words.2,
        target: words.3,
        body: words.4,
        at_micros,
    })
}

proptest! {
    /// What can be read back was written by one row only.
    #[test]
    fn an_encoding_is_of_one_row_only(row in rows()) {
        prop_assert_eq!(decode(&row.encode()), row);
    }

    #[test]
    fn two_rows_have_one_encoding_only_when_they_are_the_same(one in rows(), other in rows()) {
        prop_assert_eq!(one.encode() == other.encode(), one == other);
    }

    /// Letters that move from the end of one column to the beginning of the next.
    #[test]
    fn a_border_that_moves_is_seen(row in rows(), words in "[ab]{1,6}", cuts in (0_usize..7, 0_usize..7)) {
        let cut = |at: usize| {
            let (action, actor) = words.split_at(at.min(words.len()));
            Row { action: action.to_owned(), actor: actor.to_owned(), ..row.clone() }
        };
        let (one, other) = (cut(cuts.0), cut(cuts.1));
        prop_assert_eq!(one.encode() == other.encode(), one == other);
    }

    #[test]
    fn a_hash_survives_its_text(bytes: [u8; 32]) {
        let hash = ChainHash(bytes);
        prop_assert_eq!(hash.to_string().parse(), Ok(hash));
    }
}

fn sample() -> Row {
    Row {
        chain: 2,
        seq: 1,
        prev_hash: [0; 32],
        id: 1,
        organization: Some(2),
        user: Some(3),
        action: "session.started".to_owned(),
        actor: "usr_00000000000000000000000003".to_owned(),
        sealed_personal: Some(vec![0, 1, 2, 255]),
        target: Some("Käfer".to_owned()),
        body: r#"{"n": 1.00, "method": "password"}"#.to_owned(),
        at_micros: 1_767_225_600_000_001,
    }
}

/// Made with another program from the description: rows that were sealed have to verify for ever.
#[test]
fn hashes_stay_what_they_are() {
    let first = sample();
    assert_eq!(
        first.hash(),
        "7a11432c1a1a43857e2bc8222b62173e0619966d90cbc9d973374ea60e701c32"
    );
    let second = Row {
        chain: 0,
        seq: 2,
        prev_hash: hash(&first.record(), &first.position()).0,
        id: 4,
        organization: None,
        user: None,
        action: "signing_key.made".to_owned(),
        actor: "schedule".to_owned(),
        sealed_personal: None,
        target: None,
        body: "{}".to_owned(),
        at_micros: -1,
    };
    assert_eq!(
        second.hash(),
        "0b10b7feafc88b94eded0c1342e334725508cc9ceaac0db2f5ee49d8dbc9b3ca"
    );
}

#[test]
fn every_listed_column_is_encoded() {
    let encoded: Vec<String> = parts(&sample().encode())[1..]
        .iter()
        .step_by(2)
        .map(|name| String::from_utf8(name.clone()).unwrap())
        .collect();
    assert_eq!(encoded, ENCODED_COLUMNS);
}

#[test]
fn what_is_no_hash_is_refused() {
    for text in [
        "",
        "00",
        &"0".repeat(63),
        &"0".repeat(65),
        &"g".repeat(64),
        &"é".repeat(32),
    ] {
        assert_eq!(text.parse::<ChainHash>(), Err(InvalidHash), "{text}");
    }
}
