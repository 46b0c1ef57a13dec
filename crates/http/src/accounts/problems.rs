//! The kinds of problem of this area.

crate::problem_kinds! {
    INVALID_CREDENTIALS = 401 "invalid_credentials": "The address or the password is wrong", "Check both; if you signed up just now, confirm by the link in the mail first.";
    CODE_INVALID = 401 "code_invalid": "The code is wrong", "Wait for the next code of your app, each is taken once; or use a recovery code that you have not used.";
    CHALLENGE_EXPIRED = 410 "challenge_expired": "The sign-in took too long", "Sign in with your password again; a code is to follow within five minutes, and five may be wrong.";
    SECOND_FACTOR_REQUIRED = 403 "second_factor_required": "A second factor is required", "Set one up at /me/second-factor/totp; the organization lets nobody in without one.";
    SECOND_FACTOR_IN_DEMAND = 409 "second_factor_in_demand": "An organization requires a second factor", "Keep it, move it to another app, or leave the organization first.";
    SECOND_FACTOR_NOT_SET_UP = 404 "second_factor_not_set_up": "There is no second factor", "Set one up first.";
    STEP_UP_REQUIRED = 403 "step_up_required": "Prove again who you are", "Send your password, or a code of your second factor, to /auth/step-up, then repeat the call.";
    REFRESH_TOKEN_INVALID = 401 "refresh_token_invalid": "The refresh token is not good any more", "Sign in again; if nobody ended the session, somebody else may have had the token.";
    TOO_MANY_ATTEMPTS = 429 "too_many_attempts": "Too many attempts", "Wait as long as Retry-After says, then try again.";
    LINK_EXPIRED = 410 "link_expired": "The link does not work any more", "It was used, is too old, or a newer one was sent. Ask for a new one.";
    LINK_UNKNOWN = 404 "link_unknown": "The link is not known", "Copy the whole link from the mail, or ask for a new one.";
    SOLE_OWNER = 409 "sole_owner": "You are the only owner of an organization", "Hand each organization over to somebody else, or delete it; then delete your account.";
}
