//! `/me`: what people see and change of themselves.

pub mod change_email;
pub mod change_password;
pub mod delete_account;
pub mod delete_avatar;
pub mod get;
pub mod get_avatar;
pub mod put_avatar;
pub mod update;

use chrono::{DateTime, Utc};
use serde::Serialize;
use tenantry_app::accounts::Profile;
use tenantry_domain::accounts::Notifications;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::AppState;

/// All endpoints of this area.
pub(super) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(get::get_profile, update::update_profile))
        .routes(routes!(
            get_avatar::get_avatar,
            put_avatar::put_avatar,
            delete_avatar::delete_avatar
        ))
        .routes(routes!(change_email::change_email))
        .routes(routes!(change_password::change_password))
        .routes(routes!(delete_account::delete_account))
}

/// Which mails a person wants. Mails about the security of the account are sent to everybody.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Notifications)]
pub struct NotificationsView {
    /// Somebody signed in from a browser that was not seen before.
    pub new_device: bool,
    /// A tenant runs.
    pub tenant_ready: bool,
    /// A payment did not go through.
    pub payment_failed: bool,
    /// News about the product.
    pub product_news: bool,
}

impl From<Notifications> for NotificationsView {
    fn from(notifications: Notifications) -> Self {
        let Notifications {
            new_device,
            tenant_ready,
            payment_failed,
            product_news,
        } = notifications;
        Self {
            new_device,
            tenant_ready,
            payment_failed,
            product_news,
        }
    }
}

/// A person, as they see themselves.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Profile)]
pub struct ProfileView {
    /// The user.
    #[schema(example = "usr_01jd3r8v6yf3qb5c1zk3s9x0aa")]
    pub id: String,
    /// Their address.
    #[schema(example = "ada@example.org")]
    pub email: String,
    /// Their name.
    #[schema(example = "Ada Lovelace")]
    pub name: String,
    /// The language they read: a tag of BCP 47.
    #[schema(example = "en")]
    pub locale: String,
    /// Where their day begins: a name of the IANA time zone database.
    #[schema(example = "Europe/Vienna")]
    pub time_zone: String,
    /// Where their picture is, if they have one; another one has another address.
    #[schema(example = "/api/v1/me/avatar?v=2f0c1d5e")]
    pub avatar_url: Option<String>,
    /// Which mails they want.
    pub notifications: NotificationsView,
    /// Whether a second factor is asked for when they sign in.
    pub second_factor: bool,
    /// When the account became live.
    pub created_at: DateTime<Utc>,
}

impl From<&Profile> for ProfileView {
    fn from(profile: &Profile) -> Self {
        Self {
            id: profile.user.to_string(),
            email: profile.email.clone(),
            name: profile.name.clone(),
            locale: profile.locale.clone(),
            time_zone: profile.time_zone.clone(),
            avatar_url: profile.avatar.as_deref().map(avatar_url),
            notifications: profile.notifications.into(),
            second_factor: profile.second_factor,
            created_at: profile.created_at,
        }
    }
}

/// The address of the caller's own picture with this SHA-256.
pub(crate) fn avatar_url(sha256: &[u8]) -> String {
    let version = hex::encode(sha256.get(..8).unwrap_or_default());
    format!("{}/me/avatar?v={version}", crate::router::API)
}
