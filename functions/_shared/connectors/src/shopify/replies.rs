//! Shopify's JSON, only the fields we use.

use domain::Value;
use serde::Deserialize;

/// Where a connection goes on.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct PageInfo {
    pub(super) has_next_page: bool,
    pub(super) end_cursor: Option<String>,
}

/// A part of a list.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Connection<T> {
    pub(super) nodes: Vec<T>,
    pub(super) page_info: PageInfo,
}

/// A page of a listing.
#[derive(Deserialize)]
pub(super) struct Listing<T> {
    pub(super) page: Connection<T>,
}

/// What a shop sends, and where.
#[derive(Deserialize)]
pub(super) struct WebhookSubscription {
    pub(super) id: String,
    pub(super) topic: String,
    pub(super) uri: String,
}

/// The answer to `nodes(ids:)`: one value per id, null or without fields for what does not exist.
#[derive(Deserialize)]
pub(super) struct Nodes {
    pub(super) nodes: Vec<Value>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Product {
    pub(super) id: String,
    pub(super) updated_at: String,
    pub(super) title: String,
    pub(super) description_html: String,
    pub(super) handle: String,
    pub(super) status: String,
    pub(super) vendor: String,
    pub(super) product_type: String,
    pub(super) tags: Vec<String>,
    pub(super) options: Vec<ProductOption>,
    pub(super) media: Connection<Medium>,
    pub(super) variants: Connection<Variant>,
}

#[derive(Debug, Clone, Deserialize)]
pub(super) struct ProductOption {
    pub(super) name: String,
    pub(super) values: Vec<String>,
}

/// An image, a film or a model. Only images have an `image`, and only once Shopify has read them.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Medium {
    #[serde(default)]
    pub(super) id: Option<String>,
    pub(super) media_content_type: String,
    #[serde(default)]
    pub(super) status: Option<String>,
    #[serde(default)]
    pub(super) alt: Option<String>,
    #[serde(default)]
    pub(super) image: Option<Image>,
}

#[derive(Debug, Clone, Deserialize)]
pub(super) struct Image {
    pub(super) url: String,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Variant {
    #[serde(default)]
    pub(super) id: Option<String>,
    pub(super) sku: Option<String>,
    #[serde(default)]
    pub(super) barcode: Option<String>,
    #[serde(default)]
    pub(super) price: Value,
    #[serde(default)]
    pub(super) compare_at_price: Value,
    pub(super) selected_options: Vec<SelectedOption>,
    #[serde(default)]
    pub(super) metafield: Option<Metafield>,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(super) struct SelectedOption {
    pub(super) name: String,
    pub(super) value: String,
}

#[derive(Debug, Clone, Deserialize)]
pub(super) struct Metafield {
    pub(super) value: String,
}

/// What a product consists of, by id.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Parts {
    pub(super) id: String,
    pub(super) media: Connection<Medium>,
    pub(super) variants: Connection<Variant>,
}

/// The rest of a product's lists; those not asked for are absent.
#[derive(Deserialize)]
pub(super) struct ProductRest {
    #[serde(default)]
    pub(super) media: Option<Connection<Medium>>,
    #[serde(default)]
    pub(super) variants: Option<Connection<Variant>>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct InventoryItem {
    pub(super) id: String,
    pub(super) updated_at: String,
    pub(super) sku: Option<String>,
    pub(super) tracked: bool,
    pub(super) inventory_levels: Connection<Level>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Level {
    pub(super) updated_at: String,
    pub(super) location: Named,
    pub(super) quantities: Vec<Quantity>,
}

#[derive(Debug, Clone, Deserialize)]
pub(super) struct Named {
    pub(super) name: String,
}

#[derive(Debug, Clone, Deserialize)]
pub(super) struct Quantity {
    pub(super) name: String,
    pub(super) quantity: Value,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct InventoryRest {
    pub(super) inventory_levels: Connection<Level>,
}

#[derive(Debug, Clone, Deserialize)]
pub(super) struct Location {
    pub(super) id: String,
    pub(super) name: String,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Order {
    pub(super) id: String,
    pub(super) updated_at: String,
    pub(super) name: String,
    pub(super) email: Option<String>,
    pub(super) currency_code: String,
    pub(super) processed_at: String,
    pub(super) note: Option<String>,
    pub(super) tags: Vec<String>,
    pub(super) display_financial_status: Option<String>,
    pub(super) display_fulfillment_status: String,
    pub(super) total_price_set: MoneyBag,
    pub(super) shipping_address: Option<Address>,
    pub(super) line_items: Connection<Line>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct MoneyBag {
    pub(super) shop_money: Money,
}

#[derive(Debug, Clone, Deserialize)]
pub(super) struct Money {
    pub(super) amount: Value,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Address {
    pub(super) name: Option<String>,
    pub(super) address1: Option<String>,
    pub(super) address2: Option<String>,
    pub(super) city: Option<String>,
    pub(super) zip: Option<String>,
    pub(super) province: Option<String>,
    pub(super) province_code: Option<String>,
    pub(super) country_code_v2: Option<String>,
    pub(super) phone: Option<String>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Line {
    pub(super) sku: Option<String>,
    pub(super) title: String,
    pub(super) quantity: Value,
    pub(super) original_unit_price_set: MoneyBag,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct OrderRest {
    pub(super) line_items: Connection<Line>,
}

/// The answer to `shop.graphql`.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct WhoAmI {
    pub(super) shop: ShopName,
    pub(super) current_app_installation: Installation,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ShopName {
    pub(super) name: String,
    pub(super) currency_code: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Installation {
    pub(super) access_scopes: Vec<Scope>,
}

#[derive(Deserialize)]
pub(super) struct Scope {
    pub(super) handle: String,
}

/// An access token as Shopify gives it.
#[derive(Deserialize)]
pub(super) struct BoughtToken {
    pub(super) access_token: String,
    #[serde(default)]
    pub(super) expires_in: Value,
}
