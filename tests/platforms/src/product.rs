//! Products and orders as tests speak of them, the same for every platform.

use std::collections::BTreeMap;

/// A picture of a product.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Image {
    /// Where it is.
    pub url: String,
    /// What it shows.
    pub alt: String,
}

/// What a product's variants differ in.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Choice {
    /// `Color`, `Size`.
    pub name: String,
    /// What there is to choose from.
    pub values: Vec<String>,
}

/// One form of a product that can be bought.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Variant {
    /// Its stock keeping unit.
    pub sku: String,
    /// Its bar code.
    pub barcode: Option<String>,
    /// Its price in the account's currency, as decimal text.
    pub price: String,
    /// The price it is compared with.
    pub compare_at_price: Option<String>,
    /// What it is in each of the product's choices: name and value, in the order of the choices.
    pub options: Vec<(String, String)>,
    /// Prices in further currencies.
    pub prices: BTreeMap<String, String>,
    /// How many there are at each location, by the location's name.
    pub stock: BTreeMap<String, i64>,
}

/// A product, the same for every platform.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Product {
    /// What tests call it. On NetSuite it is the external id; Shopify does not show it to callers.
    pub key: String,
    /// Its name.
    pub title: String,
    /// Its description, in HTML.
    pub description_html: String,
    /// Its address in the shop; the platform makes one up when it is empty.
    pub handle: String,
    /// `ACTIVE`, `DRAFT` or `ARCHIVED`.
    pub status: String,
    /// Who makes it.
    pub vendor: String,
    /// What kind of thing it is.
    pub category: String,
    /// Words it is found by.
    pub tags: Vec<String>,
    /// Its pictures.
    pub images: Vec<Image>,
    /// What its variants differ in.
    pub options: Vec<Choice>,
    /// Its variants, at least one once it is on a platform.
    pub variants: Vec<Variant>,
}

/// A product called `key`, with a title and a single variant until more is said.
pub fn product(key: &str) -> Product {
    Product {
        key: key.to_owned(),
        title: format!("Product {key}"),
        status: "ACTIVE".to_owned(),
        ..Product::default()
    }
}

impl Product {
    /// Its name.
    #[must_use]
    pub fn title(mut self, title: &str) -> Self {
        title.clone_into(&mut self.title);
        self
    }

    /// Its description, in HTML.
    #[must_use]
    pub fn description(mut self, html: &str) -> Self {
        html.clone_into(&mut self.description_html);
        self
    }

    /// Its address in the shop.
    #[must_use]
    pub fn handle(mut self, handle: &str) -> Self {
        handle.clone_into(&mut self.handle);
        self
    }

    /// `ACTIVE`, `DRAFT` or `ARCHIVED`.
    #[must_use]
    pub fn status(mut self, status: &str) -> Self {
        status.clone_into(&mut self.status);
        self
    }

    /// Who makes it.
    #[must_use]
    pub fn vendor(mut self, vendor: &str) -> Self {
        vendor.clone_into(&mut self.vendor);
        self
    }

    /// What kind of thing it is.
    #[must_use]
    pub fn category(mut self, category: &str) -> Self {
        category.clone_into(&mut self.category);
        self
    }

    /// One more word it is found by.
    #[must_use]
    pub fn tag(mut self, tag: &str) -> Self {
        self.tags.push(tag.to_owned());
        self
    }

    /// One more picture.
    #[must_use]
    pub fn image(mut self, url: &str, alt: &str) -> Self {
        self.images.push(Image { url: url.to_owned(), alt: alt.to_owned() });
        self
    }

    /// One more thing the variants differ in.
    #[must_use]
    pub fn option(mut self, name: &str, values: &[&str]) -> Self {
        let values = values.iter().map(|value| (*value).to_owned()).collect();
        self.options.push(Choice { name: name.to_owned(), values });
        self
    }

    /// One more variant. Without options of its own it takes the next value of a choice called `Title`.
    #[must_use]
    pub fn variant(self, sku: &str, price: &str) -> Self {
        self.variant_with(variant(sku, price))
    }

    /// One more variant, described in full.
    #[must_use]
    pub fn variant_with(mut self, variant: Variant) -> Self {
        self.variants.push(variant);
        self
    }

    /// So many of the variant added last at this location.
    #[must_use]
    pub fn stock(mut self, location: &str, count: i64) -> Self {
        if let Some(last) = self.variants.last_mut() {
            last.stock.insert(location.to_owned(), count);
        }
        self
    }

