//! Writing products: ids of what exists, `productSet`, images that are still being read, prices in other currencies.

use super::cost;
use super::failure;
use super::graphql::{Shop, numbered, repeat};
use super::node::{Recorded, Then, complete};
use super::product_input::{Prepared, VariantPrices, needs_parts, prepare};
use super::products::{READ, kind};
use super::reading::{self, Kind, Shape};
use super::replies::{Parts, Product};
use crate::{Error, Exchange, Outcome, Result, Step, Write, Written};
use domain::Value;
use serde_json::json;
use std::sync::Arc;
use std::time::Duration;

const WRITE: &str = include_str!("products_write.graphql");
const FIELDS: &str = include_str!("product_fields.graphql");
const SET_METAFIELDS: &str = include_str!("metafields_set.graphql");

/// Products in one write: each mutation runs to its end before the next one of the same request starts.
pub(super) const AT_ONCE: usize = 10;

/// A mutation and the product it shows.
const WRITE_COST: u32 = cost::MUTATION + READ.each;
/// The cost a request is filled up to; a query may cost 1,000.
const FULL: u32 = 950;
/// What a product consists of: variants with their options and media with their address, 2 each.
const PARTS: Shape =
    Shape { records: 10, each: 1 + cost::connection(50, 2) + cost::connection(20, 2), sizes: &[] };
/// `metafieldsSet` takes 25 at once (<https://shopify.dev/docs/api/admin-graphql/latest/mutations/metafieldsSet>).
const METAFIELDS: usize = 25;
/// It is counted by the records it touches
/// (<https://shopify.dev/changelog/posts/dynamic-complexity-cost-for-metafieldsset-mutation>).
const SET_COST: u32 = cost::MUTATION + 25;
/// How often we look whether Shopify has read the images we gave it, first after this long, then twice as long.
const IMAGE_LOOKS: u32 = 4;
const IMAGE_WAIT: Duration = Duration::from_millis(500);

/// What is to be written, and what can be sent of it.
struct Job {
    writes: Vec<Write>,
    prepared: Vec<Result<Prepared>>,
}

type Answers = Vec<Option<Result<Product>>>;

/// Creates and changes products.
pub(super) fn write(shop: &Shop, writes: &[Write]) -> Result<Exchange<Vec<Outcome>>> {
    reading::fits(writes.len(), AT_ONCE)?;
    let ids: Vec<String> =
        writes.iter().filter(|write| needs_parts(write)).filter_map(|write| write.id.clone()).collect();
    let writes = writes.to_vec();
    if ids.is_empty() {
        return send(shop, &job(shop, writes, &[]), &Vec::new());
    }
    let parts = Kind {
        list: String::new(),
        get: [include_str!("product_parts.graphql"), include_str!("product_parts_fields.graphql")].concat(),
        page: PARTS,
        read: PARTS,
    };
    let again = shop.clone();
    let then: Then<Parts, Vec<Outcome>> = Arc::new(move |parts| {
        let job = job(&again, writes.clone(), &parts);
        if job.prepared.iter().all(Result::is_err) {
            return Ok(Step::Done(refusals(&job)));
        }
        Ok(Step::Next { exchange: send(&again, &job, &Vec::new())?, after: Duration::ZERO })
    });
    reading::nodes(shop, &parts, &ids, then)
}

fn job(shop: &Shop, writes: Vec<Write>, parts: &[Parts]) -> Arc<Job> {
    let of = |write: &Write| {
        let id = write.id.as_deref();
        prepare(shop, write, parts.iter().find(|parts| Some(parts.id.as_str()) == id))
    };
    let prepared = writes.iter().map(of).collect();
    Arc::new(Job { writes, prepared })
}

/// What there is to say when no record of a job can be sent.
fn refusals(job: &Job) -> Vec<Outcome> {
    job.prepared.iter().map(|one| Err(one.as_ref().err().cloned().unwrap_or_else(unsent))).collect()
}

