//! What goes wrong, and when. The same plan, seed and order of requests give the same faults.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use crate::dice::Dice;
use crate::web::Request;

/// Something that goes wrong with one request, one delivery of events or the search index.
#[derive(Debug, Clone, PartialEq)]
pub enum Fault {
    /// The answer takes this much longer.
    Latency(Duration),
    /// The connection is cut before any work is done.
    DropBefore,
    /// The work is done and committed, then the connection is cut before the reply.
    DropAfterCommit,
    /// An answer of our choice instead of any work.
    Status {
        /// The status.
        status: u16,
        /// Headers, `content-type` among them.
        headers: Vec<(&'static str, String)>,
        /// The body.
        body: String,
    },
    /// A web page instead of the answer, as proxies and maintenance pages do; no work is done.
    Html(u16),
    /// The work is done; half of the answer comes under the full `content-length`, then the connection is cut.
    Truncate,
    /// The work is done; the answer comes one byte at a time, this far apart.
    Drip(Duration),
    /// The work is done; the answer's JSON is broken.
    BadJson,
    /// These items of a batch are refused, by position; the others are done.
    PartialBatch(Vec<usize>),
    /// Changes made from this request on are found by searches only after so many seconds.
    LateIndex(i64),
    /// Every event is delivered twice.
    DuplicateEvents,
    /// Events are delivered in another order than they happened.
    ReorderEvents,
}

impl Fault {
    /// An answer of this status with a short JSON body.
    pub fn status(status: u16) -> Self {
        Self::Status {
            status,
            headers: vec![("content-type", "application/json".to_owned())],
            body: r#"{"errors":"simulated fault"}"#.to_owned(),
        }
    }

    /// 429 with `Retry-After` in seconds.
    pub fn too_many(retry_after: u64) -> Self {
        Self::Status {
            status: 429,
            headers: vec![
                ("content-type", "application/json".to_owned()),
                ("retry-after", retry_after.to_string()),
            ],
            body: r#"{"errors":"Exceeded the limit of requests"}"#.to_owned(),
        }
    }

    /// Its name in the journal.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Latency(_) => "latency",
            Self::DropBefore => "drop_before",
            Self::DropAfterCommit => "drop_after_commit",
            Self::Status { .. } => "status",
            Self::Html(_) => "html",
            Self::Truncate => "truncate",
            Self::Drip(_) => "drip",
            Self::BadJson => "bad_json",
            Self::PartialBatch(_) => "partial_batch",
            Self::LateIndex(_) => "late_index",
            Self::DuplicateEvents => "duplicate_events",
            Self::ReorderEvents => "reorder_events",
        }
    }

    /// Whether it concerns deliveries of events rather than requests.
    fn concerns_events(&self) -> bool {
        matches!(self, Self::DuplicateEvents | Self::ReorderEvents)
    }
}

/// Which requests a fault is for. What is not said does not narrow the choice.
#[derive(Debug, Clone, Default)]
pub struct Matcher {
    method: Option<String>,
    path: Option<String>,
    body: Option<String>,
    times: Option<u64>,
    skip: u64,
}

impl Matcher {
    /// Every request.
    pub fn any() -> Self {
        Self::default()
    }

    /// Requests of this method.
    #[must_use]
    pub fn method(mut self, method: &str) -> Self {
        self.method = Some(method.to_ascii_uppercase());
        self
    }

    /// Requests whose path and query contain this.
    #[must_use]
    pub fn path(mut self, part: &str) -> Self {
        self.path = Some(part.to_owned());
        self
    }

    /// Requests whose body contains this.
    #[must_use]
    pub fn body(mut self, part: &str) -> Self {
        self.body = Some(part.to_owned());
        self
    }

    /// At most so many of the requests that match.
    #[must_use]
    pub fn times(mut self, times: u64) -> Self {
        self.times = Some(times);
        self
    }

    /// Lets so many matching requests pass first.
    #[must_use]
    pub fn after(mut self, skip: u64) -> Self {
        self.skip = skip;
        self
    }

