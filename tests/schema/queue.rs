//! The queue: nothing twice, nothing lost, one of a group at a time.

use super::{ANA, BOB, Schema, connect, run};
use serde_json::{Value, json};
use std::collections::{HashMap, HashSet};

fn job(n: usize, group: &str) -> Value {
    json!({"user_id": if n.is_multiple_of(2) { ANA } else { BOB }, "kind": "sync_items", "payload": {"n": n},
        "group_key": group, "dedupe_key": format!("job:{n}"), "priority": 1 + n % 9, "delay_ms": 0})
}

fn done(job: &Value) -> Value {
    json!({"id": job["id"], "fence": job["fence"], "end": "done"})
}

#[tokio::test(flavor = "multi_thread")]
async fn eight_workers_share_two_thousand_jobs_and_none_is_done_twice() {
    let schema = Schema::fresh().await;
    for start in [0, 1000] {
        let jobs: Vec<Value> = (start..start + 1000).map(|n| job(n, &format!("group:{}", n % 200))).collect();
        schema.call("queue/enqueue", json!({"jobs": jobs})).await;
    }

    let mut workers = Vec::new();
    for _ in 0..8 {
        let url = schema.db.functions_url();
        workers.push(tokio::spawn(async move {
            let client = connect(&url).await;
            let (mut mine, mut finished) = (Vec::new(), Vec::new());
            let mut idle = 0;
            while idle < 20 {
                let answer =
                    run(&client, "queue/finish_and_claim", json!({"finished": finished, "limit": 10}))
                        .await
                        .unwrap();
                assert_eq!(answer["lost"], json!([]));
                let jobs = answer["jobs"].as_array().unwrap().clone();
                let groups: HashSet<String> = jobs
                    .iter()
                    .map(|job| (job["payload"]["n"].as_u64().unwrap() % 200).to_string())
                    .collect();
                assert_eq!(groups.len(), jobs.len(), "two jobs of one group at once");
                idle = if jobs.is_empty() { idle + 1 } else { 0 };
                finished = jobs.iter().map(done).collect();
                mine.extend(jobs.iter().map(|job| job["id"].as_str().unwrap().to_owned()));
            }
            mine
        }));
    }
    let mut times: HashMap<String, u32> = HashMap::new();
    for worker in workers {
        for id in worker.await.unwrap() {
            *times.entry(id).or_default() += 1;
        }
    }

    assert_eq!(times.len(), 2000, "some were never handed out");
    assert!(times.values().all(|times| *times == 1), "some were handed out twice");
    assert_eq!(schema.db.count("select count(*) from sync.sync_queue where state = 'done'").await, 2000);
}

#[tokio::test]
async fn one_job_of_a_group_is_out_at_a_time_and_the_next_follows_when_it_ends() {
    let schema = Schema::fresh().await;
    schema.call("queue/enqueue", json!({"jobs": [job(1, "g"), job(2, "g"), job(3, "h")]})).await;
    let claim = async |finished: Value| {
        schema.call("queue/finish_and_claim", json!({"finished": finished, "limit": 10})).await["jobs"]
            .clone()
    };

    let first = claim(json!([])).await;
    assert_eq!(first.as_array().unwrap().len(), 2);
    assert_eq!(claim(json!([])).await, json!([]));
    let of_g = first.as_array().unwrap().iter().find(|job| job["payload"]["n"] != 3).unwrap();
    let next = claim(json!([done(of_g)])).await;
    assert_eq!(next[0]["payload"]["n"], 2);
}

