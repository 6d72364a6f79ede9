//! A shop's catalogue and its orders, made up from a seed.
//!
//! Long and short texts, several scripts, odd SKUs, prices in four currencies: what real shops have and what breaks
//! careless code.

use crate::dice::Dice;
use crate::money;
use crate::product::{Address, Choice, Image, Line, Order, Product, Variant};

/// The locations that stock lies at, in every simulated account.
pub const LOCATIONS: [&str; 3] = ["Berlin Warehouse", "Paris Boutique", "Osaka 倉庫"];

const THINGS: &[(&str, &str)] = &[
    ("Chair", "Furniture"),
    ("Lamp", "Lighting"),
    ("Mug", "Kitchen"),
    ("Backpack", "Bags"),
    ("Jacket", "Clothing"),
    ("Snowboard", "Sports"),
    ("Notebook", "Stationery"),
    ("Headphones", "Electronics"),
    ("Καρέκλα", "Furniture"),
    ("Φωτιστικό", "Lighting"),
    ("湯のみ", "Kitchen"),
    ("折りたたみ自転車", "Sports"),
    ("حقيبة جلدية", "Bags"),
    ("كرسي خشبي", "Furniture"),
    ("Família 👨‍👩‍👧‍👦 Tee", "Clothing"),
    // The accents here are characters of their own (NFD).
    ("Cafe\u{301} Crème\u{300} Set", "Kitchen"),
    ("Größentabelle & „Zubehör“", "Accessories"),
    ("Smörgåsbord <Deluxe>", "Kitchen"),
];
const MOODS: &[&str] =
    &["Classic", "Nordic", "Vintage", "Compact", "Outdoor", "Studio", "Premium", "Everyday"];
const STUFF: &[&str] = &["Oak", "Steel", "Linen", "Leather", "Ceramic", "Bamboo", "Wool", "Recycled"];
const MAKERS: &[&str] =
    &["Holz & Söhne", "Acme Corp.", "ΑΒΓ Design", "株式会社みどり", "دار التصميم", "O'Neil", "Ætt"];
const COLOURS: &[&str] = &["Black", "White", "Rot", "Μπλε", "緑", "أزرق", "Crème"];
const SIZES: &[&str] = &["XS", "S", "M", "L", "XL", "42 ½"];
const TAGS: &[&str] = &["new", "sale", "eco", "gift", "bestseller", "summer-2026", "Ünïcode", "日本"];
const WORDS: &[&str] = &[
    "solid",
    "craft",
    "light",
    "durable",
    "every",
    "day",
    "made",
    "to",
    "last",
    "design",
    "comfort",
    "κομψό",
    "καθημερινό",
    "手作り",
    "上質",
    "مريح",
    "متين",
    "naïve",
    "façade",
    "✓",
    "👩🏽‍🚀",
    "50 %",
    "&amp;",
    "“quoted”",
];
const ODD_MARKS: &[&str] = &["/", " ", "_", ".", "#", "+", "é", "-", "'"];

/// So many products, the same ones for the same seed.
///
/// Their keys are `P-1`, `P-2`, …; a longer catalogue begins with the same products as a shorter one.
pub fn catalogue(seed: u64, n: usize) -> Vec<Product> {
    (1..=n).map(|number| one(seed, number)).collect()
}

fn one(seed: u64, number: usize) -> Product {
    let mut dice = Dice::new(seed ^ (number as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15));
    let (thing, category) = dice.pick(THINGS);
    let title = title(&mut dice, thing, number);
    let variants = match dice.below(100) {
        0..45 => 1,
        45..70 => 2,
        70..88 => 3,
        _ => dice.count(4, 8),
    };
    let mut product = Product {
        key: format!("P-{number}"),
        title,
        description_html: description(&mut dice),
        handle: format!("p-{number}"),
        status: if dice.chance(0.85) { "ACTIVE" } else { dice.pick(&["DRAFT", "ARCHIVED"]) }.to_owned(),
        vendor: dice.pick(MAKERS).to_owned(),
        category: category.to_owned(),
        ..Product::default()
    };
    for _ in 0..dice.below(4) {
        let tag = dice.pick(TAGS);
        if !product.tags.iter().any(|known| known == tag) {
            product.tags.push(tag.to_owned());
        }
    }
    for picture in 0..dice.below(4) {
        let url = format!("https://images.example/{number}/{picture}.jpg");
        product.images.push(Image { url, alt: format!("{thing} {picture}") });
    }
    add_variants(&mut product, &mut dice, number, variants);
    product.complete()
}

fn title(dice: &mut Dice, thing: &str, number: usize) -> String {
    let title = format!("{} {} {thing} {number}", dice.pick(MOODS), dice.pick(STUFF));
    if dice.chance(0.03) {
        // As long as Shopify allows, 255 characters.
        let filler: String = std::iter::repeat_n("長い名前 ", 80).collect();
        return format!("{title} {filler}").chars().take(255).collect::<String>().trim_end().to_owned();
    }
    title
}

fn description(dice: &mut Dice) -> String {
    let paragraphs = if dice.chance(0.05) { 25 } else { dice.below(4) };
    let mut html = String::new();
    for _ in 0..paragraphs {
        let count = dice.between(8, 30);
        let words: Vec<&str> = (0..count).map(|_| dice.pick(WORDS)).collect();
        html.push_str("<p>");
        html.push_str(&words.join(" "));
        html.push_str("</p>");
    }
    if paragraphs > 1 {
        html.push_str("<ul><li>1 × <strong>box</strong></li><li dir=\"rtl\">ضمان سنتين</li></ul>");
    }
    html
}

