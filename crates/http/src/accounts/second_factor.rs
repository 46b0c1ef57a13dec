//! `/me/second-factor`: one's own authenticator app and recovery codes.

pub mod confirm;
pub mod get;
pub mod recovery_codes;
pub mod remove;
pub mod set_up;

use garde::Validate;
use qrcode::{EcLevel, QrCode, render::svg};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use tenantry_app::accounts::{self, SecondFactorError};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::problems;
use crate::{
    AppState, Problem,
    body::rules,
    rate_limit::{self, RateLimit},
};

/// All endpoints of this part.
pub fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(get::get_second_factor))
        .routes(routes!(set_up::set_up_totp, remove::remove_totp))
        .routes(routes!(confirm::confirm_totp))
        .routes(routes!(recovery_codes::renew_recovery_codes))
}

/// What an authenticator app has to learn. It is shown this once.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = TotpSetup)]
pub struct TotpSetupView {
    /// For typing it into the app.
    #[schema(example = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ")]
    pub secret: String,
    /// What the QR code holds; opening it on a phone opens the app.
    pub otpauth_uri: String,
    /// The QR code, as a picture in SVG.
    pub qr_svg: String,
}

impl TotpSetupView {
    pub(crate) fn new(setup: &accounts::TotpSetup) -> Result<Self, Problem> {
        let address = setup.otpauth_uri.expose_secret();
        let code = QrCode::with_error_correction_level(address, EcLevel::M).map_err(Problem::internal)?;
        let picture = code.render::<svg::Color<'_>>().min_dimensions(240, 240).build();
        // The declaration belongs to a file, not to a picture inside of a page.
        let qr_svg = picture
            .split_once("?>")
            .map_or(picture.as_str(), |(_, element)| element)
            .to_owned();
        Ok(Self {
            secret: setup.secret.expose_secret().to_owned(),
            otpauth_uri: address.to_owned(),
            qr_svg,
        })
    }
}

/// A code of an authenticator app.
#[derive(Debug, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CodeRequest {
    /// Six digits.
    #[garde(custom(rules::second_factor_code))]
    #[schema(value_type = String, max_length = 50, example = "492039")]
    pub code: SecretString,
}

/// Codes to keep on paper. They are shown this once.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = RecoveryCodes)]
pub struct RecoveryCodesView {
    /// Each opens the door once.
    #[schema(example = json!(["7k2xq-9m4tz"]))]
    pub recovery_codes: Vec<String>,
}

impl From<accounts::RecoveryCodes> for RecoveryCodesView {
    fn from(codes: accounts::RecoveryCodes) -> Self {
        Self {
            recovery_codes: codes.show(),
        }
    }
}

fn refusal(error: SecondFactorError) -> Problem {
    match error {
        SecondFactorError::StepUp(required) => required.into(),
        SecondFactorError::CodeInvalid(left) => Problem::of(problems::CODE_INVALID).rate_limit(RateLimit(left)),
        SecondFactorError::TooManyAttempts(allowance) => rate_limit::used_up(allowance),
        SecondFactorError::NotSetUp => Problem::of(problems::SECOND_FACTOR_NOT_SET_UP),
        SecondFactorError::Required(demand) => Problem::new(
            problems::SECOND_FACTOR_IN_DEMAND,
            format!(
                "{} requires a second factor of its members. Move it to another app instead: set it up again.",
                demand.name
            ),
        ),
        SecondFactorError::Fault(fault) => fault.into(),
    }
}
