//! People sign up, confirm, sign in and out, change what is known of them, and leave; operators have their own door.

mod avatar;
mod avatar_image;
mod change_email;
mod change_password;
mod confirm;
mod delete_account;
mod first_operator;
mod forgot_password;
mod impersonation;
mod opaque_token;
mod operator_accounts;
mod operators;
mod password_hasher;
mod profile;
mod resend;
mod reset_password;
mod session;
mod sign_in;
mod sign_up;
mod step_up;
mod strength;
mod throttle;
mod user_directory;

pub use avatar::{Avatar, SetAvatarError, find_avatar, remove_avatar, set_avatar};
pub use avatar_image::{InvalidImage, MAX_PIXELS};
pub use change_email::{ChangeEmailError, ConfirmEmailError, change_email, confirm_email};
pub use change_password::{ChangePasswordError, change_password};
pub use confirm::{ConfirmError, confirm};
pub use delete_account::{DeleteAccountError, delete_account};
pub use first_operator::{FirstOperatorError, FirstOperatorLink, create_first_operator, first_operator_link};
pub use forgot_password::forgot_password;
pub use impersonation::{StartedImpersonation, view_as};
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
pub use profile::{Profile, ProfileChange, change_profile, get_profile};
pub use resend::{AskForMailError, resend_confirmation};
pub use reset_password::{ResetPasswordError, reset_password};
pub use session::{Impersonation, StartedSession, UserSession, Visitor, find_session, sign_out};
pub use sign_in::{SignInError, sign_in};
pub use sign_up::{SignUp, SignUpError, sign_up};
pub use step_up::{StepUpRequired, require_recent_proof};
pub use strength::{Strength, estimate};
pub use user_directory::{
    Slice, UserDetail, UserSessionSummary, UserSummary, end_user_session, end_user_sessions, find_user, find_user_id,
    list_user_sessions, list_users,
};
