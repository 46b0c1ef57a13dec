//! Lists, page by page.

use serde::de::DeserializeOwned;
use serde_json::Value;
use tenantry_domain::billing::PaymentError;

use crate::{StripeClient, form::Form, wire::Page};

const PAGE_SIZE: usize = 100;
/// Ten thousand objects: what is looked for was made a moment ago, and stands before so many.
const MAX_PAGES_SEARCHED: usize = 100;
/// Stripe lists its events of thirty days; an installation that asks for them instead of having them sent has fewer.
const MAX_PAGES: usize = 1_000;

impl StripeClient {
    /// The first object of a list, newest first, that `pick` takes. Objects that cannot be read are passed over.
    ///
    /// # Errors
    /// Also when the list goes on after ten thousand objects: that nothing was found there does not say that it is not
    /// there, and whoever believed so would make it a second time.
    pub(super) async fn find_in_list<T: DeserializeOwned, R>(
        &self,
        path: &[&str],
        query: Form,
        pick: impl FnMut(T) -> Option<R>,
    ) -> Result<Option<R>, PaymentError> {
        self.look_through(path, query, MAX_PAGES_SEARCHED, pick).await
    }

    /// Hands over a whole list, newest first.
    ///
    /// # Errors
    /// Also when the list is longer than any that is asked for: a part of it must not pass for the whole.
    pub(super) async fn each_in_list<T: DeserializeOwned>(
        &self,
        path: &[&str],
        query: Form,
        mut each: impl FnMut(T),
    ) -> Result<(), PaymentError> {
        self.look_through(path, query, MAX_PAGES, |object| {
            each(object);
            None::<()>
        })
        .await?;
        Ok(())
    }

    async fn look_through<T: DeserializeOwned, R>(
        &self,
        path: &[&str],
        query: Form,
        max_pages: usize,
        mut pick: impl FnMut(T) -> Option<R>,
    ) -> Result<Option<R>, PaymentError> {
        let mut after: Option<String> = None;
        for _ in 0..max_pages {
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
            if !page.has_more {
                return Ok(None);
            }
            if after.is_none() {
                break;
            }
        }
        Err(PaymentError::Unreadable {
            reason: format!("the list of {} does not end", path.join("/")),
        })
    }
}
