//! The expressions that chart values may hold: `{{ tenant.name }}`.
//!
//! There is no language here on purpose: an expression names one value. They are checked when a catalog is read, and
//! resolved for each tenant (`provisioning::resolve`).

/// What an expression may name.
pub const VARIABLES: [&str; 14] = [
    "tenant.id",
    "tenant.name",
    "tenant.host",
    "tenant.url",
    "tenant.namespace",
    "tenant.release",
    "organization.id",
    "organization.name",
    "product.key",
    "product.name",
    "product.port",
    "product.health_path",
    "plan.key",
    "plan.name",
];

/// Why a text with expressions cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidExpression {
    /// `{{` without `}}`.
    #[error("an expression that begins with `{{{{` does not end: close it with `}}}}`")]
    NotClosed,
    /// A name that is not known.
    #[error("`{0}` is not a known name: between the braces stands one of {names}", names = VARIABLES.join(", "))]
    UnknownName(String),
}

/// Checks one text of a values template.
pub(super) fn check(text: &str) -> Result<(), InvalidExpression> {
    let mut rest = text;
    while let Some((_, after)) = rest.split_once("{{") {
        let (inside, remainder) = after.split_once("}}").ok_or(InvalidExpression::NotClosed)?;
        let name = inside.trim();
        if !VARIABLES.contains(&name) {
            return Err(InvalidExpression::UnknownName(name.chars().take(80).collect()));
        }
        rest = remainder;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn malformed_expressions_are_refused() {
        assert_eq!(check("{{ tenant.name"), Err(InvalidExpression::NotClosed));
        for name in ["tenant.name | upper", "tenant.nmae", "", "organization"] {
            assert_eq!(
                check(&format!("a {{{{ {name} }}}}")),
                Err(InvalidExpression::UnknownName(name.into()))
            );
        }
        assert_eq!(
            check("{{ tenant.name }} and {{organization.name}} { braces } }}"),
            Ok(())
        );
    }
}
