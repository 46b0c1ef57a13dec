//! The kinds of problem of this part.

crate::problem_kinds! {
    OPERATOR_IS_YOURSELF = 409 "operator_is_yourself": "That is you", "Ask another admin: nobody takes their own rights away by mistake.";
    LAST_ADMIN = 409 "last_admin": "This is the last admin", "Make another operator admin first.";
}
