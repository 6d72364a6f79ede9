//! `queue-drain`: works the queue until nothing is due or its time is up.

use edge::describe::Operation;
use edge::{Accepted, Call, Door, Either, Problem};
use engine::Settings;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::time::Duration;
use store::Db;

/// Nothing: what is due, the database knows.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Input {}

/// What became of the jobs.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Output {
    /// Jobs taken on.
    pub claimed: u64,
    /// Jobs that came to their end.
    pub done: u64,
    /// Jobs that go on later.
    pub retried: u64,
    /// Jobs that gave up; `queue` shows them.
    pub dead: u64,
    /// Whether nothing that is due was left.
    pub empty: bool,
    /// Milliseconds.
    pub duration: u64,
}

#[cfg(target_family = "wasm")]
#[spin_sdk::http_service]
async fn handle(request: spin_sdk::http::Request) -> impl spin_sdk::http::IntoResponse {
    edge::serve(request, Door::Secret).post(queue_drain).answer().await
}

async fn queue_drain(call: Call<Input>) -> Result<Either<Accepted<Output>, Output>, Problem> {
    let deadline = engine::Deadline::of_run(call.deadline.at());
    if call.prefer.respond_async {
        edge::after_answer(call.request_id, async move { drain(deadline).await.map(|_| ()) });
        return Ok(Either::Left(Accepted(Output::new(engine::Drained::default(), deadline.elapsed()))));
    }
    let drained = drain(deadline).await?;
    Ok(Either::Right(Output::new(drained, deadline.elapsed())))
}

async fn drain(deadline: engine::Deadline) -> Result<engine::Drained, Problem> {
    let db = Db::open().await?;
    let settings = Settings::read().await?;
    Ok(engine::drain(&db, &settings, deadline, None).await?)
}

impl Output {
    fn new(drained: engine::Drained, took: Duration) -> Self {
        let engine::Drained { claimed, done, retried, dead, empty } = drained;
        Self {
            claimed,
            done,
            retried,
            dead,
            empty,
            duration: u64::try_from(took.as_millis()).unwrap_or(u64::MAX),
        }
    }
}

/// What it does, for `openapi`.
pub fn operations() -> Vec<Operation> {
    vec![Operation::post(Door::Secret, queue_drain)]
}
