//! Idempotency keys: a request that comes twice is carried out once, and answered twice.

use crate::db::sql;
use crate::{Db, Error, Result};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// Which key, of whom, for what.
#[derive(Debug, Clone, Serialize)]
pub struct Key {
    /// Whose it is: the user's id, or the name of the secret key.
    pub scope: String,
    /// The function that was called.
    pub function: String,
    /// The key, 1 to 255 characters.
    pub key: String,
}

/// What is to become of a request with a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Begun {
    /// Nobody had this key: carry it out.
    Fresh {
        /// To be shown to [`finish`] or [`forget`].
        attempt: Uuid,
    },
    /// Another request with this key is at work: 409.
    Running {
        /// When to come again.
        retry_after_seconds: u64,
    },
    /// The key was used for another body: 422.
    Mismatch,
    /// It was carried out: answer the same.
    Replay {
        /// The status it was answered with.
        status: u16,
        /// The body it was answered with.
        body: String,
    },
}

#[derive(Deserialize)]
struct Answer {
    result: Word,
    attempt: Option<Uuid>,
    retry_after_seconds: Option<u64>,
    status: Option<u16>,
    body: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Word {
    Fresh,
    Running,
    Mismatch,
    Replay,
}

/// Claims a key for a request, or says what became of the one that had it. `fingerprint` is that of the canonical
/// body; `lock_seconds` how long the key stays taken if the request never ends.
pub async fn begin(db: &Db, key: &Key, fingerprint: &str, lock_seconds: i32) -> Result<Begun> {
    #[derive(Serialize)]
    struct Input<'a> {
        scope: &'a str,
        function: &'a str,
        key: &'a str,
        fingerprint: &'a str,
        lock_seconds: i32,
    }
    let input =
        Input { scope: &key.scope, function: &key.function, key: &key.key, fingerprint, lock_seconds };
    let answer: Answer = db.call(sql!("idempotency/begin"), &input).await?;
    let begun = match answer.result {
        Word::Fresh => answer.attempt.map(|attempt| Begun::Fresh { attempt }),
        Word::Running => {
            answer.retry_after_seconds.map(|seconds| Begun::Running { retry_after_seconds: seconds })
        }
        Word::Mismatch => Some(Begun::Mismatch),
        Word::Replay => answer.status.zip(answer.body).map(|(status, body)| Begun::Replay { status, body }),
    };
    begun.ok_or_else(|| Error::Statement("idempotency/begin: the answer is incomplete".to_owned()))
}

/// Keeps the answer for seven days. `false`: the lock ran out, and somebody else holds the key now.
pub async fn finish(db: &Db, key: &Key, attempt: Uuid, status: u16, body: &str) -> Result<bool> {
    #[derive(Serialize)]
    struct Input<'a> {
        scope: &'a str,
        function: &'a str,
        key: &'a str,
        attempt: Uuid,
        status: u16,
        body: &'a str,
    }
    #[derive(Deserialize)]
    struct Answer {
        kept: bool,
    }
    let input = Input { scope: &key.scope, function: &key.function, key: &key.key, attempt, status, body };
    Ok(db.call::<_, Answer>(sql!("idempotency/finish"), &input).await?.kept)
}

/// Frees the key of a request that changed nothing. `false`: it was not this attempt's any more.
pub async fn forget(db: &Db, key: &Key, attempt: Uuid) -> Result<bool> {
    #[derive(Serialize)]
    struct Input<'a> {
        scope: &'a str,
        function: &'a str,
        key: &'a str,
        attempt: Uuid,
    }
    #[derive(Deserialize)]
    struct Answer {
        forgotten: bool,
    }
    let input = Input { scope: &key.scope, function: &key.function, key: &key.key, attempt };
    Ok(db.call::<_, Answer>(sql!("idempotency/forget"), &input).await?.forgotten)
}
