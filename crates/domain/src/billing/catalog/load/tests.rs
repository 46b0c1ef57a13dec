use super::{super::Delivery, *};

const EXAMPLE: &str = include_str!("../../../../../../examples/collection/catalog.yaml");

fn problems(text: &str) -> Vec<(&'static str, u64)> {
    match load(text) {
        Ok(_) => Vec::new(),
        Err(CatalogProblems(problems)) => problems
            .into_iter()
            .map(|problem| (problem.code, problem.line))
            .collect(),
    }
}

/// The example with one line replaced; the line must be there.
fn with(old: &str, new: &str) -> String {
    assert!(EXAMPLE.contains(old), "{old}");
    EXAMPLE.replacen(old, new, 1)
}

fn line_of(text: &str, part: &str) -> u64 {
    1 + text.lines().position(|line| line.contains(part)).unwrap() as u64
}

#[test]
fn the_example_is_read() {
    let catalog = load(EXAMPLE).unwrap_or_else(|problems| panic!("{problems}"));
    let product = catalog.product("collection").unwrap();
    assert_eq!(product.delivery, Delivery::Dedicated);
    let amounts: Vec<_> = product
        .plans
        .iter()
        .map(|plan| plan.prices[0].amount().to_string())
        .collect();
    assert_eq!(amounts, ["49.00 EUR", "199.00 EUR", "799.00 EUR"]);
    assert_eq!(
        product.plans[0].prices[0].lookup_key("collection", "starter"),
        "collection_starter_month_eur"
    );
    assert_eq!(product.plan("museum").unwrap().limits.tenants(), Some(5));
    let workload = product.workload().unwrap();
    assert_eq!(workload.image, "localhost/collection:1");
    for plan in &product.plans {
        plan.quota.as_ref().unwrap().bounds().check().unwrap();
    }
}

#[test]
fn addresses_to_come_back_to_are_reported_where_they_stand() {
    let text = with("{{ tenant.url }}/auth/callback", "https://*.example.com/auth/callback").replacen(
        "client: public",
        "client: secretive",
        1,
    );
    assert_eq!(
        problems(&text),
        [("value_unknown", line_of(&text, "client: secretive"))]
    );
    let text = with("{{ tenant.url }}/auth/callback", "https://*.example.com/auth/callback");
    assert_eq!(
        problems(&text),
        [(
            "redirect_invalid",
            line_of(&text, "https://*.example.com/auth/callback")
        )]
    );
}

#[test]
fn a_definition_survives_the_ledger() {
    let catalog = load(EXAMPLE).unwrap();
    let text = serde_json::to_string(&catalog).unwrap();
    assert_eq!(serde_json::from_str::<Catalog>(&text).unwrap(), catalog);
    let terms = catalog.products[0].plans[0].terms();
    assert_eq!(
        serde_json::from_value::<super::super::PlanTerms>(serde_json::to_value(&terms).unwrap()).unwrap(),
        terms
    );
}

#[test]
fn unknown_fields_are_reported_together_with_advice() {
    let text = with("highlight: true", "higlight: true").replacen("    port: 8080", "    prot: 8080", 1);
    let CatalogProblems(found) = load(&text).unwrap_err();
    let (prot, highlight) = (&found[0], &found[1]);
    assert_eq!(
        (prot.code, prot.line, prot.column),
        ("field_unknown", line_of(&text, "prot: 8080"), 5)
    );
    assert!(prot.detail.contains("did you mean `port`?"), "{}", prot.detail);
    assert_eq!(
        (highlight.code, highlight.line),
        ("field_unknown", line_of(&text, "higlight"))
    );
    assert_eq!(highlight.pointer, "/products/0/plans/1/higlight");
}

#[test]
fn a_missing_field_is_named() {
    let text = with("          pods: 4\n", "");
    let CatalogProblems(found) = load(&text).unwrap_err();
    assert_eq!(found[0].code, "field_missing");
    assert!(found[0].detail.contains("`pods`"), "{}", found[0].detail);
    // Inside of the quota that lacks it.
    assert_eq!(found[0].line, line_of(&text, "cpu: 500m"));
}

#[test]
fn contradictions_are_reported_together() {
    let text = with("members: 2\n", "members: -2\n")
        .replacen("key: pro", "key: starter", 1)
        .replacen(
            "currency: EUR, amount_minor: 79900",
            "currency: XYZ, amount_minor: 0",
            1,
        )
        .replacen("rank: 3", "rank: 1", 1)
        .replacen("{{ plan.name }}", "{{ plan.nmae }}", 1);
    let found = problems(&text);
    let codes: Vec<_> = found.iter().map(|(code, _)| *code).collect();
    assert_eq!(
        codes,
        [
            "expression_invalid",
            "limit_negative",
            "plan_duplicate",
            "rank_duplicate",
            "currency_unknown",
            "amount_zero"
        ]
    );
    assert_eq!(found[1].1, line_of(&text, "members: -2"));
}

#[test]
fn values_of_the_wrong_kind_are_placed() {
    let text = with("memory: 256Mi", "memory: lots");
    assert_eq!(problems(&text), [("value_invalid", line_of(&text, "memory: lots"))]);
    let text = with("delivery: dedicated", "delivery: dedicatd");
    assert_eq!(problems(&text), [("value_unknown", line_of(&text, "dedicatd"))]);
    let text = with("currency: EUR", "currency: EURO");
    assert_eq!(problems(&text), [("value_invalid", line_of(&text, "EURO"))]);
    let text = with("port: 8080", "port: eighty");
    assert_eq!(problems(&text), [("value_invalid", line_of(&text, "eighty"))]);
}

#[test]
fn text_that_is_not_yaml_is_placed() {
    let text = with("  - key: collection", "  - key: [collection");
    assert_eq!(problems(&text)[0].0, "yaml_invalid");
    assert_eq!(
        problems("version: 1\nversion: 1\nproducts: []\n"),
        [("key_duplicate", 2)]
    );
    assert!(!problems("").is_empty());
    assert!(!problems("just text").is_empty());
}

#[test]
fn a_product_must_be_able_to_run() {
    let text = with("    port: 8080\n", "");
    assert_eq!(problems(&text)[0].0, "runtime_missing");
    let text = with("path: tenant\n", "path: ../tenant\n");
    assert_eq!(problems(&text)[0].0, "chart_path_invalid");
    let text = with("path: tenant\n", "path: tenant\n      ref: oci://example.com/x\n");
    assert_eq!(problems(&text)[0].0, "chart_source");
    let text = with("pods: 4\n", "pods: 1\n");
    assert_eq!(problems(&text)[0].0, "quota_invalid");
    let text = with("delivery: dedicated", "delivery: shared");
    assert_eq!(problems(&text)[0].0, "runtime_unexpected");
}

#[test]
fn the_schema_knows_every_field_and_describes_it() {
    let schema = schema();
    assert_eq!(schema["$schema"], "https://json-schema.org/draft/2020-12/schema");
    let definitions = schema["$defs"].as_object().unwrap();
    let named = definitions.values().chain([schema]);
    for (field, property) in named.filter_map(|schema| schema["properties"].as_object()).flatten() {
        assert!(property.get("description").is_some(), "{field} has no description");
    }
}

/// Editors follow the comment in the first line of the example to this file.
#[test]
fn the_published_schema_is_current() {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples/catalog.schema.json");
    let published: Value = serde_json::from_str(&std::fs::read_to_string(file).unwrap()).unwrap();
    assert_eq!(
        &published,
        schema(),
        "write it anew: tenantry catalog schema > examples/catalog.schema.json"
    );
}
