//! The account itself: tokens, permissions, definitions, fields; and deletions.

use super::cost;
use super::failure;
use super::graphql::{KEY_NAME, KEY_NAMESPACE, Shop, numbered, repeat};
use super::reading;
use super::replies::{BoughtToken, WhoAmI};
use crate::{
    Account, Error, ErrorKind, Exchange, Reply, Result, SchemaField, SchemaObject, Step, TestReport, Token,
    read,
};
use domain::auth::Scheme;
use domain::{Fields, ItemType, Value};
use serde_json::json;

const DELETE: &str = include_str!("products_delete.graphql");
const DEFINE: &str = include_str!("metafield_definitions.graphql");

/// What we need to be allowed. Reading orders older than 60 days needs `read_all_orders` as well.
const SCOPES: [&str; 7] = [
    "read_products",
    "write_products",
    "read_inventory",
    "write_inventory",
    "read_locations",
    "read_orders",
    "write_orders",
];

/// The request that buys an access token; `secrets` fills in the form
/// (<https://shopify.dev/docs/apps/build/authentication-authorization/access-tokens/client-credentials-grant>).
pub(super) fn token(account: &Account) -> Result<Exchange<Token>> {
    let base = account.base_url.as_str().trim_end_matches('/');
    let request = http::Request::post(format!("{base}/admin/oauth/access_token"))
        .header(http::header::CONTENT_TYPE, "application/x-www-form-urlencoded")
        .header(http::header::ACCEPT, "application/json")
        .body(Vec::new())
        .map_err(|error| Error::unexpected(error.to_string()))?;
    Ok(Exchange::new(request, Scheme::ClientSecretForm, |reply| {
        if matches!(reply.status().as_u16(), 400 | 401 | 403) {
            let message =
                "Shopify does not accept the client id and secret, or the app is not installed in this shop";
            return Err(Error::new(ErrorKind::Unauthorized, message).with_code(reply.status().as_str()));
        }
        if let Some(error) = failure::status(reply) {
            return Err(error);
        }
        let BoughtToken { access_token, expires_in } = read::json(reply.body())?;
        if access_token.is_empty() {
            return Err(Error::unexpected("Shopify answered with an empty access token"));
        }
        // Documented as 86,399 seconds; a reply that does not say it is believed for an hour.
        let expires_in =
            read::integer(&expires_in).and_then(|seconds| u64::try_from(seconds).ok()).unwrap_or(3_600);
        Ok(Token { access_token, expires_in })
    }))
}

/// The shop's name, what we may not do, and whether the API version is still the one asked for.
pub(super) fn test(shop: &Shop) -> Result<Exchange<TestReport>> {
    let version = shop.version.clone();
    shop.ask(include_str!("shop.graphql"), Fields::new(), 3, move |reply| {
        let WhoAmI { shop, current_app_installation } = failure::data(reply)?;
        let has = |scope: &str| current_app_installation.access_scopes.iter().any(|one| one.handle == scope);
        // Who may write may also read.
        let may = |scope: &str| has(scope) || has(&scope.replacen("read_", "write_", 1));
        let missing = SCOPES.iter().filter(|scope| !may(scope)).map(|scope| (*scope).to_owned()).collect();
        Ok(Step::Done(TestReport {
            account_name: shop.name,
            currency: shop.currency_code,
            missing_permissions: missing,
            warnings: fell_forward(reply, &version).into_iter().collect(),
        }))
    })
}

/// A version that is no longer served is answered by a newer one, which the reply names.
fn fell_forward(reply: &Reply, asked: &str) -> Option<String> {
    let served = reply.headers().get("x-shopify-api-version")?.to_str().ok()?;
    (served != asked).then(|| {
        format!(
            "Shopify answers with API version {} instead of {asked}; set `api_version` anew",
            read::excerpt(served)
        )
    })
}

/// Makes the definitions of our metafields. One that is there already is fine.
pub(super) fn prepare(shop: &Shop, item_type: ItemType) -> Result<Option<Exchange<()>>> {
    let key = |owner: &str| {
        json!({
            "name": "Syncline key", "namespace": KEY_NAMESPACE, "key": KEY_NAME, "ownerType": owner, "type": "id",
            "description": "Identifies the record in the system it is kept equal with.",
            "capabilities": { "uniqueValues": { "enabled": true } },
        })
    };
    let prices = json!({
        "name": "Prices", "namespace": &*shop.prices.0, "key": &*shop.prices.1, "ownerType": "PRODUCTVARIANT",
        "type": "json", "description": "Prices in further currencies.",
    });
    let definitions = match item_type {
        ItemType::Product => vec![key("PRODUCT"), prices],
        ItemType::Order => vec![key("ORDER")],
        ItemType::Inventory | ItemType::Customer => return Ok(None),
    };
    let count = definitions.len();
    let variables = numbered(definitions.into_iter().map(|definition| vec![("definition", definition)]));
    let exchange = shop.ask(&repeat(DEFINE, count), variables, 22, move |reply| {
        for answer in failure::each(reply, count)? {
            match failure::user_errors(&answer?) {
                Err(error) if error.vendor_code.as_deref() != Some("TAKEN") => return Err(error),
                _ => {}
            }
        }
        Ok(Step::Done(()))
    })?;
    Ok(Some(exchange))
}

