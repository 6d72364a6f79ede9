//! The line to one account: budget, signing, access tokens, attempts, time.

use crate::account::{self, Opened};
use crate::budget::{self, Admitted, Budget};
use crate::clock::{self, Deadline};
use crate::error::Result;
use crate::send;
use crate::settings::Settings;
use crate::tables;
use chrono::{DateTime, TimeDelta, Utc};
use connectors::{Account, Connector, ErrorKind, Exchange, Reply, Step, Token};
use domain::auth::{CredentialKind, Scheme};
use domain::backoff::Backoff;
use domain::{IntegrationId, RetryClass};
use secrets::{Credential, Secret};
use std::cell::{Cell, RefCell};
use std::time::Duration;
use store::Db;
use store::credentials::{self, Refresh, SaveToken, Sealed, TakeRefreshLease};
use store::integrations::Side;

/// The longest wait that a request sits out here. What is longer lays the run aside.
const PATIENCE: Duration = Duration::from_secs(10);
/// What must be left of the time to begin another attempt.
const MARGIN: Duration = Duration::from_millis(300);
/// How long nobody else buys a token while we do, in seconds.
const BUYING: i32 = 30;
/// A platform that asks us to wait without saying how long.
const SOME_TIME: Duration = Duration::from_secs(10);

/// Everything that is needed to talk to one account.
pub(crate) struct Wire<'a> {
    pub(crate) connector: &'static dyn Connector,
    pub(crate) account: Account,
    db: &'a Db,
    settings: &'a Settings,
    side: &'a Side,
    sealed: Sealed,
    credential: Credential,
    token: RefCell<Option<Secret>>,
    /// Which stored token `token` is.
    fence: Cell<i64>,
    backoff: Backoff,
    deadline: Deadline,
    /// Requests sent so far.
    sent: Cell<i64>,
    /// What the platform's clock showed when it first answered (see [`Self::ask_when`]).
    told_time: Cell<Option<DateTime<Utc>>>,
    pub(crate) budget: Budget<'a>,
}

/// Why an exchange did not come to its end.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The platform said no, or did not answer.
    Platform(connectors::Error),
    /// It asked for more patience than there is time. The run goes on later.
    Later(Duration),
    /// Our database.
    Store(store::Error),
}

impl From<connectors::Error> for Failure {
    fn from(error: connectors::Error) -> Self {
        Self::Platform(error)
    }
}

impl From<store::Error> for Failure {
    fn from(error: store::Error) -> Self {
        Self::Store(error)
    }
}

impl<'a> Wire<'a> {
    /// Opens the line: checks the address and opens the credential. Sends nothing yet.
    pub(crate) fn open(
        db: &'a Db,
        settings: &'a Settings,
        side: &'a Side,
        sealed: Sealed,
        deadline: Deadline,
    ) -> Result<Self> {
        let Opened { connector, account, credential, token, fence } = account::open(settings, side, &sealed)?;
        Ok(Self {
            connector,
            account,
            db,
            settings,
            side,
            sealed,
            credential,
            token: RefCell::new(token),
            fence: Cell::new(fence),
            backoff: Backoff { retries: side.max_retries, ..Backoff::default() },
            deadline,
            sent: Cell::new(0),
            told_time: Cell::new(None),
            budget: Budget::new(db, side.integration_id),
        })
    }

    /// Whose line it is.
    pub(crate) fn integration_id(&self) -> IntegrationId {
        self.side.integration_id
    }

    /// Whether the platform's own messages can be told from those of strangers.
    pub(crate) fn can_verify(&self) -> bool {
        !self.credential.webhook_secrets().is_empty()
    }

    /// Requests sent so far.
    pub(crate) fn sent(&self) -> i64 {
        self.sent.get()
    }

    /// Says that about so many requests will follow; answers how many of them go side by side.
    pub(crate) fn expect(&self, requests: usize, concurrency: usize) -> usize {
        self.budget.expect(requests);
        self.budget.width(concurrency)
    }

    /// Tells the shared breaker and budget how it went, where others should know at once.
    pub(crate) async fn settle(&self) -> Result<(), store::Error> {
        budget::settle(self.db, &[&self.budget]).await
    }

    /// Gives back what of the budget was not needed.
    pub(crate) async fn give_back(&self) -> Result<(), store::Error> {
        budget::give_back(self.db, &[&self.budget]).await
    }

