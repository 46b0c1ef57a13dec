//! The kinds of problem that any endpoint can answer with. An area lists its own beside its endpoints, by the same
//! macro; codes are stable, clients branch on them.

use http::StatusCode;

/// What stays the same between two problems of one kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ProblemKind {
    /// The HTTP status.
    pub status: u16,
    /// What clients branch on.
    pub code: &'static str,
    /// A few words for people.
    pub title: &'static str,
    /// What to do, unless the occurrence knows better.
    pub advice: &'static str,
}

impl From<ProblemKind> for StatusCode {
    fn from(kind: ProblemKind) -> Self {
        Self::from_u16(kind.status).unwrap_or(Self::INTERNAL_SERVER_ERROR)
    }
}

/// Declares kinds as constants, and all of them together as `ALL`:
/// `NAME_TAKEN = 409 "name_taken": "The name is taken", "Choose another name.";`
#[macro_export]
macro_rules! problem_kinds {
    ($($name:ident = $status:literal $code:literal: $title:literal, $advice:literal;)+) => {
        $(
            #[doc = concat!($status, " `", $code, "`: ", $title, ".")]
            pub const $name: $crate::problem::ProblemKind = $crate::problem::ProblemKind {
                status: $status,
                code: $code,
                title: $title,
                advice: $advice,
            };
        )+
        /// Every kind listed here.
        pub const ALL: &[$crate::problem::ProblemKind] = &[$($name),+];
    };
}

problem_kinds! {
    MALFORMED_REQUEST = 400 "malformed_request": "The request is malformed", "Check the request's line and headers.";
    MALFORMED_JSON = 400 "malformed_json": "The body is not JSON", "Send one JSON document, UTF-8, without anything after it.";
    INVALID_QUERY = 400 "invalid_query": "The query string is not valid", "Check the names and values after the question mark.";
    INVALID_CURSOR = 400 "invalid_cursor": "The cursor is not valid", "Pass next_cursor of the page before, unchanged and for the same list, or none to start over.";
    UNAUTHENTICATED = 401 "unauthenticated": "Not signed in", "Sign in, then try again.";
    PERMISSION_MISSING = 403 "permission_missing": "Not allowed", "Ask an owner or admin of the organization.";
    ROLE_TOO_SMALL = 403 "role_too_small": "Not allowed", "Ask an operator with a greater role.";
    CSRF_TOKEN_INVALID = 403 "csrf_token_invalid": "The page is out of date", "Send csrf_token of the present session as X-CSRF-Token; reloading the page does that.";
    ORIGIN_NOT_ALLOWED = 403 "origin_not_allowed": "The request comes from another site", "Call from the web interface's own address.";
    IMPERSONATION_READ_ONLY = 403 "impersonation_read_only": "This is somebody else's session", "You look through a customer's eyes and can change nothing; leave, and act as yourself.";
    NOT_FOUND = 404 "not_found": "Not found", "Check the address; what is not yours is not found either.";
    METHOD_NOT_ALLOWED = 405 "method_not_allowed": "The method is not allowed here", "Use a method that the Allow header names.";
    REQUEST_TIMEOUT = 408 "request_timeout": "The request took too long to arrive", "Try again over a better connection.";
    IDEMPOTENCY_IN_PROGRESS = 409 "idempotency_in_progress": "The same request is being worked on", "Wait a moment, then send it again with the same key.";
    BODY_TOO_LARGE = 413 "body_too_large": "The body is too large", "Send less.";
    UNSUPPORTED_MEDIA_TYPE = 415 "unsupported_media_type": "The content type is not supported", "Send JSON as application/json.";
    VALIDATION_FAILED = 422 "validation_failed": "Some values are not acceptable", "Correct the values listed in errors.";
    IDEMPOTENCY_KEY_REUSED = 422 "idempotency_key_reused": "The idempotency key was used for another request", "Use a new key for a new request.";
    IDEMPOTENCY_KEY_INVALID = 400 "idempotency_key_invalid": "The idempotency key is not valid", "Send 1 to 255 visible ASCII characters.";
    HEADERS_TOO_LARGE = 431 "headers_too_large": "The headers are too large", "Send fewer or smaller cookies and headers.";
    INTERNAL_ERROR = 500 "internal_error": "Something went wrong on our side", "Try again; if it stays, tell an operator the request_id.";
    TEMPORARILY_UNAVAILABLE = 503 "temporarily_unavailable": "Not available right now", "Try again in a few seconds.";
    TIMED_OUT = 504 "timed_out": "The answer took too long", "Try again; if it stays, tell an operator the request_id.";
}
