//! Keeps the arrows between crates: who may depend on whom, read from `cargo metadata`.
#![allow(clippy::expect_used, reason = "what cannot be read fails the test")]

use std::{
    collections::{BTreeMap, BTreeSet},
    process::Command,
};

/// A crate and the crates of this workspace that it may use, apart from what only its tests use.
const ARROWS: &[(&str, &[&str])] = &[
    ("tenantry-domain", &[]),
    ("tenantry-operations", &[]),
    ("tenantry-postgres", &["tenantry-domain"]),
    ("tenantry-stripe", &["tenantry-domain"]),
    ("tenantry-kubernetes", &["tenantry-domain"]),
    ("tenantry-mail", &["tenantry-domain"]),
    (
        "tenantry-app",
        &["tenantry-domain", "tenantry-postgres", "tenantry-operations"],
    ),
    (
        "tenantry-http",
        &["tenantry-domain", "tenantry-postgres", "tenantry-app"],
    ),
    (
        "tenantry-server",
        &[
            "tenantry-domain",
            "tenantry-operations",
            "tenantry-postgres",
            "tenantry-stripe",
            "tenantry-kubernetes",
            "tenantry-mail",
            "tenantry-app",
            "tenantry-http",
        ],
    ),
    ("tenantry-stripe-stand-in", &[]),
    ("tenantry-test-support", &["tenantry-postgres", "tenantry-domain"]),
    ("tenantry-demo", &[]),
    ("tenantry-bench", &["tenantry-demo"]),
    (
        "tenantry-fuzz",
        &["tenantry-domain", "tenantry-stripe", "tenantry-app", "tenantry-http"],
    ),
];

/// What the domain must do without: it is pure.
const KEPT_OUT_OF_THE_DOMAIN: &[&str] = &["tokio", "sqlx", "axum", "kube", "reqwest", "rand"];

/// What the engine must do without: it runs operations of any kind.
const KEPT_OUT_OF_THE_ENGINE: &[&str] = &["axum", "kube", "reqwest"];

fn dependencies() -> BTreeMap<String, BTreeSet<String>> {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version=1", "--no-deps", "--offline"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .expect("cargo runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata: serde_json::Value = serde_json::from_slice(&output.stdout).expect("cargo metadata is JSON");
    let names = |package: &serde_json::Value| {
        let listed = package["dependencies"].as_array().cloned().unwrap_or_default();
        listed
            .iter()
            .filter(|dependency| dependency["kind"].is_null())
            .filter_map(|dependency| dependency["name"].as_str().map(str::to_owned))
            .collect()
    };
    metadata["packages"]
        .as_array()
        .expect("metadata lists packages")
        .iter()
        .filter_map(|package| Some((package["name"].as_str()?.to_owned(), names(package))))
        .collect()
}

#[test]
fn dependencies_point_one_way() {
    let allowed: BTreeMap<&str, BTreeSet<&str>> = ARROWS
        .iter()
        .map(|(name, uses)| (*name, uses.iter().copied().collect()))
        .collect();
    for (name, uses) in dependencies() {
        let Some(allowed) = allowed.get(name.as_str()) else {
            panic!("{name} has no line in ARROWS: say what it may use")
        };
        for used in uses.iter().filter(|used| used.starts_with("tenantry-")) {
            assert!(allowed.contains(used.as_str()), "{name} must not depend on {used}");
        }
    }
}

#[test]
fn the_domain_is_pure() {
    for kept_out in KEPT_OUT_OF_THE_DOMAIN {
        assert!(
            !dependencies()["tenantry-domain"].contains(*kept_out),
            "the domain must do without {kept_out}"
        );
    }
}

#[test]
fn the_engine_knows_no_domain() {
    for kept_out in KEPT_OUT_OF_THE_ENGINE {
        assert!(
            !dependencies()["tenantry-operations"].contains(*kept_out),
            "the engine must do without {kept_out}"
        );
    }
}