#[tokio::test]
async fn what_waits_absorbs_a_second_one_and_what_is_leased_does_not() {
    let schema = Schema::fresh().await;
    let waiting = "select count(*) from sync.sync_queue where state = 'pending'";
    let mut urgent = job(7, "g");
    schema.call("queue/enqueue", json!({"jobs": [urgent.clone()]})).await;
    urgent["priority"] = json!(1);
    schema.call("queue/enqueue", json!({"jobs": [urgent.clone()]})).await;
    assert_eq!(schema.db.count(waiting).await, 1);
    assert_eq!(schema.db.count("select min(priority)::bigint from sync.sync_queue").await, 1);

    let taken =
        schema.call("queue/finish_and_claim", json!({"finished": [], "limit": 1})).await["jobs"][0].clone();
    schema.call("queue/enqueue", json!({"jobs": [urgent]})).await;
    assert_eq!(schema.db.count(waiting).await, 1);

    // The one that comes back finds its like waiting, and leaves the work to it.
    let back = json!([{"id": taken["id"], "fence": taken["fence"], "end": "retry", "delay_ms": 1000}]);
    let answer = schema.call("queue/finish_and_claim", json!({"finished": back, "limit": 0})).await;
    assert_eq!(answer["lost"], json!([]));
    assert_eq!(schema.db.count("select count(*) from sync.sync_queue where state = 'done'").await, 1);
}

#[tokio::test]
async fn a_worker_that_died_is_followed_and_one_that_was_slow_changes_nothing() {
    let schema = Schema::fresh().await;
    schema.call("queue/enqueue", json!({"jobs": [job(1, "g")]})).await;
    let claim = json!({"finished": [], "limit": 1});
    let slow = schema.call("queue/finish_and_claim", claim.clone()).await["jobs"][0].clone();
    let later = "update sync.sync_queue set due_at = now(); update sync.queue_groups set busy_until = now()";
    schema.db.run(later).await;

    let second = schema.call("queue/finish_and_claim", claim.clone()).await["jobs"][0].clone();
    assert_eq!((&second["id"], &second["attempts"]), (&slow["id"], &json!(2)));
    let late = schema.call("queue/finish_and_claim", json!({"finished": [done(&slow)], "limit": 0})).await;
    assert_eq!(late["lost"], json!([slow["id"]]));
    assert_eq!(schema.db.text("select state from sync.sync_queue").await, "leased");

    for _ in 0..3 {
        schema.db.run(later).await;
        schema.call("queue/finish_and_claim", claim.clone()).await;
    }
    assert_eq!(schema.db.text("select state from sync.sync_queue").await, "dead");
}

#[tokio::test]
async fn a_job_is_tried_again_until_its_attempts_are_spent() {
    let schema = Schema::fresh().await;
    let mut given = job(1, "g");
    given["max_attempts"] = json!(2);
    schema.call("queue/enqueue", json!({"jobs": [given]})).await;
    let mut finished = json!([]);
    for expected in ["retry", "dead"] {
        schema.db.run("update sync.sync_queue set due_at = now() where state = 'retry'").await;
        let taken =
            schema.call("queue/finish_and_claim", json!({"finished": finished, "limit": 1})).await["jobs"][0]
                .clone();
        finished = json!([{"id": taken["id"], "fence": taken["fence"], "end": "retry", "error": "away", "delay_ms": 5000}]);
        schema.call("queue/finish_and_claim", json!({"finished": finished, "limit": 1})).await;
        assert_eq!(
            schema.db.text("select state || last_error from sync.sync_queue").await,
            format!("{expected}away")
        );
        finished = json!([]);
    }
}

#[tokio::test]
async fn users_see_and_cancel_their_own_jobs_only() {
    let schema = Schema::fresh().await;
    schema.call("queue/enqueue", json!({"jobs": [job(2, "g")]})).await;
    let of = async |user: &str| {
        schema.call_as(user, "queue/list", json!({"limit": 10})).await.unwrap()["rows"].clone()
    };
    let hers = of(ANA).await;
    assert_eq!((hers.as_array().unwrap().len(), of(BOB).await), (1, json!([])));

    let cancel = json!({"ids": [hers[0]["id"]]});
    assert_eq!(schema.call_as(BOB, "queue/cancel", cancel.clone()).await.unwrap()["cancelled"], Value::Null);
    assert_eq!(
        schema.call_as(ANA, "queue/cancel", cancel).await.unwrap()["cancelled"],
        json!([hers[0]["id"]])
    );
    assert_eq!(schema.db.text("select state from sync.sync_queue").await, "cancelled");
}