fn unsent() -> Error {
    Error::unexpected("the record was not sent")
}

/// Sends as many of the remaining products as one request may cost. An error when there is none to send.
fn send(shop: &Shop, job: &Arc<Job>, answers: &Answers) -> Result<Exchange<Vec<Outcome>>> {
    let (mut positions, mut tenths) = (Vec::new(), 0_u32);
    for (position, prepared) in job.prepared.iter().enumerate() {
        let Ok(prepared) = prepared else { continue };
        let answered = answers.get(position).is_some_and(Option::is_some);
        let more = tenths.saturating_add(prepared.tenths).saturating_add(WRITE_COST.saturating_mul(10));
        let is_full = !positions.is_empty() && more > FULL.saturating_mul(10);
        if answered || is_full {
            continue;
        }
        positions.push((position, prepared.clone()));
        tenths = more;
    }
    if positions.is_empty() {
        return Err(job.prepared.iter().find_map(|one| one.as_ref().err().cloned()).unwrap_or_else(unsent));
    }
    let count = positions.len();
    let mut variables = shop.prices();
    variables.extend(READ.sizes());
    variables.extend(numbered(positions.iter().map(|(_, prepared)| {
        vec![("identifier", prepared.identifier.clone()), ("input", prepared.input.clone())]
    })));
    let document = [repeat(WRITE, count), FIELDS.to_owned()].concat();
    let (again, job, before) = (shop.clone(), Arc::clone(job), answers.clone());
    shop.ask(&document, variables, tenths.div_ceil(10), move |reply| {
        let mut answers = before.clone();
        answers.resize(job.prepared.len(), None);
        for (answer, (position, _)) in failure::each(reply, count)?.into_iter().zip(&positions) {
            if let Some(place) = answers.get_mut(*position) {
                *place = Some(answer.and_then(|payload| failure::written(&payload, "product")));
            }
        }
        let is_open =
            |(prepared, answer): (&Result<Prepared>, &Option<_>)| prepared.is_ok() && answer.is_none();
        if job.prepared.iter().zip(&answers).any(is_open) {
            return Ok(Step::Next { exchange: send(&again, &job, &answers)?, after: Duration::ZERO });
        }
        finish(&again, &job, answers)
    })
}

/// Reads what did not fit into the replies, waits for images, sets prices, and says what became of each record.
fn finish(shop: &Shop, job: &Arc<Job>, answers: Answers) -> Result<Step<Vec<Outcome>>> {
    let products = answers.iter().flatten().filter_map(|answer| answer.as_ref().ok()).cloned().collect();
    let (again, job) = (shop.clone(), Arc::clone(job));
    let then: Then<Product, Vec<Outcome>> = Arc::new(move |whole| settle(&again, &job, &answers, whole, 0));
    complete(shop, products, &then)
}

fn settle(
    shop: &Shop,
    job: &Arc<Job>,
    answers: &Answers,
    whole: Vec<Product>,
    look: u32,
) -> Result<Step<Vec<Outcome>>> {
    let gave_images = |product: &&Product| {
        let at = answers.iter().position(|answer| matches!(answer, Some(Ok(one)) if one.id == product.id));
        at.and_then(|at| job.prepared.get(at)).is_some_and(|one| one.as_ref().is_ok_and(|one| one.has_images))
    };
    let unread: Vec<String> = whole
        .iter()
        .filter(|product| product.has_unread_images())
        .filter(gave_images)
        .map(|product| product.id.clone())
        .collect();
    if unread.is_empty() || look >= IMAGE_LOOKS {
        return set_prices(shop, job, answers, &whole);
    }
    let (again, job, answers) = (shop.clone(), Arc::clone(job), answers.clone());
    let then: Then<Product, Vec<Outcome>> = Arc::new(move |fresh| {
        let newer =
            |product: &Product| fresh.iter().find(|one| one.id == product.id).unwrap_or(product).clone();
        settle(&again, &job, &answers, whole.iter().map(newer).collect(), look.saturating_add(1))
    });
    let exchange = reading::nodes(shop, &kind(), &unread, then)?;
    Ok(Step::Next { exchange, after: IMAGE_WAIT.saturating_mul(1 << look.min(4)) })
}

