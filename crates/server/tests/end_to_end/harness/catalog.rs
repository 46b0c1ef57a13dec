//! What the installations of tests sell: the example, and products that go wrong, each in its way.

use std::{fs, os::unix::fs::symlink, path::Path};

/// The price of a product that works.
pub(crate) const STARTER: &str = "collection_starter_month_eur";

/// A chart that renders and is refused by the cluster as long as it is not mended.
const FLAWED_CHART: &str = "apiVersion: v2\nname: flawed\nversion: 1.0.0\n";

/// Product, chart, image: the chart `flawed` belongs to the test, which mends it.
const FAULTY: &[(&str, &str, &str)] = &[
    ("flawed", "flawed", "collection"),
    ("unpullable", "tenant", "no-such-image"),
];

/// Writes the catalog into `folder` and the charts below `folder/charts`.
pub(super) fn write(repository: &Path, folder: &Path) {
    let example = fs::read_to_string(repository.join("examples/collection/catalog.yaml")).expect("the example");
    let faulty: String = FAULTY
        .iter()
        .map(|(key, chart, image)| product(key, chart, image))
        .collect();
    fs::write(
        folder.join("catalog.yaml"),
        format!("{}\n\n{faulty}", example.trim_end()),
    )
    .expect("a catalog");

    let charts = folder.join("charts");
    fs::create_dir_all(charts.join("flawed/templates")).expect("a chart's folder");
    symlink(repository.join("charts/tenant"), charts.join("tenant")).expect("a link to the chart");
    fs::write(charts.join("flawed/Chart.yaml"), FLAWED_CHART).expect("a chart");
}

/// At the end of the example, whose last list is that of products.
fn product(key: &str, chart: &str, image: &str) -> String {
    format!(
        "  - key: {key}
    name: Goes wrong
    description: A product for tests.
    delivery: dedicated
    chart:
      path: {chart}
    image:
      repository: localhost/{image}
      tag: \"1\"
    port: 8080
    health:
      path: /health
    secrets:
      - name: session
        keys: [SESSION_KEY]
    plans:
      - key: only
        name: Only
        description: The only plan.
        rank: 1
        features: [Nothing]
        limits:
          tenants: 1
        quota:
          cpu: 500m
          memory: 256Mi
          cpu_reserved: 20m
          memory_reserved: 32Mi
          storage: 1Gi
          pods: 4
        prices:
          - {{ interval: month, currency: EUR, amount_minor: 100 }}
"
    )
}
