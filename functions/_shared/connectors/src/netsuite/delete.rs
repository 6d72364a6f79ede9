//! Deletions: a product after its children. What is not there afterwards is deleted, whoever did it.

use super::batch::{self, Answered, Batch, Question, RECORDS, Then};
use super::failure;
use super::site::Site;
use super::suiteql::{self, Row, Statement, ids, required, text};
use crate::{Error, Exchange, Result, Step};
use http::Method;
use std::sync::Arc;

type Outcomes = Vec<Result<()>>;

/// What is deleted, each with the place of the record that it belongs to.
type Doomed = Vec<(usize, String)>;

/// Deletes products and their children.
pub(super) fn products(site: &Site, wanted: &[String]) -> Result<Exchange<Outcomes>> {
    let wanted: Arc<[String]> = wanted.into();
    let statement = Statement::new(include_str!("children.suiteql")).list("ids", ids(&wanted));
    suiteql::all(site, statement, move |site, rows| {
        let mut doomed = Doomed::new();
        for (at, id) in wanted.iter().enumerate() {
            let own = |row: &&Row| text(row, "product").as_deref() == Some(id.as_str());
            let mut rows = rows.iter().filter(own).peekable();
            // Without a row there is no such product any more.
            if rows.peek().is_some() {
                doomed.extend(rows.filter_map(|row| text(row, "item")).map(|child| (at, child)));
                doomed.push((at, id.clone()));
            }
        }
        let left = |ids: &[String]| {
            Statement::new(include_str!("items_left.suiteql")).list("ids", suiteql::ids(ids))
        };
        run(site, "/services/rest/record/v1/inventoryItem", doomed, wanted.len(), left)
    })
}

/// Deletes sales orders.
pub(super) fn orders(site: &Site, wanted: &[String]) -> Result<Exchange<Outcomes>> {
    let wanted: Arc<[String]> = wanted.into();
    let left =
        |ids: &[String]| Statement::new(include_str!("orders_left.suiteql")).list("ids", suiteql::ids(ids));
    suiteql::all(site, left(&wanted), move |site, rows| {
        let there = rows.iter().map(|row| required(row, "id")).collect::<Result<Vec<_>>>()?;
        let doomed =
            wanted.iter().enumerate().filter(|(_, id)| there.contains(id)).map(|(at, id)| (at, id.clone()));
        run(site, "/services/rest/record/v1/salesOrder", doomed.collect(), wanted.len(), left)
    })
}

fn run(
    site: &Site,
    path: &str,
    doomed: Doomed,
    count: usize,
    left: impl Fn(&[String]) -> Statement + Send + Sync + Copy + 'static,
) -> Result<Step<Outcomes>> {
    if doomed.is_empty() {
        return Ok(Step::Done(vec![Ok(()); count]));
    }
    let batch = |chunk: &[(usize, String)]| {
        let ids: Vec<&str> = chunk.iter().map(|(_, id)| id.as_str()).collect();
        Batch::unkeyed(Method::DELETE, format!("{path}?ids={}", ids.join(",")), Vec::new())
    };
    let batches: Arc<[Batch]> = doomed.chunks(RECORDS).map(batch).collect();
    let then: Then<Outcomes> = Arc::new(move |site, done| {
        let all: Vec<String> = doomed.iter().map(|(_, id)| id.clone()).collect();
        let doomed = doomed.clone();
        suiteql::then_all(site, left(&all), move |site, rows| {
            let left = rows.iter().map(|row| required(row, "id")).collect::<Result<Vec<_>>>()?;
            let (mut questions, mut silent) = (Vec::new(), Vec::new());
            for (chunk, job) in doomed.chunks(RECORDS).zip(&done) {
                for (position, (at, _)) in chunk.iter().enumerate().filter(|(_, (_, id))| left.contains(id)) {
                    match job.question(position, chunk.len()) {
                        Some((job, task)) => questions.push(Question { job, task, records: vec![*at] }),
                        None => silent.push((
                            *at,
                            Err(Error::unexpected("NetSuite did not delete it and does not say why")),
                        )),
                    }
                }
            }
            questions.dedup();
            let unsaid: Vec<usize> =
                doomed.iter().filter(|(_, id)| left.contains(id)).map(|(at, _)| *at).collect();
            let then: Answered<Outcomes> =
                Arc::new(move |_, answers| Ok(Step::Done(outcomes(count, &unsaid, &answers))));
            batch::results(site, questions, silent, &then)
        })
    });
    batch::run(site, &batches, Vec::new(), &then)
}

fn outcomes(count: usize, left: &[usize], answers: &[(usize, Result<()>)]) -> Outcomes {
    let one = |at: usize| {
        if !left.contains(&at) {
            return Ok(());
        }
        let refusal = answers.iter().find_map(|(one, answer)| answer.as_ref().err().filter(|_| *one == at));
        match refusal {
            Some(error) if failure::is_gone(error) => Ok(()),
            Some(error) => Err(error.clone()),
            None => Err(Error::unexpected("NetSuite says it deleted the record, but it is still there")),
        }
    };
    (0..count).map(one).collect()
}
