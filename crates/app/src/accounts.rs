//! People sign up, confirm, sign in and out, change what is known of them, and leave; operators have their own door.

mod avatar;
mod avatar_image;
mod challenge;
mod change_email;
mod change_password;
mod confirm;
mod delete_account;
mod devices;
mod first_operator;
mod forgot_password;
mod impersonation;
mod oidc;
mod opaque_token;
mod operator_accounts;
mod operator_devices;
mod operator_enrolment;
mod operator_passwords;
mod operator_sign_in;
mod operators;
mod own_second_factor;
mod own_sessions;
mod password_hasher;
mod profile;
mod request_rate;
mod resend;
mod reset_password;
mod second_factor;
mod session;
mod sign_in;
mod sign_up;
mod step_up;
mod strength;
mod throttle;
mod tokens;
mod user_directory;

pub use avatar::{Avatar, SetAvatarError, find_avatar, remove_avatar, set_avatar};
pub use avatar_image::{InvalidImage, MAX_PIXELS};
pub use challenge::{ChallengeError, StartedChallenge};
pub use change_email::{
    ChangeEmailError, ConfirmEmailError, NewEmailLink, change_email, confirm_email, find_new_email,
};
pub use change_password::{ChangePasswordError, change_password};
pub use confirm::{ConfirmError, Confirmed, SignUpLink, confirm, find_sign_up};
pub use delete_account::{DeleteAccountError, delete_account};
pub use devices::KnownBrowser;
pub use first_operator::{
    FirstOperatorError, FirstOperatorLink, create_first_operator, first_operator_link, has_no_operator,
};
pub use forgot_password::forgot_password;
pub use impersonation::{StartedImpersonation, view_as};
pub use oidc::{
    AuthorizeError, Client, ClientSecret, CodeRequest, CodeTokens, ExchangeError, LogoutHint, ProductToken,
    RedeemError, Redemption, Redirect, RedirectKind, TokenRateError, UserInfo, admit_token_request,
    authentication_time, end_hinted_session, exchange, find_client, find_redirect, issue_code, read_hint, redeem,
    renew_client_secret, userinfo,
};
pub use opaque_token::OpaqueToken;
pub use operator_accounts::{
    Caretaker, FactorReset, ManageOperatorError, OperatorAccount, disable_operator, enable_operator, find_operator,
    list_operators, reset_operator_second_factor, set_operator_role,
};
pub use operator_enrolment::EnrolmentLink;
pub use operator_passwords::{OperatorPasswordError, change_operator_password, set_operator_password};
pub use operator_sign_in::{
    OperatorSignIn, SetUpOperatorError, confirm_operator_totp, set_up_operator_totp, sign_in_operator,
    sign_in_operator_with_second_factor,
};
pub use operators::{
    CreateOperatorError, OperatorSession, StartedOperatorSession, create_operator, find_operator_session,
    sign_out_operator,
};
pub use own_second_factor::{
    SecondFactorError, SecondFactorStatus, confirm_totp, remove_totp, renew_recovery_codes, second_factor_status,
    set_up_totp,
};
pub use own_sessions::{SessionSummary, end_other_sessions, end_session, list_sessions};
pub use password_hasher::{HashingError, PasswordHasher, PasswordParameters, Verdict};
pub use profile::{Profile, ProfileChange, change_profile, get_profile};
pub use resend::{AskForMailError, resend_confirmation};
pub use reset_password::{ResetPasswordError, reset_password};
pub use second_factor::{RecoveryCodes, TotpSetup};
pub use session::{Impersonation, StartedSession, UserSession, Visitor, find_session, sign_out};
pub use sign_in::{SignIn, SignInError, sign_in, sign_in_with_second_factor};
pub use sign_up::{SignUp, SignUpBrowser, SignUpError, sign_up};
pub use step_up::{Proof, StepUpError, StepUpRequired, require_recent_proof, step_up};
pub use strength::{EstimateError, Strength, password_strength};
pub use tokens::{
    BearerSession, KeyError, RefreshError, RevokedKey, SigningKey, Tokens, find_bearer_session, find_token_session,
    follow_keys, jwks, keep_keys_fresh, list_keys, refresh, revoke_key, rotate_keys,
};
pub use user_directory::{
    Slice, UserDetail, UserSessionSummary, UserSummary, end_user_session, end_user_sessions, find_user, find_user_id,
    list_user_sessions, list_users,
};

pub(crate) use oidc::{register as register_client, retire as retire_client};
pub(crate) use request_rate::admit as admit_request;
pub(crate) use throttle::subject as counted_subject;
pub(crate) use tokens::KeyRing;
