//! What answers outside of the description, and so has no line in the table. A router does not tell what was put into it,
//! but the sources do: these are all the places where something is put there by hand.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

/// A file, what is written there, and who may come. Add a line only with a test of who is refused.
const UNDESCRIBED: &[(&str, &str)] = &[
    // Preflights of what the table has under these addresses.
    ("http/src/accounts/oidc.rs", ".route(path"),
    // Whoever signs the body with the endpoint's secret: `webhooks.rs`.
    ("http/src/billing.rs", r#".route("/webhooks/stripe""#),
    // Everybody, without a word about anybody: `edge.rs`.
    ("http/src/health.rs", r#".route("/health""#),
    ("http/src/health.rs", r#".route("/ready""#),
    // Everybody: what is published anyway.
    ("http/src/openapi.rs", r#".route("/api/v1/openapi.json""#),
    // Everybody: the embedded files, `/docs` among them, and `not_found` for programs.
    ("http/src/router.rs", ".fallback(ui::serve"),
    ("http/src/router.rs", ".fallback_service(ui"),
    // Nobody: a worker has its health alone.
    ("http/src/router.rs", ".fallback(not_found"),
    // Whoever reaches a listener that only the platform reaches.
    ("server/src/commands/serve.rs", r#".route("/metrics""#),
];

/// How something is put into a router, beside `routes!`, which describes it.
const BY_HAND: [&str; 6] = [
    ".route(",
    ".route_service(",
    ".nest_service(",
    ".fallback(",
    ".fallback_service(",
    ".not_found_service(",
];

#[test]
fn nothing_answers_outside_of_the_description_that_is_not_named_here() {
    let crates = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let mut found = BTreeSet::new();
    for source in ["http/src", "server/src"] {
        for file in rust_files(&crates.join(source)) {
            let text = fs::read_to_string(&file).unwrap();
            let served = text.split("#[cfg(test)]").next().unwrap();
            let name = file.strip_prefix(crates).unwrap().to_str().unwrap();
            for call in BY_HAND {
                for (at, _) in served.match_indices(call) {
                    let argument = served[at + call.len()..].trim_start();
                    let argument = argument.split([',', ')']).next().unwrap().trim_end();
                    found.insert((name.to_owned(), format!("{call}{argument}")));
                }
            }
        }
    }
    let named = UNDESCRIBED
        .iter()
        .map(|(file, call)| ((*file).to_owned(), (*call).to_owned()))
        .collect();
    let unnamed: Vec<_> = found.difference(&named).collect();
    assert!(unnamed.is_empty(), "not described and not named: {unnamed:?}");
    let gone: Vec<_> = named.difference(&found).collect();
    assert!(gone.is_empty(), "named and not there: {gone:?}");
}

fn rust_files(directory: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path());
    entries
        .flat_map(|path| {
            if path.is_dir() {
                rust_files(&path)
            } else {
                let rust = path.extension().is_some_and(|extension| extension == "rs");
                rust.then_some(path).into_iter().collect()
            }
        })
        .collect()
}
