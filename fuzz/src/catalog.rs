//! Catalogs, in YAML.

use tenantry_domain::billing::catalog;

pub(crate) fn run(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let is_break = |letter: &char| matches!(letter, '\n' | '\r' | '\u{85}' | '\u{2028}' | '\u{2029}');
    let lines = u64::try_from(text.chars().filter(is_break).count()).unwrap() + 1;
    match catalog::load(text) {
        Ok(taken) => assert_eq!(catalog::load(text).map(|again| again == taken), Ok(true)),
        Err(problems) => {
            assert!(!problems.0.is_empty(), "refused, and nothing is wrong");
            for problem in &problems.0 {
                assert!((1..=lines).contains(&problem.line) && problem.column >= 1, "{problem}");
                assert!(!problem.detail.is_empty(), "{problem:?}");
            }
        }
    }
}
