//! Whether a mapping fits both accounts, as their platforms describe themselves now; and records to try it on.

use crate::clock::Deadline;
use crate::error::{Error, Result};
use crate::integration;
use crate::settings::Settings;
use crate::wire::{Failure, Wire};
use connectors::{ErrorKind, Filter, ListQuery};
use domain::decide::{Flow, Rules};
use domain::schema::{self, Field, Problem};
use domain::{Fields, IntegrationId, ItemType, Record, rules};
use store::Db;
use store::credentials;
use store::integrations;

/// What was found out about a mapping.
#[derive(Debug, Clone, Default)]
pub struct Fit {
    /// What does not fit. A side that could not be asked fits everything.
    pub problems: Vec<Problem>,
    /// Why a side could not be asked: it is away, has no credential, or is switched off.
    pub unasked: Vec<String>,
}

impl Fit {
    /// What a sync must not be saved with. A field that new records need does not count: the sync may be meant for records
    /// that are there.
    pub fn fatal(&self) -> impl Iterator<Item = &Problem> {
        self.problems.iter().filter(|problem| problem.fatal && problem.code != "required_not_mapped")
    }
}

/// Holds the mapping of a sync that is to be saved against both sides. Rules without a mapping of their own have the
/// connectors', which fits.
pub async fn fit_of(
    db: &Db,
    settings: &Settings,
    accounts: (IntegrationId, IntegrationId),
    (item_type, direction, written): (ItemType, Option<&str>, &Fields),
    deadline: Deadline,
) -> Result<Fit> {
    if !written.contains_key("mapping") && !written.contains_key("fieldMappings") {
        return Ok(Fit::default());
    }
    let mut platforms = Vec::new();
    for id in [accounts.0, accounts.1] {
        let side = integrations::load_for_run(db, id).await?.ok_or(store::Error::Missing("integration"))?;
        platforms.push(side.platform);
    }
    let [source, target] = platforms.as_slice() else { return Ok(Fit::default()) };
    let mut rules = rules::read(written, item_type, *source, *target)?;
    if direction == Some("bidirectional") {
        rules.flow = Flow::TwoWay;
    }
    fit(db, settings, accounts, (item_type, &rules), deadline).await
}

/// Holds a mapping against both sides. Whether the caller may use the accounts, the function has asked before.
pub async fn fit(
    db: &Db,
    settings: &Settings,
    (source, target): (IntegrationId, IntegrationId),
    (item_type, rules): (ItemType, &Rules),
    deadline: Deadline,
) -> Result<Fit> {
    let mut fit = Fit::default();
    let mut sides = Vec::new();
    for id in [source, target] {
        match fields(db, settings, id, item_type, deadline).await {
            Ok(fields) => sides.push(fields),
            Err(error @ Error::Store(_)) => return Err(error),
            Err(error) => {
                fit.unasked.push(domain::Fault::detail(&error));
                sides.push(Vec::new());
            }
        }
    }
    if let [source, target] = sides.as_slice() {
        fit.problems = schema::problems(&rules.mapping, rules.flow, source, target);
    }
    Ok(fit)
}

/// The fields of one kind of item, as the platform describes them; empty where it does not.
async fn fields(
    db: &Db,
    settings: &Settings,
    id: IntegrationId,
    item_type: ItemType,
    deadline: Deadline,
) -> Result<Vec<Field>> {
    let side = integrations::load_for_run(db, id).await?.ok_or(store::Error::Missing("integration"))?;
    integration::in_use(&side)?;
    let sealed = credentials::load_one(db, id).await?.ok_or(Error::NoCredential)?;
    let wire = Wire::open(db, settings, &side, sealed, deadline)?;
    let asked = match wire.connector.schema(&wire.account) {
        Ok(exchange) => wire.ask(exchange).await,
        Err(error) if error.kind == ErrorKind::Unsupported => Ok(Vec::new()),
        Err(error) => Err(Failure::from(error)),
    };
    wire.give_back().await?;
    let objects = asked?;
    let object = objects.into_iter().find(|object| object.item_type == item_type);
    let read = |field| serde_json::to_value(field).and_then(serde_json::from_value::<Field>).ok();
    Ok(object.into_iter().flat_map(|object| object.fields).filter_map(read).collect())
}

/// The first records of an account, as many as are wanted, at most one page.
pub async fn samples(
    db: &Db,
    settings: &Settings,
    id: IntegrationId,
    item_type: ItemType,
    limit: usize,
    deadline: Deadline,
) -> Result<Vec<Record>> {
    let side = integrations::load_for_run(db, id).await?.ok_or(store::Error::Missing("integration"))?;
    integration::in_use(&side)?;
    let sealed = credentials::load_one(db, id).await?.ok_or(Error::NoCredential)?;
    let wire = Wire::open(db, settings, &side, sealed, deadline)?;
    let query = ListQuery { item_type, since: None, filter: Filter::default(), page: None, limit };
    let asked = match wire.connector.list(&wire.account, &query) {
        Ok(exchange) => wire.ask(exchange).await,
        Err(error) => Err(Failure::from(error)),
    };
    wire.give_back().await?;
    let page = asked?;
    Ok(page.records.into_iter().filter(|record| !record.deleted).take(limit).collect())
}
