//! Products: how Shopify shows them, and what the neutral record makes of that.

use super::cost;
use super::failure;
use super::graphql::Shop;
use super::node::{Node, Recorded, Then, amount, complete, cursor, extend, text};
use super::reading::{self, Kind, Shape};
use super::replies::{Listing, Medium, Parts, Product, ProductOption, ProductRest, SelectedOption, Variant};
use super::search;
use crate::{Error, Exchange, Key, ListQuery, Page, Result, Step, read};
use domain::{Fields, Record, Value};
use serde_json::json;
use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

const FIELDS: &str = include_str!("product_fields.graphql");
const PARTS: &str = include_str!("product_parts_fields.graphql");
const FIND: &str = include_str!("products_find.graphql");

/// What one product costs: itself 1, options 1, images with their address 2 each, variants with options and prices 3.
const fn cost_of(images: u32, variants: u32) -> u32 {
    2 + cost::connection(images, 2) + cost::connection(variants, 3)
}

/// In a listing: 2 + 11 × 43 = 475 points for 250 products.
pub(super) const PAGE: Shape =
    Shape { records: 250, each: cost_of(20, 100), sizes: &[("images", 20), ("variants", 100)] };
/// By id or key: 60 × 16 = 960 points. What has more images or variants is read on.
pub(super) const READ: Shape =
    Shape { records: 60, each: cost_of(3, 3), sizes: &[("images", 3), ("variants", 3)] };

/// Products read by id in one request. Shopify does not say how long a search may be; this one has 2,500 characters.
pub(super) const AT_ONCE: usize = 100;
/// Up to here `nodes(ids:)` is cheaper.
const FEW: usize = 20;

/// How products are read.
pub(super) fn kind() -> Kind {
    Kind {
        list: [include_str!("products_list.graphql"), FIELDS].concat(),
        get: [include_str!("products_get.graphql"), FIELDS].concat(),
        page: PAGE,
        read: READ,
    }
}

/// The products with these ids; what does not exist is absent.
///
/// Many are read through the listing, whose inner lists Shopify counts far more cheaply: 100 products cost 389 points
/// there and 1,600 by `nodes(ids:)`. What a listing does not show (its index learns of a new product a little late) is
/// asked for by id, so that only what is gone is absent.
pub(super) fn get(shop: &Shop, ids: &[String]) -> Result<Exchange<Vec<Record>>> {
    if ids.len() <= FEW {
        return reading::get::<Product>(shop, &kind(), ids);
    }
    reading::fits(ids.len(), AT_ONCE)?;
    let numbers = ids.iter().filter_map(|id| id.strip_prefix("gid://shopify/Product/"));
    let numbers = numbers.filter(|number| number.parse::<u64>().is_ok());
    let search = numbers.map(|number| format!("id:{number}")).collect::<Vec<_>>().join(" OR ");
    if search.is_empty() {
        return by_ids(shop, ids.to_vec(), Vec::new());
    }
    let first = u32::try_from(ids.len()).unwrap_or(u32::MAX);
    let kind = kind();
    let variables = reading::page_variables::<Product>(shop, &kind, first, None, Some(&search));
    let (again, ids) = (shop.clone(), ids.to_vec());
    shop.ask(&kind.list, variables, cost::connection(first, PAGE.each), move |reply| {
        let page = match failure::data::<Listing<Product>>(reply) {
            // Shopify counts connections by a rule it does not publish: should ours be off, the dearer way still goes.
            Err(error) if error.vendor_code.as_deref() == Some("MAX_COST_EXCEEDED") => {
                let exchange = by_ids(&again, ids.clone(), Vec::new())?;
                return Ok(Step::Next { exchange, after: Duration::ZERO });
            }
            listing => listing?.page,
        };
        let (shop, ids) = (again.clone(), ids.clone());
        let then: Then<Product, Vec<Record>> = Arc::new(move |nodes| {
            let mut found = reading::records(nodes)?;
            found.retain(|record| ids.contains(&record.id));
            let known: HashSet<&str> = found.iter().map(|record| record.id.as_str()).collect();
            let left: Vec<String> = ids.iter().filter(|id| !known.contains(id.as_str())).cloned().collect();
            if left.is_empty() {
                return Ok(Step::Done(found));
            }
            Ok(Step::Next { exchange: by_ids(&shop, left, found)?, after: Duration::ZERO })
        });
        complete(&again, page.nodes, &then)
    })
}

