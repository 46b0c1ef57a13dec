//! Typed identifiers: a UUIDv7 inside, a readable prefix at the edge.
//!
//! The text form is the prefix, an underscore, and the 128 bits as 26 characters of lower-case Crockford base32 (the
//! form known as TypeID): `org_01jd3r8v6yf3qb5c1zk3s9x0aa`. It sorts by time of creation, as the UUID does.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};
use uuid::Uuid;

const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
const ENCODED_LENGTH: usize = 26;

/// Why a text is not an identifier of the expected kind.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not an identifier of the form {expected_prefix}_…")]
pub struct InvalidId {
    /// The prefix that the expected kind carries.
    pub expected_prefix: &'static str,
}

/// Encodes 128 bits as 26 characters: two zero bits in front, then five bits a character.
fn encode(id: Uuid) -> String {
    let bits = id.as_u128();
    (0..ENCODED_LENGTH)
        .map(|position| {
            let shift = 5 * (ENCODED_LENGTH - 1 - position);
            char::from(ALPHABET[((bits >> shift) & 31) as usize])
        })
        .collect()
}

/// The reverse of [`encode`]; `None` for another length, another letter, or more than 128 bits.
fn decode(text: &str) -> Option<Uuid> {
    if text.len() != ENCODED_LENGTH || text.as_bytes()[0] > b'7' {
        return None;
    }
    text.bytes()
        .try_fold(0_u128, |bits, letter| {
            let value = ALPHABET.iter().position(|candidate| *candidate == letter)?;
            Some((bits << 5) | value as u128)
        })
        .map(Uuid::from_u128)
}

macro_rules! typed_ids {
    ($($(#[$doc:meta])* $name:ident = $prefix:literal;)+) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Uuid);

        impl $name {
            /// What stands before the underscore in the text form.
            pub const PREFIX: &'static str = $prefix;

            /// Takes the UUID that the database holds.
            #[must_use]
            pub const fn from_uuid(id: Uuid) -> Self {
                Self(id)
            }

            /// The UUID as the database holds it.
            #[must_use]
            pub const fn uuid(self) -> Uuid {
                self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!($prefix, "_{}"), encode(self.0))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }

        impl FromStr for $name {
            type Err = InvalidId;

            fn from_str(text: &str) -> Result<Self, InvalidId> {
                text.strip_prefix(concat!($prefix, "_"))
                    .and_then(decode)
                    .map(Self)
                    .ok_or(InvalidId { expected_prefix: $prefix })
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
                text.parse().map_err(D::Error::custom)
            }
        }
    )+};
}

typed_ids! {
    /// A person who signs in.
    UserId = "usr";
    /// A customer: the team that pays and owns everything below it.
    OrganizationId = "org";
    /// One log-in of a user or of an operator.
    SessionId = "ses";
    /// A person who runs this installation.
    OperatorId = "opr";
    /// One version of a plan, as it was sold.
    PlanVersionId = "plv";
    /// What one plan version costs for one interval in one currency.
    PriceId = "prc";
    /// An organization's contract for a plan.
    SubscriptionId = "sub";
    /// One attempt to buy.
    CheckoutId = "chk";
    /// One running, isolated instance of a dedicated product.
    TenantId = "ten";
    /// A Kubernetes cluster that tenants run on.
    ClusterId = "clu";
    /// One durable change to a tenant.
    OperationId = "op";
    /// One piece of background work.
    JobId = "job";
    /// One line of the audit log.
    AuditEventId = "aud";
    /// One sealed secret.
    SecretId = "sec";
    /// This database and everything that belongs to it.
    InstallationId = "ins";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_form_is_stable() {
        let id = TenantId::from_uuid(Uuid::from_u128(0x0188_bac7_4afa_78aa_bc3b_bd1e_ef28_d881));
        assert_eq!(id.to_string(), "ten_01h2xcejqtf2nbrexx3vqjhp41");
        assert_eq!("ten_01h2xcejqtf2nbrexx3vqjhp41".parse(), Ok(id));
    }

    #[test]
    fn another_kind_is_refused() {
        let id = TenantId::from_uuid(Uuid::from_u128(7));
        assert!(id.to_string().parse::<OrganizationId>().is_err());
    }

    #[test]
    fn malformed_text_is_refused() {
        for text in [
            "",
            "ten_",
            "ten_01h2xcejqtf2nbrexx3vqjhp4",
            "ten_81h2xcejqtf2nbrexx3vqjhp41",
            "ten_01h2xcejqtf2nbrexx3vqjhpé",
        ] {
            assert!(text.parse::<TenantId>().is_err(), "{text}");
        }
    }

    proptest::proptest! {
        #[test]
        fn every_id_survives_its_text_form(bits: u128) {
            let id = OrganizationId::from_uuid(Uuid::from_u128(bits));
            proptest::prop_assert_eq!(id.to_string().parse(), Ok(id));
        }
    }
}