    fn matches(&self, request: &Request) -> bool {
        let holds = |wanted: &Option<String>, test: &dyn Fn(&str) -> bool| wanted.as_deref().is_none_or(test);
        holds(&self.method, &|method| request.method.as_str() == method)
            && holds(&self.path, &|part| request.target().contains(part))
            && holds(&self.body, &|part| contains(&request.body, part.as_bytes()))
    }
}

fn contains(hay: &[u8], needle: &[u8]) -> bool {
    needle.is_empty() || hay.windows(needle.len()).any(|window| window == needle)
}

/// The plan of one account. Clones are the same plan.
#[derive(Debug, Clone)]
pub struct Faults {
    plan: Arc<Mutex<Plan>>,
}

#[derive(Debug)]
struct Plan {
    queue: VecDeque<Fault>,
    rules: Vec<(Rule, Fault)>,
    dice: Dice,
}

#[derive(Debug)]
enum Rule {
    Always,
    Chance(f64),
    On(Matcher),
}

impl Faults {
    pub(crate) fn new(seed: u64) -> Self {
        let plan = Plan { queue: VecDeque::new(), rules: Vec::new(), dice: Dice::new(seed) };
        Self { plan: Arc::new(Mutex::new(plan)) }
    }

    /// Happens to the next request; several of them to as many requests, in this order.
    pub fn next(&self, fault: Fault) {
        self.with(|plan| plan.queue.push_back(fault));
    }

    /// Happens to every request (events: to every delivery).
    pub fn always(&self, fault: Fault) {
        self.with(|plan| plan.rules.push((Rule::Always, fault)));
    }

    /// Happens to a request with this probability, 0 to 1.
    pub fn chance(&self, probability: f64, fault: Fault) {
        self.with(|plan| plan.rules.push((Rule::Chance(probability), fault)));
    }

    /// Happens to the requests that match.
    pub fn on(&self, matcher: Matcher, fault: Fault) {
        self.with(|plan| plan.rules.push((Rule::On(matcher), fault)));
    }

    /// Nothing goes wrong any more.
    pub fn clear(&self) {
        self.with(|plan| {
            plan.queue.clear();
            plan.rules.clear();
        });
    }

    /// What happens to this request: of the queue at most one, and every rule that says so.
    pub(crate) fn draw(&self, request: &Request) -> Vec<Fault> {
        self.with(|plan| {
            let mut drawn: Vec<Fault> = plan.queue.pop_front().into_iter().collect();
            let Plan { rules, dice, .. } = plan;
            for (rule, fault) in rules.iter_mut().filter(|(_, fault)| !fault.concerns_events()) {
                let happens = match rule {
                    Rule::Always => true,
                    Rule::Chance(probability) => dice.chance(*probability),
                    Rule::On(matcher) => matcher.matches(request) && take(matcher),
                };
                if happens {
                    drawn.push(fault.clone());
                }
            }
            drawn
        })
    }

    /// Puts events into the order in which they are delivered.
    pub(crate) fn arrange<T: Clone>(&self, events: Vec<T>) -> Vec<T> {
        self.with(|plan| {
            let planned = |fault: &Fault| plan.rules.iter().any(|(_, planned)| planned == fault);
            let (twice, mixed) = (planned(&Fault::DuplicateEvents), planned(&Fault::ReorderEvents));
            let mut events = if twice {
                events.iter().flat_map(|event| [event.clone(), event.clone()]).collect()
            } else {
                events
            };
            if mixed {
                plan.dice.shuffle(&mut events);
            }
            events
        })
    }

    fn with<T>(&self, act: impl FnOnce(&mut Plan) -> T) -> T {
        act(&mut self.plan.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Uses up one of the requests a matcher is for.
fn take(matcher: &mut Matcher) -> bool {
    if matcher.skip > 0 {
        matcher.skip -= 1;
        return false;
    }
    match &mut matcher.times {
        None => true,
        Some(0) => false,
        Some(left) => {
            *left -= 1;
            true
        }
    }
}
