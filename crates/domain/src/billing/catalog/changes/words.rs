//! Catalog changes in the words that `catalog plan` prints.

use std::fmt;

use super::{super::Existing, CatalogChange};

impl CatalogChange {
    /// `+` for something new, `~` for something that changes, `-` for something that goes.
    #[must_use]
    pub fn sign(&self) -> char {
        match self {
            Self::AddProduct { .. } | Self::AddPlan { .. } | Self::AddPrice { .. } => '+',
            Self::SyncProviderProduct { exists: false, .. }
            | Self::SyncProviderPrice { adopts: None, .. }
            | Self::SyncWebhook { endpoint: None, .. } => '+',
            Self::RetireProduct { .. } | Self::RetirePlan { .. } | Self::RetirePrice { .. } => '-',
            _ => '~',
        }
    }

    /// `ledger`, or `provider` for what is changed at the payment provider.
    #[must_use]
    pub fn place(&self) -> &'static str {
        match self {
            Self::SyncProviderProduct { .. } | Self::SyncProviderPrice { .. } | Self::SyncWebhook { .. } => "provider",
            _ => "ledger",
        }
    }
}

impl fmt::Display for CatalogChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AddProduct { product } => write!(f, "product {}: new", product.key),
            Self::UpdateProduct { product, fields } => {
                write!(f, "product {}: {} changed", product.key, fields.join(", "))
            }
            Self::RetireProduct { product } => write!(f, "product {product}: no longer sold"),
            Self::AddPlan { product, plan, .. } => write!(f, "plan {product}/{plan}: new, version 1"),
            Self::ChangePlan {
                product,
                plan,
                from_version,
                fields,
                existing,
                subscribers,
                ..
            } => {
                let to_version = from_version + 1;
                let who = |act| people(*subscribers, act);
                let fate = match (subscribers, existing) {
                    (0, _) => "nobody has it".to_owned(),
                    (_, Existing::Keep) => format!("{} what was bought", who("keep")),
                    (_, Existing::Move) => format!(
                        "{} to the new terms at the old price; what runs already keeps its bounds until it is made again",
                        who("move")
                    ),
                };
                write!(
                    f,
                    "plan {product}/{plan}: version {to_version} ({}); {fate}",
                    fields.join(", ")
                )
            }
            Self::RetirePlan {
                product,
                plan,
                subscribers: 0,
            } => {
                write!(f, "plan {product}/{plan}: no longer sold; nobody has it")
            }
            Self::RetirePlan {
                product,
                plan,
                subscribers,
            } => {
                write!(
                    f,
                    "plan {product}/{plan}: no longer sold; {} it",
                    people(*subscribers, "keep")
                )
            }
            Self::AddPrice {
                lookup_key,
                amount,
                interval,
                ..
            } => {
                write!(f, "price {lookup_key}: {amount} each {}", interval.as_str())
            }
            Self::RetirePrice {
                lookup_key,
                amount,
                replaced_by,
                subscribers,
                ..
            } => {
                write!(f, "price {lookup_key}: {amount} no longer sold")?;
                match replaced_by {
                    Some(new) if new == amount => write!(f, ", the same for the new version")?,
                    Some(new) => write!(f, ", {new} from now on")?,
                    None => {}
                }
                match subscribers {
                    0 => Ok(()),
                    _ => write!(f, "; {} paying it", people(*subscribers, "keep")),
                }
            }
            Self::SyncProviderProduct {
                provider_id,
                name,
                exists: false,
                ..
            } => {
                write!(f, "product {provider_id}: create as “{name}”")
            }
            Self::SyncProviderProduct { provider_id, name, .. } => {
                write!(f, "product {provider_id}: update, “{name}”")
            }
            Self::SyncProviderPrice {
                lookup_key,
                amount,
                interval,
                adopts: None,
            } => {
                write!(f, "price {lookup_key}: create, {amount} each {}", interval.as_str())
            }
            Self::SyncProviderPrice {
                lookup_key,
                adopts: Some(id),
                ..
            } => {
                write!(f, "price {lookup_key}: take over {id}")
            }
            Self::SyncWebhook {
                url,
                endpoint: None,
                reason,
            } => {
                write!(f, "webhook {url}: create, because {reason}")
            }
            Self::SyncWebhook { url, reason, .. } => write!(f, "webhook {url}: update, because {reason}"),
        }
    }
}

/// How many they are and what they do.
fn people(subscribers: i64, act: &str) -> String {
    match subscribers {
        1 => format!("1 subscriber {act}s"),
        n => format!("{n} subscribers {act}"),
    }
}
