//! The kinds of problem of this area.

crate::problem_kinds! {
    TOO_MANY_ORGANIZATIONS = 409 "too_many_organizations": "You own too many organizations", "Use one that you have, or ask an operator.";
}
