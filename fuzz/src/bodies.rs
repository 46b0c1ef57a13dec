//! Bodies of JSON, read as each of the forms that somebody may send who is not signed in, and as those of people.

use axum::{body::Body, extract::FromRequest};
use futures::FutureExt;
use http::{Request, header};
use serde::de::{DeserializeOwned, IgnoredAny};
use tenantry_http::{
    ValidJson,
    accounts::{
        forgot_password::ForgotPasswordRequest,
        login::LoginRequest,
        login_second_factor::SecondFactorRequest,
        me::{change_password::ChangePasswordRequest, update::UpdateProfileRequest},
        password_strength::PasswordStrengthRequest,
        refresh::RefreshRequest,
        register::RegisterRequest,
        reset_password::ResetPasswordRequest,
        step_up::StepUpRequest,
        verify_email::VerifyEmailRequest,
    },
    operator::auth::{first::FirstOperatorRequest, login::OperatorLoginRequest},
    organizations::{create::CreateOrganizationRequest, security::OrganizationSecurityRequest},
};

/// More than this is refused unread.
const LIMIT_BYTES: usize = 64 * 1024;

pub(crate) fn run(data: &[u8]) {
    let taken = [
        read::<ChangePasswordRequest>(data),
        read::<CreateOrganizationRequest>(data),
        read::<FirstOperatorRequest>(data),
        read::<ForgotPasswordRequest>(data),
        read::<LoginRequest>(data),
        read::<OperatorLoginRequest>(data),
        read::<OrganizationSecurityRequest>(data),
        read::<PasswordStrengthRequest>(data),
        read::<RefreshRequest>(data),
        read::<RegisterRequest>(data),
        read::<ResetPasswordRequest>(data),
        read::<SecondFactorRequest>(data),
        read::<StepUpRequest>(data),
        read::<UpdateProfileRequest>(data),
        read::<VerifyEmailRequest>(data),
    ];
    if taken.contains(&Ok(())) {
        assert!(data.len() <= LIMIT_BYTES);
        assert!(
            serde_json::from_slice::<IgnoredAny>(data).is_ok(),
            "taken, and no document"
        );
        assert!(data.trim_ascii().starts_with(b"{"), "taken, and no object");
    }
    let is_too_large = data.len() > LIMIT_BYTES;
    let is_document = serde_json::from_slice::<IgnoredAny>(data).is_ok();
    for status in taken.into_iter().filter_map(Result::err) {
        match status {
            413 => assert!(is_too_large),
            400 => assert!(!is_too_large),
            422 => assert!(is_document && !is_too_large, "values of what is no document"),
            other => panic!("refused with {other}"),
        }
    }
}

/// Whether the body is taken; the status of the refusal if not.
fn read<T: DeserializeOwned + garde::Validate<Context = ()>>(body: &[u8]) -> Result<(), u16> {
    let request = Request::post("/")
        .header(header::CONTENT_TYPE, "application/json")
        .body(Body::from(body.to_vec()))
        .unwrap();
    // The body is in memory: there is nothing to wait for.
    match ValidJson::<T>::from_request(request, &()).now_or_never() {
        Some(Ok(_)) => Ok(()),
        Some(Err(problem)) => Err(problem.kind().status),
        None => panic!("a body in memory is waited for"),
    }
}
