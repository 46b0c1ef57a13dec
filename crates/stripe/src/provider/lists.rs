//! Lists, page by page.

use serde::de::DeserializeOwned;
use serde_json::Value;
use tenantry_domain::billing::PaymentError;

use crate::{StripeClient, form::Form, wire::Page};

const PAGE_SIZE: usize = 100;
/// Ten thousand objects: whoever has more since a moment ago has another problem.
const MAX_PAGES: usize = 100;

impl StripeClient {
    /// The first object of a list, newest first, that `pick` takes. Objects that cannot be read are passed over.
    pub(super) async fn find_in_list<T: DeserializeOwned, R>(
        &self,
        path: &[&str],
        query: Form,
        mut pick: impl FnMut(T) -> Option<R>,
    ) -> Result<Option<R>, PaymentError> {
        let mut after: Option<String> = None;
        for _ in 0..MAX_PAGES {
            let query = query
                .clone()
                .with("limit", PAGE_SIZE)
                .with_some("starting_after", after.as_ref());
            let page: Page<Value> = self.get(path, &query).await?;
            after = page
                .data
                .last()
                .and_then(|object| object["id"].as_str())
                .map(str::to_owned);
            let objects = page
                .data
                .into_iter()
                .filter_map(|object| serde_json::from_value(object).ok());
            if let Some(found) = objects.into_iter().find_map(&mut pick) {
                return Ok(Some(found));
            }
            if !page.has_more || after.is_none() {
                break;
            }
        }
        Ok(None)
    }

    /// A whole list, newest first.
    pub(super) async fn whole_list<T: DeserializeOwned>(
        &self,
        path: &[&str],
        query: Form,
    ) -> Result<Vec<T>, PaymentError> {
        let mut all = Vec::new();
        let nothing: Option<()> = self
            .find_in_list(path, query, |object| {
                all.push(object);
                None
            })
            .await?;
        debug_assert!(nothing.is_none(), "nothing is picked");
        Ok(all)
    }
}
