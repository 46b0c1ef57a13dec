//! People sign up, confirm, sign in and out; operators have their own door.

mod confirm;
mod opaque_token;
mod operators;
mod password_hasher;
mod session;
mod sign_in;
mod sign_up;
mod step_up;
mod strength;
mod throttle;

pub use confirm::{ConfirmError, confirm};
pub use opaque_token::OpaqueToken;
pub use operators::{
    CreateOperatorError, OperatorSession, StartedOperatorSession, create_operator, find_operator_session,
    sign_in_operator, sign_out_operator,
};
pub use password_hasher::{HashingError, PasswordHasher, PasswordParameters, Verdict};
pub use session::{StartedSession, UserSession, Visitor, find_session, sign_out};
pub use sign_in::{SignInError, sign_in};
pub use sign_up::{SignUp, SignUpError, sign_up};
pub use step_up::{StepUpRequired, require_recent_proof};
pub use strength::{Strength, estimate};
