//! Lists in pages: `?limit=50&cursor=…&search=…`, answered by `{"items": […], "next_cursor": null}`.

use axum::extract::FromRequestParts;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD as BASE64};
use hmac::{Hmac, KeyInit, Mac};
use http::request::Parts;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use sha2::Sha256;
use subtle::ConstantTimeEq;
use utoipa::IntoParams;

use crate::{
    AppState, ValidQuery,
    problem::{Problem, kinds},
};

const DEFAULT_LIMIT: u16 = 50;
const MAX_LIMIT: u16 = 200;
const MAX_SEARCH_CHARS: usize = 200;
const MAX_CURSOR_BYTES: usize = 2048;
const MAC_BYTES: usize = 16;

/// The query of a list, as it is described: `params(PageParameters)`.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct PageParameters {
    /// Items on the page.
    #[param(minimum = 1, maximum = 200, default = 50)]
    limit: Option<u16>,
    /// `next_cursor` of the page before; none for the first.
    cursor: Option<String>,
    /// What items must contain.
    #[param(max_length = 200)]
    search: Option<String>,
}

/// Which page of a list is asked for.
#[derive(Debug, Clone)]
pub struct Paging {
    /// Items on the page.
    pub limit: u16,
    /// What items must contain, trimmed; `None` for all.
    pub search: Option<String>,
    cursor: Option<String>,
}

impl FromRequestParts<AppState> for Paging {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, Problem> {
        let ValidQuery(query) = ValidQuery::<PageParameters>::from_request_parts(parts, state).await?;
        let limit = query.limit.unwrap_or(DEFAULT_LIMIT);
        if !(1..=MAX_LIMIT).contains(&limit) {
            return Err(Problem::new(
                kinds::INVALID_QUERY,
                format!("limit goes from 1 to {MAX_LIMIT}."),
            ));
        }
        let search = query
            .search
            .map(|search| search.trim().to_owned())
            .filter(|search| !search.is_empty());
        if search
            .as_ref()
            .is_some_and(|search| search.chars().count() > MAX_SEARCH_CHARS || search.contains('\0'))
        {
            return Err(Problem::new(
                kinds::INVALID_QUERY,
                format!("search takes up to {MAX_SEARCH_CHARS} characters."),
            ));
        }
        Ok(Self {
            limit,
            search,
            cursor: query.cursor.filter(|cursor| !cursor.is_empty()),
        })
    }
}

impl Paging {
    /// How many rows to fetch: one more than the page holds, which says whether another page follows.
    #[must_use]
    pub fn fetch(&self) -> i64 {
        i64::from(self.limit) + 1
    }

    /// The key of the last item on the page before, if this is not the first page. `list` names the list and everything
    /// that it is filtered by, so that a cursor cannot be taken to another.
    ///
    /// # Errors
    /// When the cursor was changed or is another list's.
    pub fn after<K: DeserializeOwned>(&self, state: &AppState, list: &str) -> Result<Option<K>, Problem> {
        let Some(cursor) = &self.cursor else { return Ok(None) };
        open(state, &self.scope(list), cursor)
            .map(Some)
            .ok_or_else(|| Problem::of(kinds::INVALID_CURSOR))
    }

    /// Cuts the extra row off and makes the next page's cursor of the last key.
    pub fn finish<T, K: Serialize>(
        &self,
        state: &AppState,
        list: &str,
        mut rows: Vec<T>,
        key: impl Fn(&T) -> K,
    ) -> (Vec<T>, Option<String>) {
        let limit = usize::from(self.limit);
        if rows.len() <= limit {
            return (rows, None);
        }
        rows.truncate(limit);
        let next = rows.last().map(|last| seal(state, &self.scope(list), &key(last)));
        (rows, next)
    }

    fn scope(&self, list: &str) -> String {
        format!("{list}\n{}", self.search.as_deref().unwrap_or_default())
    }
}

fn seal(state: &AppState, scope: &str, key: &impl Serialize) -> String {
    // Keys are ids, names and times, which always serialise.
    let payload = serde_json::to_vec(key).unwrap_or_default();
    let mac = sign(state, scope, &payload);
    BASE64.encode([mac.as_slice(), &payload].concat())
}

fn open<K: DeserializeOwned>(state: &AppState, scope: &str, cursor: &str) -> Option<K> {
    if cursor.len() > MAX_CURSOR_BYTES {
        return None;
    }
    let bytes = BASE64.decode(cursor).ok()?;
    let (mac, payload) = bytes.split_at_checked(MAC_BYTES)?;
    if !bool::from(mac.ct_eq(&sign(state, scope, payload))) {
        return None;
    }
    serde_json::from_slice(payload).ok()
}

fn sign(state: &AppState, scope: &str, payload: &[u8]) -> Vec<u8> {
    // HMAC takes keys of any length.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(state.cursor_key.as_slice()) else {
        return vec![0; MAC_BYTES];
    };
    mac.update(&(scope.len() as u64).to_be_bytes());
    mac.update(scope.as_bytes());
    mac.update(payload);
    mac.finalize().into_bytes()[..MAC_BYTES].to_vec()
}

/// Declares the type of one page: `page_of!(TenantPage, TenantSummary, "Tenants of an organization.");`
#[macro_export]
macro_rules! page_of {
    ($name:ident, $item:ty, $doc:literal) => {
        #[doc = $doc]
        #[derive(Debug, serde::Serialize, utoipa::ToSchema)]
        pub struct $name {
            /// The items of this page.
            pub items: Vec<$item>,
            /// Pass as `cursor` for the next page; null on the last.
            #[schema(required)]
            pub next_cursor: Option<String>,
        }
    };
}
