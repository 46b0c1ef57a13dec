//! Which mails a person wants. What concerns the security of the account is not among them: nobody can switch it off.

use serde::{Deserialize, Serialize};

/// The choices of one person; what was never chosen is as it is for everybody.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Notifications {
    /// Somebody signed in from a browser that was not seen before.
    pub new_device: bool,
    /// A tenant runs.
    pub tenant_ready: bool,
    /// A payment did not go through.
    pub payment_failed: bool,
    /// News about the product.
    pub product_news: bool,
}

impl Default for Notifications {
    fn default() -> Self {
        Self {
            new_device: true,
            tenant_ready: true,
            payment_failed: true,
            product_news: false,
        }
    }
}

/// Choices that change; the others stay.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct NotificationChange {
    /// See [`Notifications::new_device`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub new_device: Option<bool>,
    /// See [`Notifications::tenant_ready`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tenant_ready: Option<bool>,
    /// See [`Notifications::payment_failed`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub payment_failed: Option<bool>,
    /// See [`Notifications::product_news`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub product_news: Option<bool>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_never_chosen_has_its_default() {
        let chosen: Notifications = serde_json::from_str(r#"{"new_device":false,"a_former_choice":true}"#).unwrap();
        assert_eq!(
            chosen,
            Notifications {
                new_device: false,
                ..Notifications::default()
            }
        );
    }
}
