//! What a well-formed catalog file may still get wrong.

use std::{collections::HashSet, hash::Hash, net::IpAddr};

use serde_json::{Map, Value};

use crate::provisioning::workload::Egress;

use super::{
    Catalog, Chart, Delivery, FORMAT_VERSION, Limits, Plan, Price, Product, SignIn, currencies, expressions,
    load::CatalogProblem,
    locate::{Located, below},
    sign_in::check_redirect,
};

/// The largest amount that the payment provider takes.
const MAX_AMOUNT_MINOR: i64 = 99_999_999;
/// Keys that mean something to Tenantry itself.
const RESERVED_PRODUCT_KEYS: [&str; 4] = ["tenantry", "operator", "api", "system"];
const MAX_TRIAL_DAYS: u32 = 730;
/// Addresses of one kind that a product may register.
const MAX_REDIRECTS: usize = 20;

/// Everything in the catalog that contradicts itself or the rules.
pub(super) fn contradictions(catalog: &Catalog, document: &Located) -> Vec<CatalogProblem> {
    let mut check = Check {
        document,
        problems: Vec::new(),
    };
    check.catalog(catalog);
    check.problems
}

struct Check<'a> {
    document: &'a Located,
    problems: Vec<CatalogProblem>,
}

impl Check<'_> {
    fn report(&mut self, code: &'static str, pointer: &str, detail: impl Into<String>) {
        let place = self.document.place(pointer);
        self.problems.push(CatalogProblem::new(code, pointer, place, detail));
    }

    fn catalog(&mut self, catalog: &Catalog) {
        if catalog.version != FORMAT_VERSION {
            let detail =
                format!("this release reads version {FORMAT_VERSION} of the format: write `version: {FORMAT_VERSION}`");
            self.report("version_unsupported", "/version", detail);
        }
        let mut keys = HashSet::new();
        for (index, product) in catalog.products.iter().enumerate() {
            let pointer = format!("/products/{index}");
            self.unique(
                &mut keys,
                product.key.as_str(),
                "product_duplicate",
                &below(&pointer, "key"),
                || format!("a product `{}` stands above: give this one another key", product.key),
            );
            if RESERVED_PRODUCT_KEYS.contains(&product.key.as_str()) {
                let detail = format!("`{}` is reserved: choose another key", product.key);
                self.report("key_reserved", &below(&pointer, "key"), detail);
            }
            self.product(product, &pointer);
        }
    }

    fn unique<K: Eq + Hash>(
        &mut self,
        seen: &mut HashSet<K>,
        key: K,
        code: &'static str,
        pointer: &str,
        detail: impl FnOnce() -> String,
    ) {
        if !seen.insert(key) {
            self.report(code, pointer, detail());
        }
    }

    fn product(&mut self, product: &Product, pointer: &str) {
        self.key(&product.key, &below(pointer, "key"));
        self.name(&product.name, &below(pointer, "name"));
        match product.delivery {
            Delivery::Dedicated => self.dedicated(product, pointer),
            Delivery::Shared => self.shared(product, pointer),
        }
        if let Some(chart) = &product.chart {
            self.chart(chart, &below(pointer, "chart"));
        }
        if let Some(image) = &product.image {
            for (part, text) in [("repository", &image.repository), ("tag", &image.tag)] {
                if text.is_empty() || text.contains(|letter: char| letter.is_whitespace() || letter.is_control()) {
                    let detail = format!("the image's {part} is empty or holds a space: write it as in `docker pull`");
                    self.report("image_invalid", &below(&below(pointer, "image"), part), detail);
                }
            }
        }
        if product.port == Some(0) {
            self.report("port_invalid", &below(pointer, "port"), "a port is between 1 and 65535");
        }
        if !product.health.path.starts_with('/') || product.health.path.contains(char::is_whitespace) {
            let detail = "the health path begins with a slash and holds no spaces, such as /health";
            self.report("health_path_invalid", &below(&below(pointer, "health"), "path"), detail);
        }
        for (index, rule) in product.egress.iter().enumerate() {
            self.egress(rule, &format!("{pointer}/egress/{index}"));
        }
        self.secrets(product, pointer);
        self.template(&product.values, &below(pointer, "values"));
        if let Some(sign_in) = &product.sign_in {
            self.sign_in(sign_in, product.delivery, &below(pointer, "sign_in"));
        }
        self.plans(product, pointer);
    }

    fn sign_in(&mut self, sign_in: &SignIn, delivery: Delivery, pointer: &str) {
        if sign_in.redirect_uris.is_empty() {
            let detail = "signing in needs at least one address to come back to";
            self.report("redirect_missing", &below(pointer, "redirect_uris"), detail);
        }
        for (member, addresses) in [
            ("redirect_uris", &sign_in.redirect_uris),
            ("post_logout_redirect_uris", &sign_in.post_logout_redirect_uris),
        ] {
            let pointer = below(pointer, member);
            if addresses.len() > MAX_REDIRECTS {
                let detail = format!("at most {MAX_REDIRECTS} addresses stand here");
                self.report("redirects_too_many", &pointer, detail);
            }
            let mut seen = HashSet::new();
            for (index, address) in addresses.iter().enumerate() {
                let pointer = &below(&pointer, &index.to_string());
                if let Err(error) = check_redirect(address, delivery == Delivery::Dedicated) {
                    self.report("redirect_invalid", pointer, error.to_string());
                }
                self.unique(&mut seen, address.as_str(), "redirect_duplicate", pointer, || {
                    "the same address stands above: remove one".to_owned()
                });
            }
        }
    }

    fn dedicated(&mut self, product: &Product, pointer: &str) {
        let missing = [
            ("chart", product.chart.is_none()),
            ("image", product.image.is_none()),
            ("port", product.port.is_none()),
        ];
        for (field, _) in missing.iter().filter(|(_, missing)| *missing) {
            let detail = format!("a dedicated product needs `{field}`: add it, or set `delivery: shared`");
            self.report("runtime_missing", pointer, detail);
        }
        for (index, plan) in product
            .plans
            .iter()
            .enumerate()
            .filter(|(_, plan)| plan.quota.is_none())
        {
            let detail = format!(
                "plan `{}` of a dedicated product needs `quota`: cpu, memory, storage, pods",
                plan.key
            );
            self.report("quota_missing", &format!("{pointer}/plans/{index}"), detail);
        }
    }

    fn shared(&mut self, product: &Product, pointer: &str) {
        if product.chart.is_some() {
            let detail = "a shared product has no chart: remove it, or set `delivery: dedicated`";
            self.report("runtime_unexpected", &below(pointer, "chart"), detail);
        }
    }

    fn chart(&mut self, chart: &Chart, pointer: &str) {
        match (&chart.path, &chart.reference) {
            (Some(path), None) => {
                let leaves = path.starts_with('/') || path.split('/').any(|part| part == "..");
                if path.is_empty() || leaves {
                    let detail = "the chart's path is relative to the chart directory and stays inside of it";
                    self.report("chart_path_invalid", &below(pointer, "path"), detail);
                }
            }
            (None, Some(_)) if chart.version.is_none() => {
                self.report("chart_version_missing", pointer, "a chart by `ref` needs a `version`");
            }
            (None, Some(_)) => {}
            _ => self.report(
                "chart_source",
                pointer,
                "a chart has either `path` or `ref`: keep one of them",
            ),
        }
    }

    fn egress(&mut self, rule: &Egress, pointer: &str) {
        if !is_network(&rule.cidr) {
            let detail = "a network is written as 203.0.113.0/24 or 2001:db8::/32";
            self.report("cidr_invalid", &below(pointer, "cidr"), detail);
        }
        if rule.ports.contains(&0) {
            self.report(
                "port_invalid",
                &below(pointer, "ports"),
                "a port is between 1 and 65535",
            );
        }
    }

    fn secrets(&mut self, product: &Product, pointer: &str) {
        let mut names = HashSet::new();
        for (index, secret) in product.secrets.iter().enumerate() {
            let pointer = format!("{pointer}/secrets/{index}");
            let name = &below(&pointer, "name");
            if !is_object_name(&secret.name) {
                let detail = "a Secret's name is up to 40 lower-case letters, digits and inner hyphens";
                self.report("secret_name_invalid", name, detail);
            }
            self.unique(&mut names, secret.name.as_str(), "secret_duplicate", name, || {
                format!("a secret `{}` stands above: put the keys together", secret.name)
            });
            if secret.keys.is_empty() {
                self.report("secret_empty", &pointer, "a secret needs at least one key");
            }
            for (index, key) in secret.keys.iter().enumerate() {
                let valid = !key.is_empty()
                    && key.len() <= 63
                    && key
                        .bytes()
                        .all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte));
                if !valid {
                    let detail =
                        "a secret's key is letters, digits, hyphens, dots and underscores, such as SESSION_KEY";
                    self.report("secret_key_invalid", &format!("{pointer}/keys/{index}"), detail);
                }
            }
        }
    }

    fn template(&mut self, values: &Map<String, Value>, pointer: &str) {
        for (key, value) in values {
            let inner = below(pointer, key);
            if key.contains("{{") {
                self.report(
                    "expression_in_key",
                    &inner,
                    "expressions stand in values only: write this key out",
                );
            }
            self.template_value(value, &inner);
        }
    }

    fn template_value(&mut self, value: &Value, pointer: &str) {
        match value {
            Value::Object(object) => self.template(object, pointer),
            Value::Array(items) => {
                for (index, item) in items.iter().enumerate() {
                    self.template_value(item, &below(pointer, &index.to_string()));
                }
            }
            Value::String(text) => {
                if let Err(error) = expressions::check(text) {
                    self.report("expression_invalid", pointer, error.to_string());
                }
            }
            _ => {}
        }
    }

    fn plans(&mut self, product: &Product, pointer: &str) {
        if product.plans.is_empty() {
            self.report(
                "plans_missing",
                &below(pointer, "plans"),
                "nobody can buy this: add a plan",
            );
        }
        let (mut keys, mut ranks) = (HashSet::new(), HashSet::new());
        let mut free: Option<&str> = None;
        for (index, plan) in product.plans.iter().enumerate() {
            let pointer = format!("{pointer}/plans/{index}");
            self.unique(
                &mut keys,
                plan.key.as_str(),
                "plan_duplicate",
                &below(&pointer, "key"),
                || format!("a plan `{}` stands above: give this one another key", plan.key),
            );
            self.unique(
                &mut ranks,
                plan.rank,
                "rank_duplicate",
                &below(&pointer, "rank"),
                || {
                    format!(
                        "another plan has rank {}: number the plans of a product from low to high",
                        plan.rank
                    )
                },
            );
            if plan.prices.is_empty()
                && let Some(other) = free.replace(&plan.key)
            {
                let detail = format!("`{other}` is free already: add a price here, or remove one of them");
                self.report("free_plan_duplicate", &pointer, detail);
            }
            self.plan(product, plan, &pointer);
        }
    }

    fn plan(&mut self, product: &Product, plan: &Plan, pointer: &str) {
        self.key(&plan.key, &below(pointer, "key"));
        self.name(&plan.name, &below(pointer, "name"));
        self.limits(&plan.limits, &below(pointer, "limits"));
        if let Some(Err(error)) = plan.quota.as_ref().map(|quota| quota.bounds().check()) {
            self.report("quota_invalid", &below(pointer, "quota"), error.to_string());
        }
        if plan
            .trial_days
            .is_some_and(|days| !(1..=MAX_TRIAL_DAYS).contains(&days))
        {
            let detail = format!("a trial lasts 1 to {MAX_TRIAL_DAYS} days: leave it out for none");
            self.report("trial_invalid", &below(pointer, "trial_days"), detail);
        }
        let mut seen = HashSet::new();
        for (index, price) in plan.prices.iter().enumerate() {
            let pointer = format!("{pointer}/prices/{index}");
            self.price(price, &pointer);
            let lookup_key = price.lookup_key(&product.key, &plan.key);
            self.unique(&mut seen, lookup_key, "price_duplicate", &pointer, || {
                let (interval, currency) = (price.interval.as_str(), price.currency.code());
                format!("a price for each {interval} in {currency} stands above: remove one")
            });
        }
    }

    fn price(&mut self, price: &Price, pointer: &str) {
        if !currencies::is_accepted(price.currency.code()) {
            let detail = format!(
                "payments cannot be taken in {}: use a code such as EUR",
                price.currency.code()
            );
            self.report("currency_unknown", &below(pointer, "currency"), detail);
        }
        let amount = &below(pointer, "amount_minor");
        if price.amount_minor < 0 {
            self.report("amount_negative", amount, "an amount is not negative");
        } else if price.amount_minor == 0 {
            self.report("amount_zero", amount, "a free plan has no prices: remove this one");
        } else if price.amount_minor > MAX_AMOUNT_MINOR {
            self.report(
                "amount_too_large",
                amount,
                format!("an amount is at most {MAX_AMOUNT_MINOR}"),
            );
        }
    }

    fn limits(&mut self, limits: &Limits, pointer: &str) {
        for (key, limit) in &limits.0 {
            let inner = below(pointer, key);
            self.key(key, &inner);
            if limit.is_some_and(i64::is_negative) {
                let detail = format!("`{key}` is negative: write a number from 0 up, or null for unlimited");
                self.report("limit_negative", &inner, detail);
            }
        }
    }

    fn key(&mut self, key: &str, pointer: &str) {
        let mut letters = key.bytes();
        let valid = letters.next().is_some_and(|first| first.is_ascii_lowercase())
            && key.len() <= 40
            && letters.all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_');
        if !valid {
            let detail = "a key is up to 40 lower-case letters, digits and underscores, and begins with a letter";
            self.report("key_invalid", pointer, detail);
        }
    }

    fn name(&mut self, name: &str, pointer: &str) {
        let length = name.chars().count();
        if name.trim().is_empty() || length > 100 || name.contains(char::is_control) {
            self.report(
                "name_invalid",
                pointer,
                "a name has 1 to 100 characters and no line breaks",
            );
        }
    }
}

fn is_object_name(text: &str) -> bool {
    let inner = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    (1..=40).contains(&text.len()) && text.bytes().all(inner) && !text.starts_with('-') && !text.ends_with('-')
}

fn is_network(text: &str) -> bool {
    let Some((address, prefix)) = text.split_once('/') else {
        return false;
    };
    let longest = match address.parse() {
        Ok(IpAddr::V4(_)) => 32,
        Ok(IpAddr::V6(_)) => 128,
        Err(_) => return false,
    };
    prefix.parse::<u8>().is_ok_and(|prefix| prefix <= longest)
}
