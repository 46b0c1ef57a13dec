//! What a tenant is made from, as the ledger has it when a step looks: product, plan, names.

use serde_json::{Map, Value, json};
use tenantry_domain::{
    billing::catalog::{PlanTerms, Product},
    provisioning::{Quota, Workload, identifiers, values},
};
use tenantry_operations::{Failure, StepError};
use tenantry_postgres::provisioning::{blueprints, tenants};

use super::{failure, steps::Subject};
use crate::App;

/// The host label of a tenant, its product and its plan.
pub(super) struct Blueprint {
    pub(super) organization_name: String,
    pub(super) owner_email: Option<String>,
    pub(super) host: String,
    pub(super) workload: Workload,
    pub(super) quota: Quota,
    plan_key: String,
    plan_name: String,
    product_name: String,
}

impl Blueprint {
    /// Reads it anew: the product may have been mended in the catalog since the last attempt. The plan version is the one
    /// that the operation was queued with and that its end records.
    pub(super) async fn load(app: &App, subject: &Subject) -> Result<Self, StepError> {
        let mut tx = app
            .database
            .read_system("read what a tenant is made from")
            .await
            .map_err(failure::of_database)?;
        let row = blueprints::find(&mut tx, subject.tenant, subject.plan_version)
            .await
            .map_err(failure::of_database)?;
        let tenant = tenants::find(&mut tx, subject.tenant)
            .await
            .map_err(failure::of_database)?;
        tx.commit().await.map_err(failure::of_database)?;
        let (Some(row), Some(host)) = (row, tenant.and_then(|tenant| tenant.host)) else {
            return Err(unusable("its product, plan or host is not in the ledger"));
        };
        let product: Product = serde_json::from_value(row.product_definition).map_err(unusable)?;
        let terms: PlanTerms = serde_json::from_value(row.plan_definition).map_err(unusable)?;
        let workload = product
            .workload()
            .ok_or_else(|| unusable("the product is not delivered as tenants"))?;
        let quota = terms
            .quota
            .as_ref()
            .ok_or_else(|| unusable("the plan has no quota"))?
            .bounds();
        quota.check().map_err(unusable)?;
        Ok(Self {
            organization_name: row.organization_name,
            owner_email: row.owner_email,
            host,
            workload,
            quota,
            plan_key: row.plan,
            plan_name: terms.name,
            product_name: product.name,
        })
    }

    /// All values of the chart: the catalog's own with their expressions resolved, and over them what is Tenantry's to
    /// decide.
    pub(super) fn values(&self, app: &App, subject: &Subject) -> Result<Map<String, Value>, StepError> {
        let mut merged = values::resolve(&self.workload.values, &self.variables(app, subject)).map_err(unusable)?;
        let (repository, tag) = self
            .workload
            .image
            .rsplit_once(':')
            .filter(|(_, tag)| !tag.contains('/'))
            .ok_or_else(|| unusable("the product's image has no tag"))?;
        let labels = json!({
            identifiers::INSTALLATION: app.settings.installation.to_string(),
            identifiers::ORGANIZATION: subject.organization.to_string(),
            identifiers::TENANT: subject.tenant.to_string(),
            identifiers::PRODUCT: subject.product,
        });
        let decided = json!({
            "image": {"repository": repository, "tag": tag},
            "port": self.workload.port,
            "probe": {"path": self.workload.health_path},
            "ingress": {"host": self.host, "className": app.settings.ingress_class},
            "serviceAccountName": identifiers::SERVICE_ACCOUNT,
            "labels": labels,
        });
        merge(&mut merged, decided);
        merged.entry("resources").or_insert_with(|| self.resources());
        Ok(merged)
    }

    /// The share of the plan that one pod gets where the catalog does not say it.
    fn resources(&self) -> Value {
        let share = self.quota.container_share();
        json!({
            "requests": {"cpu": format!("{}m", share.request_cpu_milli), "memory": share.request_memory_bytes.to_string()},
            "limits": {"cpu": format!("{}m", share.limit_cpu_milli), "memory": share.limit_memory_bytes.to_string()},
        })
    }

    fn variables(&self, app: &App, subject: &Subject) -> values::Variables {
        values::Variables::from([
            ("tenant.id", json!(subject.tenant)),
            ("tenant.name", json!(subject.name)),
            ("tenant.host", json!(self.host)),
            ("tenant.url", json!(app.settings.tenant_url(&self.host))),
            ("tenant.namespace", json!(subject.namespace)),
            ("tenant.release", json!(subject.release)),
            ("organization.id", json!(subject.organization)),
            ("organization.name", json!(self.organization_name)),
            ("product.key", json!(subject.product)),
            ("product.name", json!(self.product_name)),
            ("product.port", json!(self.workload.port)),
            ("product.health_path", json!(self.workload.health_path)),
            ("plan.key", json!(self.plan_key)),
            ("plan.name", json!(self.plan_name)),
        ])
    }
}

/// Lays `over` onto `base`, object by object.
fn merge(base: &mut Map<String, Value>, over: Value) {
    let Value::Object(over) = over else { return };
    for (key, value) in over {
        match (base.get_mut(&key), value) {
            (Some(Value::Object(below)), value @ Value::Object(_)) => merge(below, value),
            (_, value) => {
                base.insert(key, value);
            }
        }
    }
}

fn unusable(technical: impl ToString) -> StepError {
    Failure::new(
        "catalog_unusable",
        "The product's description of what to run is faulty.",
    )
    .technical(technical)
    .into_give_up()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_decided_lies_over_what_the_catalog_says() {
        let mut values = json!({"image": {"pullPolicy": "Never", "tag": "9"}, "env": {"A": "b"}})
            .as_object()
            .cloned()
            .unwrap();
        merge(&mut values, json!({"image": {"tag": "1"}, "port": 1}));
        assert_eq!(
            Value::Object(values),
            json!({"image": {"pullPolicy": "Never", "tag": "1"}, "env": {"A": "b"}, "port": 1})
        );
    }

    #[test]
    fn every_name_that_the_catalog_allows_is_known_here() {
        let known = include_str!("blueprint.rs");
        for name in tenantry_domain::billing::catalog::VARIABLES {
            assert!(known.contains(&format!("(\"{name}\", json!")), "{name}");
        }
    }
}
