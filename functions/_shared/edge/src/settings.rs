//! What an operator sets, by the names of the variables.

use crate::Problem;
use crate::cors::Origins;
use crate::world::World;
use std::str::FromStr;
use std::time::Duration;

/// 1 MiB: the largest body that any function needs, and small enough for sixteen at once in one instance.
const BODY_BYTES: usize = 1 << 20;
/// Below the 30 s after which the usual proxies give up.
const DEADLINE_SECONDS: u64 = 25;

/// The settings of every function.
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    /// `max_body_bytes`.
    pub(crate) body_bytes: usize,
    /// `deadline_seconds`.
    pub(crate) deadline: Duration,
}

impl Settings {
    pub(crate) async fn read<W: World>(world: &W) -> Result<Self, Problem> {
        let body_bytes = number(world, "max_body_bytes").await?.unwrap_or(BODY_BYTES);
        let seconds = number(world, "deadline_seconds").await?.unwrap_or(DEADLINE_SECONDS).clamp(1, 3600);
        Ok(Self { body_bytes, deadline: Duration::from_secs(seconds) })
    }
}

/// `allowed_origins`. When it cannot be read no page may read the answer, which says why in the log.
pub(crate) async fn origins<W: World>(world: &W) -> Origins {
    match world.variable("allowed_origins").await {
        Ok(setting) => Origins::parse(setting.as_deref()),
        Err(_) => Origins::Listed(Vec::new()),
    }
}

pub(crate) async fn text<W: World>(world: &W, name: &str) -> Result<Option<String>, Problem> {
    world.variable(name).await.map_err(Problem::unavailable)
}

/// Whether a switch is on. Anything but a clear yes is no.
pub(crate) async fn switch<W: World>(world: &W, name: &str) -> Result<bool, Problem> {
    Ok(text(world, name).await?.is_some_and(|value| matches!(value.trim(), "true" | "1" | "yes" | "on")))
}

async fn number<W: World, T: FromStr>(world: &W, name: &str) -> Result<Option<T>, Problem> {
    match text(world, name).await? {
        None => Ok(None),
        Some(value) => match value.trim().parse() {
            Ok(number) => Ok(Some(number)),
            Err(_) => Err(Problem::internal(format!("the variable {name} is not a number in range"))),
        },
    }
}
