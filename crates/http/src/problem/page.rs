//! The page that lists every code, made from the code.

use std::{collections::BTreeMap, fmt::Write, path::Path};

use super::ProblemKind;
use crate::{accounts, billing, operator, organizations, problem::kinds, provisioning};

const AREAS: [(&str, &[ProblemKind]); 6] = [
    ("Everywhere", kinds::ALL),
    ("Accounts", accounts::problems::ALL),
    ("Organizations", organizations::problems::ALL),
    ("Billing", billing::problems::ALL),
    ("Tenants", provisioning::problems::ALL),
    ("Operators", operator::operators::problems::ALL),
];

fn page() -> String {
    let mut page = String::from(
        "# Problem codes\n\n\
         Every failure is answered as `application/problem+json` (RFC 9457) with one of these codes. Codes are stable: branch on \
         them, not on titles.\n",
    );
    for (area, kinds) in AREAS {
        let _ = write!(
            page,
            "\n## {area}\n\n| status | code | what it means | what to do |\n| --- | --- | --- | --- |\n"
        );
        for kind in kinds {
            let _ = writeln!(
                page,
                "| {} | `{}` | {} | {} |",
                kind.status, kind.code, kind.title, kind.advice
            );
        }
    }
    page
}

#[test]
fn codes_are_unique_and_say_what_to_do() {
    let mut seen = BTreeMap::new();
    for (area, kinds) in AREAS {
        for kind in kinds {
            assert_eq!(seen.insert(kind.code, area), None, "{} is listed twice", kind.code);
            assert!((400..600).contains(&kind.status), "{}", kind.code);
            assert!(
                !kind.title.ends_with('.') && kind.advice.ends_with('.'),
                "{}",
                kind.code
            );
        }
    }
}

#[test]
fn the_page_of_codes_is_fresh() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/problem-codes.md");
    if std::env::var_os("UPDATE_OPENAPI").is_some() {
        std::fs::write(&file, page()).unwrap();
    }
    assert!(
        std::fs::read_to_string(&file).unwrap_or_default() == page(),
        "docs/problem-codes.md is stale: run UPDATE_OPENAPI=1 cargo test -p tenantry-http",
    );
}
