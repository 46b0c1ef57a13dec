//! The kinds of problem of this part.

crate::problem_kinds! {
    OPERATOR_IS_YOURSELF = 409 "operator_is_yourself": "That is you", "Ask another admin: nobody takes their own rights away by mistake.";
    ENROLMENT_LINK_REQUIRED = 403 "enrolment_link_required": "A link is asked for", "Your second factor was reset: open the link that whoever did it has for you, and sign in there. It works for a day.";
    LAST_ADMIN = 409 "last_admin": "This is the last admin", "Make another operator admin first.";
}