    /// Carries an exchange to its end: every step, each with its attempts.
    pub(crate) async fn ask<T: 'static>(&self, exchange: Exchange<T>) -> Result<T, Failure> {
        let (mut exchange, mut patience) = (exchange, PATIENCE);
        loop {
            match self.attempt(&exchange, patience).await? {
                Step::Done(answer) => return Ok(answer),
                Step::Next { exchange: next, after } => {
                    // Whoever gives up now begins with the first step again the next time, and may never get further.
                    patience = Duration::MAX;
                    self.wait(after, patience).await?;
                    exchange = next;
                }
            }
        }
    }

    /// As [`Self::ask`], with the platform's own time when it first answered; `None` where it does not tell.
    ///
    /// Nothing else is to be asked of this line meanwhile.
    pub(crate) async fn ask_when<T: 'static>(
        &self,
        exchange: Exchange<T>,
    ) -> Result<(T, Option<DateTime<Utc>>), Failure> {
        self.told_time.set(None);
        let answer = self.ask(exchange).await?;
        Ok((answer, self.told_time.get()))
    }

    /// Takes note of the platform's time, where a reply tells it first.
    fn note_time(&self, reply: &Reply) {
        let date = || reply.headers().get(http::header::DATE)?.to_str().ok();
        let time = || DateTime::parse_from_rfc2822(date()?).ok().map(|time| time.to_utc());
        self.told_time.set(self.told_time.get().or_else(time));
    }

    /// Sends one request once, whatever becomes of it: what it starts must not start twice.
    pub(crate) async fn ask_once<T: 'static>(&self, exchange: &Exchange<T>) -> Result<T, Failure> {
        match self.once(exchange, &Cell::new(self.fence.get()), PATIENCE).await? {
            Step::Done(answer) => Ok(answer),
            Step::Next { .. } => {
                Err(connectors::Error::unexpected("a second request would be needed").into())
            }
        }
    }

    /// Whether the account's MCP server can be asked.
    pub(crate) const fn has_mcp_key(&self) -> bool {
        self.credential.has_mcp_key()
    }

    /// One step, tried again as its failures and the integration's retry policy allow.
    async fn attempt<T: 'static>(
        &self,
        exchange: &Exchange<T>,
        patience: Duration,
    ) -> Result<Step<T>, Failure> {
        let mut retry = 0_u32;
        let mut renewed = false;
        let used = Cell::new(self.fence.get());
        loop {
            let error = match self.once(exchange, &used, patience).await {
                Ok(step) => return Ok(step),
                Err(Failure::Platform(error)) => error,
                Err(other) => return Err(other),
            };
            if error.kind == ErrorKind::Unauthorized
                && exchange.scheme.wants_token()
                && self.buys_tokens()
                && !renewed
            {
                renewed = true;
                self.renew(used.get()).await?;
                continue;
            }
            if !error.kind.retry_class().is_temporary() {
                return Err(error.into());
            }
            retry = retry.saturating_add(1);
            let throttled = error.kind.retry_class() == RetryClass::Throttled;
            if throttled {
                self.budget.throttled(error.retry_after);
            }
            match self.backoff.wait(retry, error.retry_after, clock::chance()) {
                Some(wait) => self.wait(wait, patience).await?,
                None if throttled => return Err(Failure::Later(error.retry_after.unwrap_or(SOME_TIME))),
                None => return Err(error.into()),
            }
        }
    }

    /// One attempt. `used` is set to the fence of the token it is made with.
    async fn once<T: 'static>(
        &self,
        exchange: &Exchange<T>,
        used: &Cell<i64>,
        patience: Duration,
    ) -> Result<Step<T>, Failure> {
        if exchange.scheme == Scheme::Database {
            return self.at_home(exchange).await;
        }
        if exchange.scheme.wants_token() && self.buys_tokens() && self.token.borrow().is_none() {
            self.renew(self.fence.get()).await?;
        }
        self.admitted(exchange.cost, patience).await?;
        let left = self.deadline.left();
        if left < MARGIN {
            return Err(Failure::Later(Duration::ZERO));
        }
        let mut request = exchange.request.clone();
        let token = self.token.borrow().clone();
        used.set(self.fence.get());
        let (at, nonce) = (clock::now(), clock::nonce());
        secrets::sign(&mut request, &exchange.scheme, &self.credential, token.as_ref(), at, &nonce)
            .map_err(|error| connectors::Error::new(ErrorKind::Unauthorized, error.to_string()))?;
        self.sent.set(self.sent.get().saturating_add(1));
        let (read, gauge) = match send::exchange(request, self.settings.call_timeout.min(left)).await {
            Ok(reply) => {
                self.note_time(&reply);
                (exchange.read(&reply), self.connector.gauge(&reply))
            }
            Err(error) => (Err(error), None),
        };
        match &read {
            Err(error) if error.kind == ErrorKind::Unavailable => self.budget.failed(),
            _ => self.budget.answered(gauge),
        }
        Ok(read?)
    }

    /// One attempt at a question to our own database. It costs nothing of a platform's budget, and its time is that of
    /// every statement; an account whose address is another platform's asks nothing here.
    async fn at_home<T: 'static>(&self, exchange: &Exchange<T>) -> Result<Step<T>, Failure> {
        if self.deadline.left() < MARGIN {
            return Err(Failure::Later(Duration::ZERO));
        }
        self.sent.set(self.sent.get().saturating_add(1));
        let reply = tables::exchange(self.db, self.side.integration_id, &exchange.request).await;
        let read = reply.and_then(|reply| {
            self.note_time(&reply);
            exchange.read(&reply)
        });
        match &read {
            Err(error) if error.kind == ErrorKind::Unavailable => {}
            _ => self.budget.answered(None),
        }
        Ok(read?)
    }

    /// Takes one request of the budget, and waits for it where that is worth it.
    async fn admitted(&self, cost: u32, patience: Duration) -> Result<(), Failure> {
        loop {
            match self.budget.take(cost).await? {
                Admitted::Yes => return Ok(()),
                Admitted::Wait(wait) => self.wait(wait, patience).await?,
                Admitted::Shut(wait) => {
                    let seconds = wait.as_secs().max(1);
                    let message = format!("the platform failed repeatedly and is left alone for {seconds} s");
                    return Err(connectors::Error::new(ErrorKind::Unavailable, message).into());
                }
            }
        }
    }

    /// Waits, if that is worth it.
    pub(crate) async fn wait(&self, wait: Duration, patience: Duration) -> Result<(), Failure> {
        if wait > patience || wait.saturating_add(MARGIN) > self.deadline.left() {
            return Err(Failure::Later(wait));
        }
        spin_sdk::time::sleep(wait).await;
        Ok(())
    }

    fn buys_tokens(&self) -> bool {
        matches!(self.credential.kind(), CredentialKind::ClientCredentials | CredentialKind::ClientAssertion)
    }

    /// Gets a newer access token than the one with this fence: bought by us, or by somebody else meanwhile, who may be
    /// another request on this line. Only one buys at a time.
    async fn renew(&self, seen_fence: i64) -> Result<(), Failure> {
        while self.fence.get() == seen_fence {
            let integration_id = self.side.integration_id;
            let lease = TakeRefreshLease { integration_id, seen_fence, lease_seconds: BUYING };
            match credentials::take_refresh_lease(self.db, &lease).await? {
                Refresh::Buy { fence } => return self.buy(fence).await,
                Refresh::Bought { token, fence } => {
                    let opened =
                        account::open_token(self.settings, &self.sealed, &token).map_err(|error| {
                            connectors::Error::new(ErrorKind::Unauthorized, error.to_string())
                        })?;
                    self.fence.set(fence);
                    self.token.replace(Some(opened));
                }
                Refresh::Wait { wait_ms } => {
                    self.wait(Duration::from_millis(wait_ms.clamp(50, 500)), PATIENCE).await?;
                }
            }
        }
        Ok(())
    }

    async fn buy(&self, fence: i64) -> Result<(), Failure> {
        let bought = match self.connector.token(&self.account) {
            // A token request wants no token itself: the recursion ends there.
            Ok(exchange) if !exchange.scheme.wants_token() => Box::pin(self.ask(exchange)).await,
            Ok(_) => Err(connectors::Error::unexpected("a token request cannot ask for a token").into()),
            Err(error) => Err(error.into()),
        };
        let Token { access_token, expires_in } = match bought {
            Ok(token) => token,
            Err(failure) => {
                credentials::release_refresh_lease(self.db, self.side.integration_id, fence).await?;
                return Err(failure);
            }
        };
        let sealed = account::seal_token(self.settings, &self.sealed, &access_token)
            .map_err(|error| connectors::Error::new(ErrorKind::Unauthorized, error.to_string()))?;
        let lasts = i64::try_from(expires_in).ok().and_then(TimeDelta::try_seconds);
        let save = SaveToken {
            integration_id: self.side.integration_id,
            fence,
            sealed: &sealed,
            expires_at: lasts.and_then(|lasts| clock::now().checked_add_signed(lasts)),
        };
        credentials::save_token(self.db, &save).await?;
        self.fence.set(fence);
        self.token.replace(Some(Secret::new(access_token)));
        Ok(())
    }
}
