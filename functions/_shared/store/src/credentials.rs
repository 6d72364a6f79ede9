//! Sealed credentials: loading them, and buying access tokens one buyer at a time.
//!
//! Nothing here can be read without the keys of `secrets`. Sealed texts belong to the integration's id and the owner's
//! user id: moved to another row, they do not open.

use crate::db::sql;
use crate::{Db, Result};
use chrono::{DateTime, Utc};
use domain::auth::CredentialKind;
use domain::{IntegrationId, RunId, UserId};
use serde::{Deserialize, Serialize};

/// What opens an account.
#[derive(Debug, Clone, Deserialize)]
pub struct Sealed {
    /// The account.
    pub integration_id: IntegrationId,
    /// Its owner, for whom it was sealed.
    pub user_id: UserId,
    /// What kind of credential the secret is.
    pub kind: CredentialKind,
    /// What the owner gave, sealed.
    pub secret: String,
    /// What we bought with it, if anything. It may be over.
    pub token: Option<Token>,
    /// Which token that is: 0 for none, else one more for each purchase. To be shown to [`take_refresh_lease`].
    pub fence: i64,
}

/// An access token, sealed.
#[derive(Debug, Clone, Deserialize)]
pub struct Token {
    /// The sealed token.
    pub sealed: String,
    /// When the platform stops accepting it; `None` if it never said.
    pub expires_at: Option<DateTime<Utc>>,
}

/// Asks to be the one who buys a new access token.
#[derive(Debug, Clone, Serialize)]
pub struct TakeRefreshLease {
    /// The account.
    pub integration_id: IntegrationId,
    /// The fence of the token as it was loaded: a token bought since then is handed over instead of a lease.
    pub seen_fence: i64,
    /// How long nobody else buys, in seconds. Above the time-out of a token request.
    pub lease_seconds: i32,
}

/// Who buys.
#[derive(Debug, Clone)]
pub enum Refresh {
    /// The caller does, and stores the token under this fence.
    Buy {
        /// To be shown to [`save_token`].
        fence: i64,
    },
    /// Somebody just did.
    Bought {
        /// What they bought.
        token: Token,
        /// Which token it is.
        fence: i64,
    },
    /// Somebody is at it: ask again after this time.
    Wait {
        /// Milliseconds, at most the lease.
        wait_ms: u64,
    },
}

/// A freshly bought access token.
#[derive(Debug, Clone, Serialize)]
pub struct SaveToken<'a> {
    /// The account.
    pub integration_id: IntegrationId,
    /// Of the lease.
    pub fence: i64,
    /// The sealed token.
    pub sealed: &'a str,
    /// When the platform stops accepting it.
    pub expires_at: Option<DateTime<Utc>>,
}

/// The sealed credentials of accounts, of those that exist. The audit says once per run that they were used; without a
/// run, every time.
pub async fn load(db: &Db, accounts: &[IntegrationId], run_id: Option<RunId>) -> Result<Vec<Sealed>> {
    #[derive(Serialize)]
    struct Input<'a> {
        integration_ids: &'a [IntegrationId],
        run_id: Option<RunId>,
    }
    #[derive(Deserialize)]
    struct Answer {
        accounts: Vec<Sealed>,
    }
    let input = Input { integration_ids: accounts, run_id };
    Ok(db.call::<_, Answer>(sql!("credentials/load"), &input).await?.accounts)
}

/// The sealed credentials of one account, used outside of a run; `None` if it does not exist.
pub async fn load_one(db: &Db, account: IntegrationId) -> Result<Option<Sealed>> {
    Ok(load(db, &[account], None).await?.pop())
}

/// Asks to be the one who buys a new access token, so that nobody else does at the same time.
pub async fn take_refresh_lease(db: &Db, input: &TakeRefreshLease) -> Result<Refresh> {
    #[derive(Deserialize)]
    struct Answer {
        fence: Option<i64>,
        token: Option<Token>,
        token_fence: i64,
        wait_ms: u64,
    }
    let answer: Answer = db.call(sql!("credentials/take_refresh_lease"), input).await?;
    Ok(match (answer.fence, answer.token) {
        (Some(fence), _) => Refresh::Buy { fence },
        (None, Some(token)) => Refresh::Bought { token, fence: answer.token_fence },
        (None, None) => Refresh::Wait { wait_ms: answer.wait_ms },
    })
}

/// Stores a bought token. `false`: the lease was lost or the secret replaced meanwhile; the token may still be used for
/// this run, but nobody else will have it.
pub async fn save_token(db: &Db, input: &SaveToken<'_>) -> Result<bool> {
    #[derive(Deserialize)]
    struct Answer {
        saved: bool,
    }
    Ok(db.call::<_, Answer>(sql!("credentials/save_token"), input).await?.saved)
}

/// Gives up buying, so that the next one need not wait for the lease to run out.
pub async fn release_refresh_lease(db: &Db, integration_id: IntegrationId, fence: i64) -> Result<bool> {
    #[derive(Serialize)]
    struct Input {
        integration_id: IntegrationId,
        fence: i64,
    }
    #[derive(Deserialize)]
    struct Answer {
        released: bool,
    }
    let input = Input { integration_id, fence };
    Ok(db.call::<_, Answer>(sql!("credentials/release_refresh_lease"), &input).await?.released)
}