/// The prices of variants in other currencies, each product's in mutations of its own.
fn set_prices(
    shop: &Shop,
    job: &Arc<Job>,
    answers: &Answers,
    whole: &[Product],
) -> Result<Step<Vec<Outcome>>> {
    let mut sets: Vec<(usize, Value)> = Vec::new();
    let mut outcomes = outcomes(job, answers, whole);
    for (position, prepared) in job.prepared.iter().enumerate() {
        let (Ok(prepared), Some(Some(Ok(answer)))) = (prepared, answers.get(position)) else { continue };
        let Some(product) = whole.iter().find(|product| product.id == answer.id) else { continue };
        let metafield = |prices: &VariantPrices| {
            let variant = product.variants.nodes.iter().find(|one| one.selected_options == prices.options)?;
            Some(json!({
                "ownerId": variant.id.as_deref()?, "namespace": &*shop.prices.0, "key": &*shop.prices.1,
                "type": "json", "value": prices.json,
            }))
        };
        match prepared.prices.iter().map(metafield).collect::<Option<Vec<Value>>>() {
            Some(all) => {
                sets.extend(all.chunks(METAFIELDS).map(|chunk| (position, Value::Array(chunk.to_vec()))));
            }
            None => outcomes.iter_mut().skip(position).take(1).for_each(|outcome| {
                *outcome =
                    Err(Error::unexpected("Shopify does not show a variant whose prices were to be set"));
            }),
        }
    }
    price_sets(shop, &sets, outcomes)
}

fn price_sets(shop: &Shop, sets: &[(usize, Value)], outcomes: Vec<Outcome>) -> Result<Step<Vec<Outcome>>> {
    const MOST: usize = 20;
    if sets.is_empty() {
        return Ok(Step::Done(outcomes));
    }
    let (now, later) = sets.split_at(sets.len().min(MOST));
    let (now, later) = (now.to_vec(), later.to_vec());
    let count = now.len();
    let variables = numbered(now.iter().map(|(_, metafields)| vec![("metafields", metafields.clone())]));
    let cost = cost::times(count, SET_COST);
    let again = shop.clone();
    let exchange = shop.ask(&repeat(SET_METAFIELDS, count), variables, cost, move |reply| {
        let mut outcomes = outcomes.clone();
        for (answer, (position, _)) in failure::each(reply, count)?.into_iter().zip(&now) {
            let Some(place) = outcomes.get_mut(*position) else { continue };
            match answer.and_then(|payload| failure::user_errors(&payload)) {
                // The product was shown before its prices were set: it is to be read again.
                Ok(()) => place.iter_mut().for_each(|written| written.now = None),
                Err(error) => *place = Err(error),
            }
        }
        price_sets(&again, &later, outcomes)
    })?;
    Ok(Step::Next { exchange, after: Duration::ZERO })
}

fn outcomes(job: &Job, answers: &Answers, whole: &[Product]) -> Vec<Outcome> {
    let one = |(position, prepared): (usize, &Result<Prepared>)| match (prepared, answers.get(position)) {
        (Err(error), _) | (_, Some(Some(Err(error)))) => Err(error.clone()),
        (Ok(_), Some(Some(Ok(answer)))) => {
            let product = whole.iter().find(|product| product.id == answer.id);
            let now = product.cloned().map(Product::into_record).transpose()?;
            Ok(Written { id: answer.id.clone(), now })
        }
        (Ok(_), _) => Err(unsent()),
    };
    debug_assert_eq!(job.writes.len(), job.prepared.len());
    job.prepared.iter().enumerate().map(one).collect()
}
