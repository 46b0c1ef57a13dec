//! The kinds of problem of this area.

crate::problem_kinds! {
    OWN_SECOND_FACTOR_MISSING = 409 "own_second_factor_missing": "You have no second factor yourself", "Set up your own first; you would lock yourself out.";
    TOO_MANY_ORGANIZATIONS = 409 "too_many_organizations": "You own too many organizations", "Use one that you have, or ask an operator.";
}