/// Adds the products with these ids, as many in one request as may be, to what was found.
fn by_ids(shop: &Shop, mut ids: Vec<String>, found: Vec<Record>) -> Result<Exchange<Vec<Record>>> {
    let later = ids.split_off(ids.len().min(READ.at_once()));
    let again = shop.clone();
    let then: Then<Product, Vec<Record>> = Arc::new(move |nodes| {
        let mut found = found.clone();
        found.extend(reading::records(nodes)?);
        if later.is_empty() {
            return Ok(Step::Done(found));
        }
        Ok(Step::Next { exchange: by_ids(&again, later.clone(), found)?, after: Duration::ZERO })
    });
    reading::nodes(shop, &kind(), &ids, then)
}

/// One page, those changed longest ago first.
pub(super) fn list(shop: &Shop, query: &ListQuery) -> Result<Exchange<Page>> {
    reading::list::<Product>(shop, &kind(), search::products(query)?, query)
}

/// The products that carry one of these values.
pub(super) fn find(shop: &Shop, key: &Key) -> Result<Exchange<Vec<Record>>> {
    let document = [FIND, FIELDS].concat();
    let by = |identifiers| reading::by_identifier::<Product>(shop, &document, &kind(), identifiers);
    match key {
        Key::External(keys) => by(keys.iter().map(|key| reading::external(key)).collect()),
        Key::Field { name, values } if name == "handle" => {
            by(values.iter().map(|handle| json!({ "handle": handle })).collect())
        }
        Key::Field { name, values } if name == "sku" || name == "variants[].sku" => {
            reading::fits(values.len(), READ.at_once())?;
            let wanted = values.clone();
            reading::search::<Product>(shop, &kind(), search::any_of("sku", values), move |record| {
                let variants = record.fields.get("variants").and_then(Value::as_array);
                variants.into_iter().flatten().any(|variant| {
                    variant
                        .get("sku")
                        .and_then(Value::as_str)
                        .is_some_and(|sku| wanted.iter().any(|one| one == sku))
                })
            })
        }
        Key::Field { name, .. } => {
            Err(Error::unsupported(format!("Shopify's products cannot be found by `{name}`")))
        }
    }
}

impl Node for Product {
    const REST_COST: u32 = 1 + cost::connection(250, 3) + cost::connection(50, 2);
    const REST_AT_ONCE: usize = 10;

    fn rest_document() -> String {
        // The fragment of the whole product would stand there unused, which GraphQL forbids.
        let shared = FIELDS.find("fragment images").and_then(|start| FIELDS.get(start..)).unwrap_or(FIELDS);
        [include_str!("product_rest.graphql"), shared].concat()
    }

    fn id(&self) -> &str {
        &self.id
    }

    fn missing(&self) -> Option<Vec<(&'static str, Value)>> {
        missing(&self.variants.page_info, &self.media.page_info)
    }

    fn append(&mut self, more: &Value) -> Result<()> {
        let ProductRest { media, variants } = read::part(more)?;
        media.map_or(Ok(()), |more| extend(&mut self.media, more))?;
        variants.map_or(Ok(()), |more| extend(&mut self.variants, more))
    }

    fn shared(shop: &Shop) -> Fields {
        shop.prices()
    }
}

impl Node for Parts {
    const REST_COST: u32 = 1 + cost::connection(250, 2) + cost::connection(50, 2);
    const REST_AT_ONCE: usize = 10;

    fn rest_document() -> String {
        [include_str!("product_parts_rest.graphql"), PARTS].concat()
    }

    fn id(&self) -> &str {
        &self.id
    }

    fn missing(&self) -> Option<Vec<(&'static str, Value)>> {
        missing(&self.variants.page_info, &self.media.page_info)
    }

