//! What a document costs, before it runs and after.
//!
//! Objects cost 1, scalars nothing, a mutation 10; a connection costs 2 and its records by the logarithm of the
//! number asked for, `⌊2 ln(max(2, first))⌋` times, which is how Shopify's own figures come out (a product with
//! `variants(first: 250) { nodes { inventoryItem { id } } }` costs 25).
//! <https://shopify.dev/docs/apps/build/apis/graphql-admin/rate-limits>,
//! <https://community.shopify.dev/t/how-to-calculate-graphql-cost-estimates/24364>,
//! `productSet`: <https://shopify.dev/changelog/dynamic-complexity-cost-for-productset-mutation>

use std::collections::BTreeMap;

use apollo_compiler::executable::{Field, Operation, Selection, SelectionSet, Value as Literal};
use apollo_compiler::response::{JsonMap, JsonValue};
use apollo_compiler::schema::ExtendedType;
use apollo_compiler::{ExecutableDocument, Schema};

/// The largest page; a larger one is an error before it costs anything.
pub(crate) const LARGEST_PAGE: i64 = 250;

/// Objects that only wrap a value cost nothing.
const FREE_FIELDS: [&str; 4] = ["pageInfo", "unitCost", "measurement", "currencyFormats"];

/// Prices a document.
pub(crate) struct Pricing<'a> {
    pub(crate) schema: &'a Schema,
    pub(crate) document: &'a ExecutableDocument,
    pub(crate) variables: &'a JsonMap,
}

