//! How long it takes to read n8n servers: one call of `workflow-sync`, for one user and for several at once.
#![expect(
    clippy::indexing_slicing,
    reason = "JSON read by name is null where there is nothing, it never panics"
)]

use std::fmt::Write;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use futures::future::join_all;
use platforms::{N8nHandle, Plan};
use serde_json::{Value, json};

use super::row::Target;
use crate::api::Caller;
use crate::real::Account;
use crate::session::{Person, connect, sign_up};
use crate::sync::millis;
use crate::world::World;

/// Users at once, and the workflows on the server of each.
pub(crate) const CASES: [(usize, usize); 5] = [(1, 1), (1, 10), (1, 250), (10, 10), (50, 10)];

/// Half of what a server may be asked in any minute; who has used more waits for the next one, unmeasured.
const HALF: u64 = 5;
const MINUTE: Duration = Duration::from_secs(61);

/// Everybody's syncs of one case.
#[derive(Debug)]
pub(crate) struct Row {
    pub(crate) users: usize,
    pub(crate) workflows: usize,
    /// `first`: nothing is known yet. `again`: a workflow and an execution of each server are new.
    pub(crate) pass: &'static str,
    /// The longest call.
    pub(crate) longest: Duration,
    /// The most requests that one server was sent.
    pub(crate) requests: u64,
    /// Calls that did everything.
    pub(crate) successes: usize,
}

/// Somebody with a server.
struct Operator {
    person: Person,
    n8n: N8nHandle,
}

/// Measures all cases.
///
/// # Errors
/// When a sync that says it is done has not read everything: its numbers are worth nothing.
pub(crate) async fn all(world: &World, cases: &[(usize, usize)]) -> Result<Vec<Row>> {
    world.host().context("there is no host")?.warm_up().await?;
    let mut rows = Vec::new();
    for &(users, workflows) in cases {
        let mut operators = Vec::new();
        for number in 0..users {
            operators.push(operator(world, &format!("flows-{users}-{workflows}-{number}"), workflows).await?);
        }
        let first = measure(world, &operators, workflows, "first").await?;
        if first.requests > HALF {
            tokio::time::sleep(MINUTE).await;
        }
        rows.push(first);
        for one in &operators {
            one.n8n.clear_journal();
            let id = one.n8n.add_workflow("New", true, None);
            one.n8n.run(&id, &Plan::Success);
        }
        // A second reading within moments would be answered from what the first has stored.
        let admin = world.admin().await?;
        admin.batch_execute("update sync.n8n_servers set workflows_at = null, due_at = now()").await?;
        rows.push(measure(world, &operators, workflows.saturating_add(1), "again").await?);
    }
    Ok(rows)
}

async fn operator(world: &World, name: &str, workflows: usize) -> Result<Operator> {
    let platforms = world.platforms().context("there are no simulated platforms")?;
    let n8n = platforms.n8n(name);
    for number in 0..workflows {
        n8n.add_workflow(&format!("Flow {number}"), true, None);
    }
    let person = sign_up(world, name).await?;
    let account = Account {
        platform: "n8n",
        name: "n8n",
        base_url: n8n.base_url().to_owned(),
        config: json!({}),
        credential: n8n.credential(),
    };
    connect(world, &person, &account).await?;
    Ok(Operator { person, n8n })
}

async fn measure(world: &World, operators: &[Operator], workflows: usize, pass: &'static str) -> Result<Row> {
    let calls = operators.iter().map(async |one| {
        let begun = Instant::now();
        let body = json!({ "action": "sync_all_workflows" });
        let done = world.api.post("workflow-sync", Caller::User(&one.person.token), &body).await;
        (begun.elapsed(), done)
    });
    let mut row =
        Row { users: operators.len(), workflows, pass, longest: Duration::ZERO, requests: 0, successes: 0 };
    for ((took, done), one) in join_all(calls).await.into_iter().zip(operators) {
        row.longest = row.longest.max(took);
        row.requests = row.requests.max(one.n8n.requests());
        let Ok(done) = done else { continue };
        if done["success"] == json!(true) {
            let seen = done["workflows"].as_u64().and_then(|seen| usize::try_from(seen).ok());
            ensure!(seen == Some(workflows), "{workflows} workflows were to be read: {done}");
            row.successes = row.successes.saturating_add(1);
        }
    }
    Ok(row)
}

impl Row {
    /// The targets that say something about a case of this size.
    pub(crate) fn targets(&self) -> Vec<Target> {
        let seconds = if self.users == 1 && self.workflows <= 11 { 2.0 } else { 5.0 };
        let requests = if self.workflows <= 11 { 3.0 } else { 5.0 };
        let (users, successes) = (number(self.users), number(self.successes));
        vec![
            Target { what: "seconds", value: self.longest.as_secs_f64(), limit: seconds },
            Target { what: "requests", value: whole(self.requests), limit: requests },
            Target { what: "share of failures", value: (users - successes) / users.max(1.0), limit: 0.05 },
        ]
    }

    pub(crate) fn json(&self) -> Value {
        let targets = self.targets().into_iter().map(|target| {
            json!({ "what": target.what, "value": target.value, "limit": target.limit, "met": target.met() })
        });
        json!({
            "users": self.users, "workflowsEach": self.workflows, "run": self.pass, "longestCallMs": millis(self.longest),
            "requestsEach": self.requests, "successes": self.successes, "targets": targets.collect::<Vec<Value>>(),
        })
    }
}

/// For people.
pub(crate) fn table(rows: &[Row]) -> String {
    let mut out = String::new();
    // Writing to a text cannot fail.
    let _ = write_table(&mut out, rows);
    out
}

fn write_table(out: &mut String, rows: &[Row]) -> std::fmt::Result {
    writeln!(
        out,
        "\n{:>5} {:>9} {:<6} {:>8} {:>8} {:>9}  targets met",
        "users", "workflows", "run", "seconds", "requests", "successes"
    )?;
    for row in rows {
        let missed: Vec<&str> =
            row.targets().iter().filter(|target| !target.met()).map(|target| target.what).collect();
        let met = if missed.is_empty() { "yes".to_owned() } else { format!("not {}", missed.join(", ")) };
        writeln!(
            out,
            "{:>5} {:>9} {:<6} {:>8.2} {:>8} {:>9}  {met}",
            row.users,
            row.workflows,
            row.pass,
            row.longest.as_secs_f64(),
            row.requests,
            row.successes
        )?;
    }
    writeln!(
        out,
        "\nTargets: one user's 10 workflows in less than 2 s and 3 requests, everything else in less than 5 s and 5 requests; at most 5 % failures."
    )
}

fn number(count: usize) -> f64 {
    whole(u64::try_from(count).unwrap_or(u64::MAX))
}

#[expect(clippy::cast_precision_loss, reason = "what is counted here is far below 2^52")]
fn whole(number: u64) -> f64 {
    number as f64
}