    fn append(&mut self, more: &Value) -> Result<()> {
        let ProductRest { media, variants } = read::part(more)?;
        media.map_or(Ok(()), |more| extend(&mut self.media, more))?;
        variants.map_or(Ok(()), |more| extend(&mut self.variants, more))
    }

    fn shared(_: &Shop) -> Fields {
        Fields::new()
    }
}

fn missing(
    variants: &super::replies::PageInfo,
    media: &super::replies::PageInfo,
) -> Option<Vec<(&'static str, Value)>> {
    (variants.has_next_page || media.has_next_page).then(|| {
        vec![
            ("moreVariants", variants.has_next_page.into()),
            ("variantsAfter", cursor(variants)),
            ("moreImages", media.has_next_page.into()),
            ("imagesAfter", cursor(media)),
        ]
    })
}

impl Recorded for Product {
    fn into_record(self) -> Result<Record> {
        let plain = self.has_no_options();
        let modified_at = read::time(&self.updated_at)?;
        let variants =
            self.variants.nodes.iter().map(|variant| variant.neutral(plain)).collect::<Result<Vec<_>>>()?;
        let options: Vec<Value> =
            if plain { Vec::new() } else { self.options.iter().map(ProductOption::neutral).collect() };
        let images: Vec<Value> = self.media.nodes.iter().filter_map(Medium::neutral).collect();
        let fields = [
            ("title", self.title.into()),
            ("descriptionHtml", self.description_html.into()),
            ("handle", self.handle.into()),
            ("status", self.status.into()),
            ("vendor", self.vendor.into()),
            ("productType", self.product_type.into()),
            ("tags", self.tags.into()),
            ("images", images.into()),
            ("options", options.into()),
            ("variants", variants.into()),
        ];
        Ok(Record {
            id: self.id,
            fields: fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect(),
            modified_at: Some(modified_at),
            version: Some(self.updated_at),
            deleted: false,
        })
    }
}

impl Product {
    fn has_no_options(&self) -> bool {
        matches!(self.options.as_slice(), [option] if option.name == read::NO_OPTION.0 && option.values == [read::NO_OPTION.1])
    }

    /// Whether Shopify is still reading images that we gave it; until then they have no address.
    pub(super) fn has_unread_images(&self) -> bool {
        self.media.nodes.iter().any(|medium| {
            medium.is_image()
                && medium.image.is_none()
                && medium.status.as_deref().is_some_and(|s| s != "FAILED")
        })
    }
}

/// The option of a product without options, as Shopify wants it written.
pub(super) fn no_option() -> SelectedOption {
    SelectedOption { name: read::NO_OPTION.0.to_owned(), value: read::NO_OPTION.1.to_owned() }
}

impl ProductOption {
    fn neutral(&self) -> Value {
        json!({ "name": self.name, "values": self.values })
    }
}

impl Medium {
    /// Whether it is an image; films and models are left alone.
    pub(super) fn is_image(&self) -> bool {
        self.media_content_type == "IMAGE"
    }

    fn neutral(&self) -> Option<Value> {
        let image = self.image.as_ref().filter(|_| self.is_image())?;
        Some(json!({ "url": image.url, "alt": self.alt }))
    }
}

impl Variant {
    fn neutral(&self, plain: bool) -> Result<Value> {
        let options: Fields = self
            .selected_options
            .iter()
            .filter(|_| !plain)
            .map(|option| (option.name.clone(), Value::String(option.value.clone())))
            .collect();
        let prices = match &self.metafield {
            None => Value::Object(Fields::new()),
            // Somebody may have typed into the metafield: what is no JSON is shown as it is.
            Some(metafield) => serde_json::from_str(&metafield.value)
                .unwrap_or_else(|_| Value::String(read::excerpt(&metafield.value))),
        };
        let fields = [
            ("sku", text(self.sku.clone())),
            ("barcode", text(self.barcode.clone())),
            ("price", amount(&self.price)?),
            ("compareAtPrice", amount(&self.compare_at_price)?),
            ("options", Value::Object(options)),
            ("prices", prices),
        ];
        Ok(Value::Object(fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()))
    }
}