impl Pricing<'_> {
    /// The most the operation can cost.
    pub(crate) fn requested(&self, operation: &Operation) -> f64 {
        if operation.is_mutation() {
            return self.mutations(&operation.selection_set);
        }
        self.selections(&operation.selection_set, None)
    }

    /// What it did cost, given its answer.
    pub(crate) fn actual(&self, operation: &Operation, data: Option<&JsonMap>) -> f64 {
        if operation.is_mutation() {
            return self.mutations(&operation.selection_set);
        }
        let fields = operation.selection_set.root_fields(self.document);
        fields
            .map(|field| self.field_of(field, data.and_then(|data| data.get(field.response_key().as_str()))))
            .sum()
    }

    fn mutations(&self, set: &SelectionSet) -> f64 {
        set.root_fields(self.document).map(|field| self.mutation(field)).sum()
    }

    fn mutation(&self, field: &Field) -> f64 {
        if field.name != "productSet" {
            return 10.0;
        }
        let Some(JsonValue::Object(input)) = self.argument(field, "input") else { return 10.0 };
        let count =
            |value: &JsonMap, name: &str| value.get(name).and_then(JsonValue::as_array).map_or(0, Vec::len);
        let variants = input.get("variants").and_then(JsonValue::as_array).cloned().unwrap_or_default();
        let of_variants = |name: &str| -> usize {
            variants.iter().filter_map(JsonValue::as_object).map(|variant| count(variant, name)).sum()
        };
        let files =
            variants.iter().filter(|variant| variant.get("file").is_some_and(|file| !file.is_null())).count();
        let points = [
            (variants.len(), 0.2),
            (files, 0.6),
            (of_variants("metafields"), 0.4),
            (count(&input, "metafields"), 0.4),
            (count(&input, "files"), 1.9),
        ];
        #[expect(clippy::cast_precision_loss, reason = "an input has thousands of elements at most")]
        let more: f64 = points.iter().map(|(number, price)| *number as f64 * price).sum();
        (10.0 + more).ceil()
    }

    /// The cost of what is selected on an object. `data` is the answer where it is known; several fragments on types
    /// that exclude one another cost as much as the dearest.
    fn selections(&self, set: &SelectionSet, data: Option<&JsonValue>) -> f64 {
        let mut plain = 0.0;
        let mut by_type: BTreeMap<String, f64> = BTreeMap::new();
        for selection in &set.selections {
            match selection {
                Selection::Field(field) => plain += self.field(field, data),
                Selection::InlineFragment(fragment) => {
                    let cost = self.selections(&fragment.selection_set, data);
                    match &fragment.type_condition {
                        Some(name) if *name != set.ty => {
                            *by_type.entry(name.to_string()).or_default() += cost;
                        }
                        _ => plain += cost,
                    }
                }
                Selection::FragmentSpread(spread) => {
                    if let Some(fragment) = self.document.fragments.get(&spread.fragment_name) {
                        let cost = self.selections(&fragment.selection_set, data);
                        if *fragment.type_condition() == set.ty {
                            plain += cost;
                        } else {
                            *by_type.entry(fragment.type_condition().to_string()).or_default() += cost;
                        }
                    }
                }
            }
        }
        plain + by_type.into_values().fold(0.0, f64::max)
    }

    fn field(&self, field: &Field, data: Option<&JsonValue>) -> f64 {
        let below = data.map(|data| data.get(field.response_key().as_str()).unwrap_or(&JsonValue::Null));
        self.field_of(field, below)
    }

    /// The cost of a field whose own answer is `below`.
    fn field_of(&self, field: &Field, below: Option<&JsonValue>) -> f64 {
        let composite = matches!(
            field.inner_type_def(self.schema),
            Some(ExtendedType::Object(_) | ExtendedType::Interface(_) | ExtendedType::Union(_))
        );
        if !composite || FREE_FIELDS.contains(&field.name.as_str()) {
            return 0.0;
        }
        if below.is_some_and(JsonValue::is_null) {
            return 1.0;
        }
        if field.ty().inner_named_type().as_str().ends_with("Connection") {
            return self.connection(field, below);
        }
        // `nodes(ids:)` is a list of as many objects as there are ids; other lists count as one object.
        match (field.name.as_str(), self.argument(field, "ids")) {
            ("nodes", Some(JsonValue::Array(ids))) => {
                #[expect(clippy::cast_precision_loss, reason = "250 ids at most")]
                let count = ids.len().max(1) as f64;
                count * (1.0 + self.selections(&field.selection_set, None))
            }
            _ => 1.0 + self.selections(&field.selection_set, single(below)),
        }
    }

    fn connection(&self, field: &Field, data: Option<&JsonValue>) -> f64 {
        let asked = ["first", "last"]
            .iter()
            .find_map(|name| self.argument(field, name))
            .and_then(|size| size.as_i64());
        let size = match data {
            None => asked.unwrap_or(1).clamp(0, LARGEST_PAGE),
            Some(data) => {
                let of = |name: &str| data.get(name).and_then(JsonValue::as_array).map_or(0, Vec::len);
                i64::try_from(of("nodes").max(of("edges"))).unwrap_or(LARGEST_PAGE)
            }
        };
        let records = field
            .selection_set
            .all_fields(self.document)
            .filter(|field| matches!(field.name.as_str(), "nodes" | "edges"));
        // Records of one page differ in what they hold; the static price of one stands for all.
        let each: f64 = records.map(|records| self.record(records)).fold(0.0, f64::max);
        2.0 + each * multiplier(size)
    }

    fn record(&self, records: &Field) -> f64 {
        if records.name == "edges" {
            let node = records.selection_set.all_fields(self.document).find(|field| field.name == "node");
            return node.map_or(1.0, |node| 1.0 + self.selections(&node.selection_set, None));
        }
        1.0 + self.selections(&records.selection_set, None)
    }

    /// An argument's value, variables put in.
    fn argument(&self, field: &Field, name: &str) -> Option<JsonValue> {
        self.value(field.argument_by_name(name).ok()?)
    }

    fn value(&self, literal: &Literal) -> Option<JsonValue> {
        Some(match literal {
            Literal::Variable(name) => self.variables.get(name.as_str())?.clone(),
            Literal::Int(int) => JsonValue::from(int.try_to_i32().ok()?),
            Literal::List(items) => JsonValue::Array(
                items.iter().map(|item| self.value(item).unwrap_or(JsonValue::Null)).collect(),
            ),
            Literal::Object(fields) => JsonValue::Object(
                fields
                    .iter()
                    .map(|(name, value)| (name.as_str().into(), self.value(value).unwrap_or(JsonValue::Null)))
                    .collect(),
            ),
            Literal::Null => JsonValue::Null,
            Literal::String(text) => JsonValue::String(text.as_str().into()),
            Literal::Enum(name) => JsonValue::String(name.as_str().into()),
            Literal::Boolean(yes) => JsonValue::Bool(*yes),
            Literal::Float(number) => JsonValue::from(number.try_to_f64().ok()?),
        })
    }
}

/// How often the cost of one record counts in a page of this size.
fn multiplier(size: i64) -> f64 {
    if size == 0 {
        return 0.0;
    }
    #[expect(clippy::cast_precision_loss, reason = "a page has 250 records at most")]
    let size = size.max(2) as f64;
    (2.0 * size.ln()).floor()
}

/// The object whose fields are looked at; of a list no single one is.
fn single(data: Option<&JsonValue>) -> Option<&JsonValue> {
    data.filter(|data| data.is_object())
}
