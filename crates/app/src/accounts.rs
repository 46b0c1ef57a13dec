//! People sign up, confirm, sign in and out; operators have their own door.

mod confirm;
mod first_operator;
mod impersonation;
mod oidc;
mod opaque_token;
mod operator_accounts;
mod operators;
mod password_hasher;
mod session;
mod sign_in;
mod sign_up;
mod step_up;
mod strength;
mod throttle;
mod tokens;
mod user_directory;

pub use confirm::{ConfirmError, confirm};
pub use first_operator::{FirstOperatorError, FirstOperatorLink, create_first_operator, first_operator_link};
pub use impersonation::{StartedImpersonation, view_as};
pub use oidc::{
    AuthorizeError, Client, ClientSecret, CodeRequest, CodeTokens, ExchangeError, LogoutHint, ProductToken,
    RedeemError, Redemption, Redirect, RedirectKind, UserInfo, authentication_time, end_hinted_session, exchange,
    find_client, find_redirect, issue_code, read_hint, redeem, renew_client_secret, userinfo,
};
pub use opaque_token::OpaqueToken;
pub use operator_accounts::{
    Caretaker, ManageOperatorError, OperatorAccount, disable_operator, find_operator, list_operators,
    reset_operator_second_factor, set_operator_role,
};
pub use operators::{
    CreateOperatorError, OperatorSession, StartedOperatorSession, create_operator, find_operator_session,
    sign_in_operator, sign_out_operator,
};
pub use password_hasher::{HashingError, PasswordHasher, PasswordParameters, Verdict};
pub use session::{Impersonation, StartedSession, UserSession, Visitor, find_session, sign_out};
pub use sign_in::{SignInError, sign_in};
pub use sign_up::{SignUp, SignUpError, sign_up};
pub use step_up::{StepUpRequired, require_recent_proof};
pub use strength::{Strength, estimate};
pub use tokens::{
    BearerSession, KeyError, RefreshError, SigningKey, Tokens, find_bearer_session, find_token_session, jwks,
    keep_keys_fresh, list_keys, refresh, rotate_keys,
};
pub use user_directory::{
    Slice, UserDetail, UserSessionSummary, UserSummary, end_user_session, end_user_sessions, find_user, find_user_id,
    list_user_sessions, list_users,
};

pub(crate) use oidc::{register as register_client, retire as retire_client};
pub(crate) use tokens::KeyRing;