fn add_variants(product: &mut Product, dice: &mut Dice, number: usize, count: usize) {
    let by_size = dice.chance(0.5);
    let (name, values) = if by_size { ("Size", SIZES) } else { ("Color", COLOURS) };
    if count > 1 {
        let wide: Vec<String> = (0..count).map(|at| value_of(values, at)).collect();
        product.options.push(Choice { name: name.to_owned(), values: wide });
    }
    for at in 0..count {
        let cents = i128::from(dice.between(99, 250_000));
        let mark = if dice.chance(0.04) { dice.pick(ODD_MARKS) } else { "-" };
        let mut variant = Variant {
            sku: format!("SKU{mark}{number}{mark}{at}"),
            barcode: dice.chance(0.6).then(|| format!("40{:011}", number * 10 + at)),
            price: money::text(cents, 2),
            compare_at_price: dice.chance(0.2).then(|| money::text(cents + 1_000, 2)),
            ..Variant::default()
        };
        if count > 1 {
            variant.options.push((name.to_owned(), value_of(values, at)));
        }
        variant.prices.insert("USD".to_owned(), money::text(cents + cents / 10, 2));
        if dice.chance(0.4) {
            variant.prices.insert("JPY".to_owned(), money::text(cents * 16 / 10, 0));
        }
        if dice.chance(0.2) {
            variant.prices.insert("KWD".to_owned(), money::text(cents * 10 / 3, 3));
        }
        for location in LOCATIONS {
            variant.stock.insert(location.to_owned(), dice.between(0, 120));
        }
        product.variants.push(variant);
    }
}

/// The values of a choice, the later ones numbered when there are more variants than values.
fn value_of(values: &[&str], at: usize) -> String {
    let round = at / values.len().max(1);
    let value = values.get(at % values.len().max(1)).copied().unwrap_or_default();
    if round == 0 { value.to_owned() } else { format!("{value} {}", round + 1) }
}

/// So many orders for products of [`catalogue`] with the same seed, the same ones each time.
pub fn orders(seed: u64, n: usize) -> Vec<Order> {
    (1..=n).map(|number| one_order(seed, number)).collect()
}

fn one_order(seed: u64, number: usize) -> Order {
    const NAMES: &[&str] = &["Ada Lovelace", "Ελένη Παππά", "山田 花子", "نور الهدى", "Søren Ødegård"];
    const CITIES: &[(&str, &str, &str)] = &[
        ("Berlin", "10115", "DE"),
        ("Αθήνα", "105 57", "GR"),
        ("大阪市", "530-0001", "JP"),
        ("Paris", "75001", "FR"),
    ];
    let mut dice = Dice::new(seed ^ 0x00DE_5000 ^ (number as u64).wrapping_mul(0xD1B5_4A32_D192_ED03));
    let (city, zip, country) = dice.pick(CITIES);
    let lines = (0..=dice.below(4)).map(|_| line(&mut dice, seed)).collect();
    Order {
        key: format!("#{}", 1000 + number),
        email: format!("buyer{number}@example.com"),
        currency: String::new(),
        note: dice.pick(&["", "", "Please ring twice", "ギフト包装希望", "🎁"]).to_owned(),
        tags: Vec::new(),
        lines,
        address: Address {
            name: dice.pick(NAMES).to_owned(),
            address1: format!("{} Street {}", dice.pick(STUFF), dice.between(1, 200)),
            address2: dice.pick(&["", "", "2. Stock"]).to_owned(),
            city: city.to_owned(),
            zip: zip.to_owned(),
            province: String::new(),
            country: country.to_owned(),
            phone: format!("+49301234{number:04}"),
        },
    }
}

fn line(dice: &mut Dice, seed: u64) -> Line {
    let number = dice.count(1, 200);
    let product = one(seed, number);
    let chosen = product.variants.get(dice.below(product.variants.len())).cloned().unwrap_or_default();
    Line { sku: chosen.sku, title: product.title, quantity: dice.between(1, 5), price: chosen.price }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn the_same_seed_makes_the_same_catalogue_and_another_seed_another() {
        assert_eq!(catalogue(7, 50), catalogue(7, 50));
        assert_ne!(catalogue(7, 50), catalogue(8, 50));
        assert_eq!(orders(7, 20), orders(7, 20));
    }

    #[test]
    fn a_large_catalogue_has_unique_skus_and_many_kinds_of_text() {
        let products = catalogue(1, 2_000);
        let skus: HashSet<&str> = products
            .iter()
            .flat_map(|product| product.variants.iter().map(|variant| variant.sku.as_str()))
            .collect();
        assert_eq!(skus.len(), products.iter().map(|product| product.variants.len()).sum::<usize>());
        assert!(products.iter().all(|product| (1..=8).contains(&product.variants.len())));
        assert!(products.iter().any(|product| product.title.contains('\u{301}')));
        assert!(products.iter().any(|product| product.title.chars().count() > 200));
        assert!(products.iter().any(|product| product.description_html.len() > 3_000));
        assert!(skus.iter().any(|sku| sku.contains('/')));
    }
}
