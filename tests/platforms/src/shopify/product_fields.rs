//! The fields of products and their variants.

use serde_json::{Value, json};

use super::objects::{Arguments, count, held, listed};
use super::out::{Kind, Out};
use super::page::Paging;
use super::records::{Media, Product, Variant};
use super::{gid, stamp};

pub(super) fn product(it: &Product, field: &str, arguments: &Arguments) -> Result<Out, String> {
    Ok(match field {
        "id" => gid("Product", it.id).into(),
        "legacyResourceId" => it.id.to_string().into(),
        "title" => it.title.clone().into(),
        "handle" => it.handle.clone().into(),
        "descriptionHtml" => it.description_html.clone().into(),
        "description" => cut(&plain(&it.description_html), arguments).into(),
        "status" => it.status.clone().into(),
        "vendor" => it.vendor.clone().into(),
        "productType" => it.product_type.clone().into(),
        "tags" => it.tags.clone().into(),
        "seo" => json!({ "title": it.seo.0, "description": it.seo.1 }).into(),
        "isGiftCard" => false.into(),
        "createdAt" => stamp(it.created_at).into(),
        "publishedAt" => (it.status == "ACTIVE").then(|| stamp(it.created_at)).into(),
        "updatedAt" => stamp(it.updated_at).into(),
        "hasOnlyDefaultVariant" => {
            (it.variants.len() == 1 && it.variants.iter().any(|v| v.title() == "Default Title")).into()
        }
        "totalInventory" => it.variants.iter().map(Variant::available).sum::<i64>().into(),
        "tracksInventory" => it.variants.iter().any(|variant| variant.tracked).into(),
        "variantsCount" => count(it.variants.len()),
        "mediaCount" => count(it.media.len()),
        "featuredMedia" => it.media.first().map_or(Out::NULL, |first| media(it, first)),
        "options" => options(it, arguments),
        "variants" => variants(it, arguments)?,
        "images" => {
            let images = it.media.iter().map(|media| (media.id, Out::Leaf(image(media))));
            listed(images, arguments)?
        }
        "media" => listed(it.media.iter().map(|known| (known.id, media(it, known))), arguments)?,
        "metafield" | "metafields" => held(&it.metafields, "PRODUCT", field, arguments)?,
        _ => Out::NULL,
    })
}

fn variants(it: &Product, arguments: &Arguments) -> Result<Out, String> {
    let by_position = arguments.get("sortKey").and_then(Value::as_str).is_none_or(|key| key == "POSITION");
    let records = it.variants.iter().enumerate().map(|(position, variant)| {
        let order = if by_position { format!("{position:06}") } else { format!("{:020}", variant.id) };
        ((order, variant.id), Out::Ref(Kind::Variant(variant.id)))
    });
    let mut records: Vec<_> = records.collect();
    records.sort_by(|left, right| left.0.cmp(&right.0));
    Ok(Paging::read(arguments)?.of_sorted(records))
}

fn options(it: &Product, arguments: &Arguments) -> Out {
    let first = arguments.get("first").and_then(Value::as_u64).and_then(|n| usize::try_from(n).ok());
    let shown = it.options.iter().take(first.unwrap_or(usize::MAX)).enumerate().map(|(at, option)| {
        let used = |name: &str| {
            it.variants.iter().any(|v| v.options.iter().any(|(o, value)| *o == option.name && value == name))
        };
        let values: Vec<Value> = option
            .values
            .iter()
            .map(|(id, name)| json!({ "id": gid("ProductOptionValue", *id), "name": name, "hasVariants": used(name) }))
            .collect();
        let names: Vec<&str> = option.values.iter().map(|(_, name)| name.as_str()).filter(|name| used(name)).collect();
        json!({
            "id": gid("ProductOption", option.id),
            "name": option.name,
            "position": at + 1,
            "values": names,
            "optionValues": values,
        })
    });
    Out::Leaf(shown.collect())
}

fn image(media: &Media) -> Value {
    let alt = (!media.alt.is_empty()).then_some(media.alt.as_str());
    json!({ "id": gid("ProductImage", media.id), "url": media.url, "altText": alt, "width": 1200, "height": 800 })
}

fn media(product: &Product, media: &Media) -> Out {
    Out::typed(
        "MediaImage",
        [
            ("id", gid("MediaImage", media.id).into()),
            ("alt", (!media.alt.is_empty()).then(|| media.alt.clone()).into()),
            ("image", Out::Leaf(image(media))),
            ("mediaContentType", "IMAGE".into()),
            ("mimeType", "image/jpeg".into()),
            ("status", "READY".into()),
            ("fileStatus", "READY".into()),
            ("createdAt", stamp(product.created_at).into()),
            ("updatedAt", stamp(product.created_at).into()),
        ],
    )
}

pub(super) fn variant(
    product: &Product,
    it: &Variant,
    field: &str,
    arguments: &Arguments,
) -> Result<Out, String> {
    Ok(match field {
        "id" => gid("ProductVariant", it.id).into(),
        "legacyResourceId" => it.id.to_string().into(),
        "title" => it.title().into(),
        "displayName" => format!("{} - {}", product.title, it.title()).into(),
        "sku" => it.sku.clone().into(),
        "barcode" => it.barcode.clone().into(),
        "price" => it.price.clone().into(),
        "compareAtPrice" => it.compare_at_price.clone().into(),
        "inventoryPolicy" => it.policy.clone().into(),
        "inventoryQuantity" => it.available().into(),
        "availableForSale" => (it.available() > 0 || it.policy == "CONTINUE" || !it.tracked).into(),
        "taxable" => it.taxable.into(),
        "position" => {
            (product.variants.iter().position(|known| known.id == it.id).unwrap_or_default() + 1).into()
        }
        "createdAt" => stamp(it.created_at).into(),
        "updatedAt" => stamp(it.updated_at).into(),
        "inventoryItem" => Out::Ref(Kind::Item(it.item)),
        "product" => Out::Ref(Kind::Product(product.id)),
        "selectedOptions" => {
            Out::Leaf(it.options.iter().map(|(name, value)| selected(product, name, value)).collect())
        }
        "metafield" | "metafields" => held(&it.metafields, "PRODUCTVARIANT", field, arguments)?,
        _ => Out::NULL,
    })
}

fn selected(product: &Product, name: &str, value: &str) -> Value {
    let option = product.options.iter().find(|option| option.name == name);
    let id = option
        .and_then(|option| option.values.iter().find(|(_, known)| known == value))
        .map_or(0, |(id, _)| *id);
    let option_value = json!({ "id": gid("ProductOptionValue", id), "name": value, "hasVariants": true });
    json!({ "name": name, "value": value, "optionValue": option_value })
}

/// The text of HTML without its tags.
fn plain(html: &str) -> String {
    let mut text = String::new();
    let mut inside = false;
    for letter in html.chars() {
        match letter {
            '<' => inside = true,
            '>' if inside => inside = false,
            _ if !inside => text.push(letter),
            _ => {}
        }
    }
    text
}

fn cut(text: &str, arguments: &Arguments) -> String {
    let at = arguments.get("truncateAt").and_then(Value::as_u64).and_then(|at| usize::try_from(at).ok());
    at.map_or_else(|| text.to_owned(), |at| text.chars().take(at).collect())
}
