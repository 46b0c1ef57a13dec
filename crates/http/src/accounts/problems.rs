//! The kinds of problem of this area.

crate::problem_kinds! {
    INVALID_CREDENTIALS = 401 "invalid_credentials": "The address or the password is wrong", "Check both; if you signed up just now, confirm by the link in the mail first.";
    STEP_UP_REQUIRED = 403 "step_up_required": "Prove again who you are", "Send your password, or a code of your second factor, to /auth/step-up, then repeat the call.";
    REFRESH_TOKEN_INVALID = 401 "refresh_token_invalid": "The refresh token is not good any more", "Sign in again; if nobody ended the session, somebody else may have had the token.";
    TOO_MANY_ATTEMPTS = 429 "too_many_attempts": "Too many attempts", "Wait as long as Retry-After says, then try again.";
    LINK_EXPIRED = 410 "link_expired": "The link does not work any more", "It was used or is older than a day. Sign in, or sign up again for a new one.";
    LINK_UNKNOWN = 404 "link_unknown": "The link is not known", "Copy the whole link from the mail, or sign up again for a new one.";
}
