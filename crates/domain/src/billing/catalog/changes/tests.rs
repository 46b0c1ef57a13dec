use uuid::Uuid;

use super::super::{Catalog, load};
use super::*;
use crate::billing::provider::{HANDLED_EVENTS, PriceObject, ProductObject, References, WebhookEndpoint};

const EXAMPLE: &str = include_str!("../../../../../../examples/collection/catalog.yaml");

fn installation() -> InstallationId {
    InstallationId::from_uuid(Uuid::from_u128(1))
}

fn catalog(text: &str) -> Catalog {
    load(text).unwrap_or_else(|problems| panic!("{problems}"))
}

/// Ledger and provider after `catalog` was applied, with one subscriber of each plan and price.
fn applied(catalog: &Catalog) -> (CatalogLedger, ProviderState) {
    let (mut ledger, mut provider) = (CatalogLedger::default(), ProviderState::default());
    for product in &catalog.products {
        let id = provider_product_id(installation(), &product.key);
        ledger.products.push(LedgerProduct {
            definition: product.clone(),
            is_retired: false,
            provider_id: Some(id.clone()),
        });
        provider.products.push(ProductObject {
            id: id.clone(),
            name: product.name.clone(),
            description: Some(product.description.clone()),
            active: true,
        });
        for plan in &product.plans {
            let version = PlanVersionId::from_uuid(Uuid::from_u128(10 + ledger.plan_versions.len() as u128));
            ledger.plan_versions.push(LedgerPlanVersion {
                id: version,
                product: product.key.clone(),
                plan: plan.key.clone(),
                version: 1,
                terms: plan.terms(),
                subscribers: 1,
            });
            for price in &plan.prices {
                let lookup_key = price.lookup_key(&product.key, &plan.key);
                let object = format!("price_{lookup_key}");
                ledger.prices.push(LedgerPrice {
                    id: PriceId::from_uuid(Uuid::from_u128(100 + ledger.prices.len() as u128)),
                    plan_version: version,
                    lookup_key: lookup_key.clone(),
                    amount: price.amount(),
                    interval: price.interval,
                    provider_id: Some(object.clone()),
                    subscribers: 1,
                });
                provider.prices.push(PriceObject {
                    id: object,
                    lookup_key: Some(provider_lookup_key(installation(), &lookup_key)),
                    product: Some(id.clone()),
                    amount_minor: Some(price.amount_minor),
                    currency: Some(price.currency),
                    interval: Some(price.interval),
                    active: true,
                });
            }
        }
    }
    (ledger, provider)
}

/// What going from the example to `text` is said to change.
fn said(text: &str) -> Vec<String> {
    let (ledger, provider) = applied(&catalog(EXAMPLE));
    let changes = plan_changes(&ledger, &provider, installation(), &catalog(text)).unwrap();
    changes
        .iter()
        .map(|change| format!("{} {change}", change.sign()))
        .collect()
}

#[test]
fn what_is_applied_stays_as_it_is() {
    assert_eq!(said(EXAMPLE), Vec::<String>::new());
}

#[test]
fn words_that_promise_nothing_make_no_version() {
    let said = said(&EXAMPLE.replacen("For a museum with a team.", "For teams.", 1));
    assert_eq!(said, ["~ product collection: plans changed"]);
}

#[test]
fn another_amount_is_another_price_of_the_same_version() {
    let said = said(&EXAMPLE.replacen("amount_minor: 4900", "amount_minor: 5900", 1));
    assert_eq!(
        said,
        [
            "~ product collection: plans changed",
            "- price collection_starter_month_eur: 49.00 EUR no longer sold, 59.00 EUR from now on; 1 subscriber keeps paying it",
            "+ price collection_starter_month_eur: 59.00 EUR each month",
            "+ price collection_starter_month_eur: create, 59.00 EUR each month",
        ]
    );
}