/// Deletes products; one that is gone already counts as deleted.
pub(super) fn delete(shop: &Shop, ids: &[String]) -> Result<Exchange<Vec<Result<()>>>> {
    reading::fits(ids.len(), super::product_write::AT_ONCE)?;
    let count = ids.len();
    let variables = numbered(ids.iter().map(|id| vec![("id", Value::String(id.clone()))]));
    let cost = cost::times(count, cost::MUTATION);
    shop.ask(&repeat(DELETE, count), variables, cost, move |reply| {
        let outcomes = failure::each(reply, count)?.into_iter().map(|answer| {
            match answer.and_then(|payload| failure::user_errors(&payload)) {
                Err(error) if failure::is_gone(&error) => Ok(()),
                outcome => outcome,
            }
        });
        Ok(Step::Done(outcomes.collect()))
    })
}

/// A neutral field: its path, its kind, whether it is written, whether a new record needs it, and Shopify's field.
type Row = (&'static str, &'static str, bool, bool, &'static str, &'static str);

const PRODUCT: [Row; 16] = [
    ("title", "text", true, true, "product", "title"),
    ("descriptionHtml", "text", true, false, "product", "descriptionHtml"),
    ("handle", "text", true, false, "product", "handle"),
    ("status", "text", true, false, "product", "status"),
    ("vendor", "text", true, false, "product", "vendor"),
    ("productType", "text", true, false, "product", "productType"),
    ("tags", "list", true, false, "product", "tags"),
    ("images", "list", true, false, "product", "media"),
    ("options", "list", true, false, "product", "options"),
    ("variants", "list", true, false, "product", "variants"),
    ("variants[].sku", "text", true, false, "variant", "sku"),
    ("variants[].barcode", "text", true, false, "variant", "barcode"),
    ("variants[].price", "money", true, false, "variant", "price"),
    ("variants[].compareAtPrice", "money", true, false, "variant", "compareAtPrice"),
    ("variants[].options", "object", true, false, "variant", "selectedOptions"),
    ("variants[].prices", "object", true, false, "variant", "metafield"),
];

const INVENTORY: [Row; 3] = [
    ("sku", "text", false, false, "inventory", "sku"),
    ("tracked", "boolean", false, false, "inventory", "tracked"),
    ("quantities", "object", true, false, "inventory", "inventoryLevels"),
];

const ORDER: [Row; 15] = [
    ("name", "text", true, false, "order", "name"),
    ("email", "text", true, false, "order", "email"),
    ("currency", "text", true, false, "order", "currencyCode"),
    ("processedAt", "time", true, false, "order", "processedAt"),
    ("note", "text", true, false, "order", "note"),
    ("tags", "list", true, false, "order", "tags"),
    ("financialStatus", "text", true, false, "order", "displayFinancialStatus"),
    ("fulfillmentStatus", "text", true, false, "order", "displayFulfillmentStatus"),
    ("total", "money", false, false, "order", "totalPriceSet"),
    ("lines", "list", true, true, "order", "lineItems"),
    ("lines[].sku", "text", true, false, "line", "sku"),
    ("lines[].title", "text", true, false, "line", "title"),
    ("lines[].quantity", "number", true, true, "line", "quantity"),
    ("lines[].price", "money", true, false, "line", "originalUnitPriceSet"),
    ("shippingAddress", "object", true, false, "order", "shippingAddress"),
];

/// The neutral fields, without those that the version in use no longer has.
pub(super) fn schema(shop: &Shop) -> Result<Exchange<Vec<SchemaObject>>> {
    shop.ask(include_str!("schema.graphql"), Fields::new(), 20, |reply| {
        let types: Value = failure::data(reply)?;
        let has = |row: &Row| {
            let fields = types.get(row.4).and_then(|kind| kind.get("fields")).and_then(Value::as_array);
            fields.into_iter().flatten().any(|field| field.get("name").and_then(Value::as_str) == Some(row.5))
        };
        let object = |item_type, rows: &[Row]| SchemaObject {
            item_type,
            fields: rows.iter().filter(|row| has(row)).map(field).collect(),
        };
        Ok(Step::Done(vec![
            object(ItemType::Product, &PRODUCT),
            object(ItemType::Inventory, &INVENTORY),
            object(ItemType::Order, &ORDER),
        ]))
    })
}

fn field(&(path, kind, writable, required, ..): &Row) -> SchemaField {
    SchemaField { path: path.to_owned(), kind: kind.to_owned(), writable, required }
}
