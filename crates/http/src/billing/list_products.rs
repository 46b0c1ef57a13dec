//! What is sold. Anybody may look.

use axum::{Json, extract::State};
use serde::Serialize;
use tenantry_app::billing::catalog::products_on_sale;
use utoipa::ToSchema;

use super::views::Product;
use crate::AppState;

/// All products on sale.
#[derive(Debug, Serialize, ToSchema)]
pub struct ProductList {
    /// The products.
    pub items: Vec<Product>,
    /// Always null: all products are on one page.
    #[schema(required)]
    pub next_cursor: Option<String>,
}

/// Lists what can be bought, with plans and prices.
#[utoipa::path(
    get, path = "/products", tag = "billing",
    responses((status = 200, description = "All products on sale", body = ProductList))
)]
pub(super) async fn list_products(State(state): State<AppState>) -> Json<ProductList> {
    let catalog = state.app.catalog.current();
    let items = products_on_sale(&catalog)
        .map(|product| Product::new(&catalog, product))
        .collect();
    Json(ProductList {
        items,
        next_cursor: None,
    })
}