#[test]
fn other_terms_are_another_version_with_a_price_of_its_own() {
    let changed = EXAMPLE.replacen("members: 2\n", "members: 3\n", 1);
    let words = said(&changed);
    assert!(
        words[1].contains("version 2 (limits); 1 subscriber keeps what was bought"),
        "{words:#?}"
    );
    assert!(
        words[2].contains("49.00 EUR no longer sold, the same for the new version"),
        "{words:#?}"
    );
    assert_eq!(
        words.last().unwrap(),
        "+ price collection_starter_month_eur: create, 49.00 EUR each month"
    );
    let moved = said(&changed.replacen("rank: 1\n", "rank: 1\n        existing: move\n", 1));
    assert!(
        moved[1].contains("1 subscriber moves to the new terms at the old price; what runs already keeps its bounds"),
        "{moved:#?}"
    );
}

#[test]
fn a_plan_that_goes_stays_for_its_subscribers() {
    let (start, end) = (
        EXAMPLE.find("      - key: pro").unwrap(),
        EXAMPLE.find("      - key: museum").unwrap(),
    );
    let words = said(&format!("{}{}", &EXAMPLE[..start], &EXAMPLE[end..]));
    assert!(
        words.contains(&"- plan collection/pro: no longer sold; 1 subscriber keeps it".to_owned()),
        "{words:#?}"
    );
    assert!(words.iter().all(|word| !word.contains("create")), "{words:#?}");
}

#[test]
fn a_product_never_changes_how_it_is_delivered() {
    let (mut ledger, provider) = applied(&catalog(EXAMPLE));
    ledger.products[0].definition.delivery = Delivery::Shared;
    let refused = plan_changes(&ledger, &provider, installation(), &catalog(EXAMPLE));
    assert!(matches!(refused, Err(CatalogRefusal::DeliveryChanged { .. })));
}

#[test]
fn an_application_that_was_cut_short_is_finished() {
    let (mut ledger, provider) = applied(&catalog(EXAMPLE));
    // The ledger was written, the price was made, and the answer never came.
    ledger.prices[0].provider_id = None;
    let changes = plan_changes(&ledger, &provider, installation(), &catalog(EXAMPLE)).unwrap();
    assert!(
        matches!(&changes[..], [CatalogChange::SyncProviderPrice { adopts: Some(id), .. }]
        if id == "price_collection_starter_month_eur")
    );
    // Nothing was made.
    let changes = plan_changes(&ledger, &ProviderState::default(), installation(), &catalog(EXAMPLE)).unwrap();
    let prices = changes
        .iter()
        .filter(|change| matches!(change, CatalogChange::SyncProviderPrice { adopts: None, .. }));
    assert_eq!(prices.count(), 3);
}

#[test]
fn the_webhook_is_made_mended_or_left_alone() {
    let (ledger, mut provider) = applied(&catalog(EXAMPLE));
    let url = "https://tenantry.example/webhooks/stripe".to_owned();
    provider.webhook = Some(WebhookTarget {
        url: url.clone(),
        api_version: "v".to_owned(),
        known_endpoint: Some("we_1".to_owned()),
    });
    let said = |provider: &ProviderState| {
        let changes = plan_changes(&ledger, provider, installation(), &catalog(EXAMPLE)).unwrap();
        changes.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
    };
    assert!(said(&provider).contains("no endpoint sends events here"));
    provider.webhook_endpoints = vec![WebhookEndpoint {
        id: "we_1".to_owned(),
        url,
        events: HANDLED_EVENTS.iter().map(ToString::to_string).collect(),
        api_version: Some("v".to_owned()),
        enabled: true,
        references: References {
            installation: Some(installation()),
            ..References::default()
        },
    }];
    assert_eq!(said(&provider), "");
    provider.webhook_endpoints[0].enabled = false;
    assert!(said(&provider).contains("update, because the endpoint is switched off"));
    provider.webhook.as_mut().unwrap().known_endpoint = None;
    assert!(said(&provider).contains("the signing secret of the endpoint is not known here"));
    provider.webhook_endpoints[0].references = References::default();
    assert!(said(&provider).contains("no endpoint sends events here"));
}
