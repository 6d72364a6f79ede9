//! Many records in one request: submitted, worked on by NetSuite in the order given, and looked after by polling
//! (<https://docs.oracle.com/en/cloud/saas/netsuite/ns-online-help/article_0127092747.html>).

use super::failure;
use super::site::Site;
use crate::{Error, ErrorKind, Reply, Result, Step, read};
use domain::{Value, hash};
use serde::Deserialize;
use serde_json::json;
use std::sync::Arc;
use std::time::Duration;

/// Records in one batch.
pub(super) const RECORDS: usize = 100;

/// The first look after a job, and the longest wait between two.
const FIRST_LOOK: Duration = Duration::from_millis(50);
const LONGEST_WAIT: Duration = Duration::from_secs(2);
/// Looks after one job: with the waits above about half a minute. Who comes back later finds the job by its key.
const MOST_LOOKS: u32 = 20;

/// Records of one kind that are to be treated in the same way.
#[derive(Clone)]
pub(super) struct Batch {
    pub(super) method: http::Method,
    /// The path behind the host, with its query.
    pub(super) path: String,
    /// The records; empty where the path names them.
    pub(super) records: Vec<Value>,
    /// What makes this attempt the same as another one of the same content; `None` where a repetition does no harm
    /// and a refusal must not be remembered.
    pub(super) key: Option<String>,
}

/// What became of a batch: the job that did it, and the task of each record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Job {
    /// The job; `None` where NetSuite did not name one.
    pub(super) id: Option<String>,
    /// Its tasks, in the order of the records.
    pub(super) tasks: Vec<String>,
    /// Whether it was submitted by an earlier attempt.
    pub(super) is_earlier: bool,
}

/// What is done once every batch has been worked on.
pub(super) type Then<T> = Arc<dyn Fn(&Site, Vec<Job>) -> Result<Step<T>> + Send + Sync>;

impl Batch {
    /// A batch whose key follows from its content and the keys of the writes in it.
    pub(super) fn new(
        method: http::Method,
        path: impl Into<String>,
        records: Vec<Value>,
        keys: &[&str],
    ) -> Self {
        let path = path.into();
        let content = format!("{method} {path} {} {}", Value::Array(records.clone()), keys.join(","));
        Self { method, path, records, key: Some(uuid_of(&content)) }
    }

    /// A batch that is done anew each time.
    pub(super) fn unkeyed(method: http::Method, path: impl Into<String>, records: Vec<Value>) -> Self {
        Self { method, path: path.into(), records, key: None }
    }

    /// The same batch as a new one: after an earlier attempt turned out to have been about something else.
    pub(super) fn anew(mut self, after: &str) -> Self {
        self.key = self.key.map(|key| uuid_of(&format!("{key} after {after}")));
        self
    }
}

/// A UUID that follows from a text (version 8: 122 bits of its hash).
pub(super) fn uuid_of(text: &str) -> String {
    let digits: Vec<char> = hash::bytes(text.as_bytes()).chars().take(32).collect();
    let mut out = String::with_capacity(36);
    for (position, digit) in digits.into_iter().enumerate() {
        if matches!(position, 8 | 12 | 16 | 20) {
            out.push('-');
        }
        out.push(match position {
            12 => '8',
            16 => match digit {
                '0'..='3' => '8',
                '4'..='7' => '9',
                '8' | '9' | 'a' | 'b' => 'a',
                _ => 'b',
            },
            _ => digit,
        });
    }
    out
}

