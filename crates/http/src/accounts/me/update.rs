//! The caller's own profile is changed.

use axum::{Json, extract::State};
use garde::Validate;
use serde::Deserialize;
use tenantry_app::accounts::{self, ProfileChange};
use tenantry_domain::{
    accounts::{Locale, NotificationChange, TimeZone},
    display_name::DisplayName,
};
use utoipa::ToSchema;

use super::ProfileView;
use crate::{AppState, Problem, SignedIn, ValidJson, accounts::visitor::AtTheDoor, body::rules};

/// What changes; what is left out stays.
#[derive(Debug, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct UpdateProfileRequest {
    /// Your name.
    #[garde(inner(custom(rules::display_name)))]
    #[schema(min_length = 1, max_length = 200, example = "Ada Lovelace")]
    pub name: Option<String>,
    /// The language you read: a tag of BCP 47.
    #[garde(inner(custom(rules::locale)))]
    #[schema(min_length = 2, max_length = 35, example = "de-AT")]
    pub locale: Option<String>,
    /// Where your day begins: a name of the IANA time zone database.
    #[garde(inner(custom(rules::time_zone)))]
    #[schema(min_length = 1, max_length = 64, example = "Europe/Vienna")]
    pub time_zone: Option<String>,
    /// Which mails you want; what is left out stays.
    #[garde(skip)]
    pub notifications: Option<NotificationsRequest>,
}

/// Which mails you want.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NotificationsRequest {
    /// Somebody signed in from a browser that was not seen before.
    pub new_device: Option<bool>,
    /// A tenant runs.
    pub tenant_ready: Option<bool>,
    /// A payment did not go through.
    pub payment_failed: Option<bool>,
    /// News about the product.
    pub product_news: Option<bool>,
}

impl From<NotificationsRequest> for NotificationChange {
    fn from(request: NotificationsRequest) -> Self {
        let NotificationsRequest {
            new_device,
            tenant_ready,
            payment_failed,
            product_news,
        } = request;
        Self {
            new_device,
            tenant_ready,
            payment_failed,
            product_news,
        }
    }
}

impl UpdateProfileRequest {
    fn change(self) -> Result<ProfileChange, Problem> {
        let parsed =
            |pointer: &'static str| move |code: &'static str, detail: String| Problem::field(pointer, code, detail);
        let (name, locale, time_zone) = (parsed("/name"), parsed("/locale"), parsed("/time_zone"));
        Ok(ProfileChange {
            name: self
                .name
                .map(|text| DisplayName::parse(&text).map_err(|error| name(error.code(), error.to_string())))
                .transpose()?,
            locale: self
                .locale
                .map(|text| Locale::parse(&text).map_err(|error| locale(error.code(), error.to_string())))
                .transpose()?,
            time_zone: self
                .time_zone
                .map(|text| TimeZone::parse(&text).map_err(|error| time_zone(error.code(), error.to_string())))
                .transpose()?,
            notifications: self.notifications.map(NotificationChange::from).unwrap_or_default(),
        })
    }
}

/// Changes your profile.
#[utoipa::path(
    patch, path = "/me", tag = "accounts", security(("session" = [])), request_body = UpdateProfileRequest,
    responses((status = 200, description = "The profile as it is now", body = ProfileView))
)]
pub(super) async fn update_profile(
    State(state): State<AppState>,
    signed_in: SignedIn,
    AtTheDoor(visitor): AtTheDoor,
    ValidJson(request): ValidJson<UpdateProfileRequest>,
) -> Result<Json<ProfileView>, Problem> {
    let change = request.change()?;
    let profile = accounts::change_profile(&state.app, &signed_in.session, &change, &visitor).await?;
    Ok(Json(ProfileView::from(&profile)))
}