    /// The variant with this SKU.
    pub fn variant_of(&self, sku: &str) -> Option<&Variant> {
        self.variants.iter().find(|variant| variant.sku == sku)
    }

    /// The product as a platform takes it: at least one variant, and each variant says what it is in each choice.
    pub(crate) fn complete(mut self) -> Self {
        if self.variants.is_empty() {
            self.variants.push(variant(&self.key, "10.00"));
        }
        let single = self.variants.len() == 1;
        if self.options.is_empty() {
            let values = self.variants.iter().map(|variant| default_value(variant, single)).collect();
            self.options.push(Choice { name: "Title".to_owned(), values });
        }
        for variant in &mut self.variants {
            for choice in &self.options {
                if !variant.options.iter().any(|(name, _)| *name == choice.name) {
                    let value = if choice.name == "Title" {
                        default_value(variant, single)
                    } else {
                        choice.values.first().cloned().unwrap_or_default()
                    };
                    variant.options.push((choice.name.clone(), value));
                }
            }
        }
        self
    }
}

fn default_value(variant: &Variant, single: bool) -> String {
    if single { "Default Title".to_owned() } else { variant.sku.clone() }
}

/// A variant with this SKU and price.
pub fn variant(sku: &str, price: &str) -> Variant {
    Variant { sku: sku.to_owned(), price: price.to_owned(), ..Variant::default() }
}

impl Variant {
    /// Its bar code.
    #[must_use]
    pub fn barcode(mut self, barcode: &str) -> Self {
        self.barcode = Some(barcode.to_owned());
        self
    }

    /// The price it is compared with.
    #[must_use]
    pub fn compare_at(mut self, price: &str) -> Self {
        self.compare_at_price = Some(price.to_owned());
        self
    }

    /// What it is in one of the product's choices.
    #[must_use]
    pub fn option(mut self, name: &str, value: &str) -> Self {
        self.options.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Its price in a further currency.
    #[must_use]
    pub fn price_in(mut self, currency: &str, amount: &str) -> Self {
        self.prices.insert(currency.to_owned(), amount.to_owned());
        self
    }

    /// How many there are at this location.
    #[must_use]
    pub fn stock(mut self, location: &str, count: i64) -> Self {
        self.stock.insert(location.to_owned(), count);
        self
    }
}

/// One line of an order.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Line {
    /// What was ordered.
    pub sku: String,
    /// How it was called.
    pub title: String,
    /// How many.
    pub quantity: i64,
    /// The price of one, as decimal text.
    pub price: String,
}

/// Where an order goes.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[expect(missing_docs, reason = "the fields are the lines of an address")]
pub struct Address {
    pub name: String,
    pub address1: String,
    pub address2: String,
    pub city: String,
    pub zip: String,
    pub province: String,
    /// The two letters of the country.
    pub country: String,
    pub phone: String,
}

/// An order, the same for every platform.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Order {
    /// What tests call it: Shopify's `name`, NetSuite's `otherRefNum`.
    pub key: String,
    /// The buyer's mail address.
    pub email: String,
    /// The currency of its amounts; the account's when empty.
    pub currency: String,
    /// What the buyer said.
    pub note: String,
    /// Words it is found by.
    pub tags: Vec<String>,
    /// What was ordered.
    pub lines: Vec<Line>,
    /// Where it goes.
    pub address: Address,
}

/// An order called `key`, without lines.
pub fn order(key: &str) -> Order {
    Order { key: key.to_owned(), ..Order::default() }
}

impl Order {
    /// The buyer's mail address.
    #[must_use]
    pub fn email(mut self, email: &str) -> Self {
        email.clone_into(&mut self.email);
        self
    }

    /// The currency of its amounts.
    #[must_use]
    pub fn currency(mut self, currency: &str) -> Self {
        currency.clone_into(&mut self.currency);
        self
    }

    /// What the buyer said.
    #[must_use]
    pub fn note(mut self, note: &str) -> Self {
        note.clone_into(&mut self.note);
        self
    }

    /// One more line.
    #[must_use]
    pub fn line(mut self, sku: &str, title: &str, quantity: i64, price: &str) -> Self {
        let line = Line { sku: sku.to_owned(), title: title.to_owned(), quantity, price: price.to_owned() };
        self.lines.push(line);
        self
    }

    /// Where it goes.
    #[must_use]
    pub fn address(mut self, address: Address) -> Self {
        self.address = address;
        self
    }
}