/// Submits the batches one after the other, each when the one before has been worked on.
pub(super) fn run<T: 'static>(
    site: &Site,
    batches: &Arc<[Batch]>,
    done: Vec<Job>,
    then: &Then<T>,
) -> Result<Step<T>> {
    let Some(batch) = batches.get(done.len()) else { return then(site, done) };
    let mut headers = vec![
        ("content-type", "application/vnd.oracle.resource+json; type=collection"),
        ("prefer", "respond-async"),
        // Without it NetSuite ignores fields that it does not know.
        ("x-netsuite-propertynamevalidation", "Error"),
    ];
    headers.extend(batch.key.as_deref().map(|key| ("x-netsuite-idempotency-key", key)));
    let body = if batch.records.is_empty() { Value::Null } else { json!({ "items": batch.records }) };
    let request = site.request(batch.method.clone(), &batch.path, &headers, &body)?;
    let run = Run { site: Arc::clone(site), batches: Arc::clone(batches), done, then: Arc::clone(then) };
    let exchange = site.ask(request, move |reply| match failure::of(reply) {
        None => run.submitted(job_of(reply)?, false),
        Some(error) if failure::is_repeated(&error) => run.submitted(job_of(reply)?, true),
        Some(error) => Err(error),
    });
    Ok(Step::Next { exchange, after: Duration::ZERO })
}

/// The job that a reply names in `Location`. Only its id is taken: the request goes where all others go.
fn job_of(reply: &Reply) -> Result<Option<String>> {
    let Some(location) = reply.headers().get(http::header::LOCATION) else { return Ok(None) };
    let location = location.to_str().unwrap_or_default();
    match segment(location, "/job/") {
        Some(id) => Ok(Some(id.to_owned())),
        None => Err(Error::unexpected("NetSuite does not say which job it gave the records to")),
    }
}

/// The part of an address behind a word, if it is a plain id.
fn segment<'a>(address: &'a str, behind: &str) -> Option<&'a str> {
    let id = address.rsplit_once(behind)?.1.split(['/', '?']).next()?;
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    (!id.is_empty() && id.len() <= 64 && id.bytes().all(plain)).then_some(id)
}

/// How far the batches have come.
struct Run<T> {
    site: Site,
    batches: Arc<[Batch]>,
    done: Vec<Job>,
    then: Then<T>,
}

impl<T> Clone for Run<T> {
    fn clone(&self) -> Self {
        Self {
            site: Arc::clone(&self.site),
            batches: Arc::clone(&self.batches),
            done: self.done.clone(),
            then: Arc::clone(&self.then),
        }
    }
}

#[derive(Deserialize)]
struct State {
    completed: bool,
}

#[derive(Deserialize)]
struct Links {
    #[serde(default)]
    links: Vec<Link>,
    #[serde(default)]
    items: Vec<Links>,
}

#[derive(Deserialize)]
struct Link {
    #[serde(default)]
    href: String,
}

impl<T: 'static> Run<T> {
    fn submitted(&self, job: Option<String>, is_earlier: bool) -> Result<Step<T>> {
        match job {
            Some(job) => self.look(job, is_earlier, 0),
            // NetSuite did it at once, or an earlier attempt did.
            None => self.clone().worked_on(Job { id: None, tasks: Vec::new(), is_earlier }),
        }
    }

    fn worked_on(mut self, job: Job) -> Result<Step<T>> {
        self.done.push(job);
        run(&self.site, &self.batches, self.done, &self.then)
    }

    /// Looks whether the job is at its end, after a wait that doubles each time.
    fn look(&self, job: String, is_earlier: bool, looks: u32) -> Result<Step<T>> {
        if looks >= MOST_LOOKS {
            let message = "NetSuite is still at work on the records; they will be looked for again";
            return Err(Error::new(ErrorKind::Unavailable, message).with_code("JOB_PENDING"));
        }
        let after = FIRST_LOOK.saturating_mul(1 << looks.min(10)).min(LONGEST_WAIT);
        let run = self.clone();
        let path = format!("/services/rest/async/v1/job/{job}");
        let exchange = self.site.get(&path, "application/json", move |reply| {
            let State { completed } = read::json(reply.body())?;
            if completed {
                run.tasks(&job, is_earlier)
            } else {
                run.look(job.clone(), is_earlier, looks.saturating_add(1))
            }
        })?;
        Ok(Step::Next { exchange, after })
    }

    fn tasks(&self, job: &str, is_earlier: bool) -> Result<Step<T>> {
        let run = self.clone();
        let path = format!("/services/rest/async/v1/job/{job}/task");
        let job = job.to_owned();
        let exchange = self.site.get(&path, "application/json", move |reply| {
            let list: Links = read::json(reply.body())?;
            let mut tasks: Vec<String> = Vec::new();
            for href in list.items.iter().flat_map(|item| &item.links).map(|link| link.href.as_str()) {
                if let Some(id) = segment(href, "/task/")
                    && !tasks.iter().any(|known| known == id)
                {
                    tasks.push(id.to_owned());
                }
            }
            run.clone().worked_on(Job { id: Some(job.clone()), tasks, is_earlier })
        })?;
        Ok(Step::Next { exchange, after: Duration::ZERO })
    }
}

/// A task whose result is asked for, and the records it was about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Question {
    pub(super) job: String,
    pub(super) task: String,
    /// What the caller calls these records.
    pub(super) records: Vec<usize>,
}

impl Job {
    /// Where to ask what became of one record of a batch: at its own task, or at the one task that did them all.
    pub(super) fn question(&self, position: usize, of: usize) -> Option<(String, String)> {
        let task = match self.tasks.as_slice() {
            [only] => only,
            tasks if tasks.len() == of => tasks.get(position)?,
            _ => return None,
        };
        Some((self.id.clone()?, task.clone()))
    }
}

/// Asks for results, one after the other, and goes on with what was said of each record.
pub(super) fn results<T: 'static>(
    site: &Site,
    mut questions: Vec<Question>,
    before: Vec<(usize, Result<()>)>,
    then: &Answered<T>,
) -> Result<Step<T>> {
    let Some(question) = questions.pop() else { return then(site, before) };
    let path = format!("/services/rest/async/v1/job/{}/task/{}/result", question.job, question.task);
    let request = site.request(http::Method::GET, &path, &[], &Value::Null)?;
    let (again, then) = (Arc::clone(site), Arc::clone(then));
    let exchange = site.ask(request, move |reply| {
        let mut answers = before.clone();
        answers.extend(verdicts(reply, &question.records)?);
        results(&again, questions.clone(), answers, &then)
    });
    Ok(Step::Next { exchange, after: Duration::ZERO })
}

/// What is done once every question has its answer.
pub(super) type Answered<T> = Arc<dyn Fn(&Site, Vec<(usize, Result<()>)>) -> Result<Step<T>> + Send + Sync>;

/// The result of a task is the reply that its records would have had by themselves: its failure is theirs, not ours.
fn verdicts(reply: &Reply, records: &[usize]) -> Result<Vec<(usize, Result<()>)>> {
    if reply.body().is_empty() && reply.status().is_success() {
        return Ok(records.iter().map(|record| (*record, Ok(()))).collect());
    }
    let body: Option<Value> = serde_json::from_slice(reply.body()).ok();
    let refusal = body.as_ref().and_then(failure::of_record);
    if let Some(error) = failure::of(reply) {
        let is_ours =
            refusal.is_none() || matches!(error.kind, ErrorKind::Unauthorized | ErrorKind::RateLimited);
        if is_ours && error.kind != ErrorKind::NotFound {
            return Err(error);
        }
        return Ok(records.iter().map(|record| (*record, Err(error.clone()))).collect());
    }
    let items = body.as_ref().and_then(|body| body.get("items")).and_then(Value::as_array);
    match (items, refusal) {
        (Some(items), _) if items.len() == records.len() => Ok(records
            .iter()
            .zip(items)
            .map(|(record, item)| (*record, failure::of_record(item).map_or(Ok(()), Err)))
            .collect()),
        (_, Some(error)) => Ok(records.iter().map(|record| (*record, Err(error.clone()))).collect()),
        _ if records.len() == 1 => Ok(records.iter().map(|record| (*record, Ok(()))).collect()),
        _ => {
            let error = Error::unexpected("NetSuite's result does not say what became of each record");
            Ok(records.iter().map(|record| (*record, Err(error.clone()))).collect())
        }
    }
}
