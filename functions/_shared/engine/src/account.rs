//! Opening an account: its address, its credential, its access token.

use crate::clock;
use crate::error::{Error, Result};
use crate::guard;
use crate::settings::Settings;
use connectors::{Account, Connector};
use domain::IntegrationId;
use domain::UserId;
use secrets::{Binding, Credential, Secret};
use std::time::Duration;
use store::credentials::{Sealed, Token};
use store::integrations::Side;
use url::Url;

/// A token is renewed this long before it ends, so that it does not end on the way.
const TOKEN_MARGIN: Duration = Duration::from_mins(1);

/// An account with its credential opened.
pub(crate) struct Opened {
    pub(crate) connector: &'static dyn Connector,
    pub(crate) account: Account,
    pub(crate) credential: Credential,
    pub(crate) token: Option<Secret>,
    pub(crate) fence: i64,
}

/// Checks the address and opens the credential.
pub(crate) fn open(settings: &Settings, side: &Side, sealed: &Sealed) -> Result<Opened> {
    let connector = connectors::of(side.platform);
    let base_url = Url::parse(&side.base_url).map_err(|error| Error::Address(error.to_string()))?;
    guard::check(&base_url, connector, settings.hosts())?;
    let account = Account { base_url, credential: sealed.kind, settings: side.config.clone() };
    let credential = open_credential(settings, sealed)?;
    let token = sealed
        .token
        .as_ref()
        .filter(|token| is_fresh(token))
        .map(|token| open_token(settings, sealed, token));
    Ok(Opened { connector, account, credential, token: token.transpose()?, fence: sealed.fence })
}

/// Opens what the account's owner entered.
pub(crate) fn open_credential(settings: &Settings, sealed: &Sealed) -> Result<Credential> {
    let secret = Place::of(sealed, "secret").open(settings, &sealed.secret)?;
    Ok(Credential::open(sealed.kind, &secret)?)
}

/// Opens a stored access token.
pub(crate) fn open_token(settings: &Settings, sealed: &Sealed, token: &Token) -> Result<Secret> {
    Place::of(sealed, "token").open(settings, &token.sealed)
}

/// Seals an access token for its account.
pub(crate) fn seal_token(settings: &Settings, sealed: &Sealed, token: &str) -> Result<String> {
    Place::of(sealed, "token").seal(settings, token.as_bytes())
}

/// Seals what a user entered, for the account and the owner it belongs to.
pub(crate) fn seal_secret(
    settings: &Settings,
    id: IntegrationId,
    owner: UserId,
    secret: &[u8],
) -> Result<String> {
    Place { column: "secret", row: id.to_string(), owner: owner.to_string() }.seal(settings, secret)
}

/// Where a sealed text is kept. Moved to another row, column or owner, it does not open.
struct Place {
    column: &'static str,
    row: String,
    owner: String,
}

impl Place {
    fn of(sealed: &Sealed, column: &'static str) -> Self {
        Self { column, row: sealed.integration_id.to_string(), owner: sealed.user_id.to_string() }
    }

    fn binding(&self) -> Binding<'_> {
        Binding { table: "sync.credentials", column: self.column, row: &self.row, owner: &self.owner }
    }

    fn open(&self, settings: &Settings, text: &str) -> Result<Secret> {
        Ok(settings.keys.open(&self.binding(), text)?)
    }

    fn seal(&self, settings: &Settings, plain: &[u8]) -> Result<String> {
        Ok(settings.keys.seal(&self.binding(), plain, nonce())?)
    }
}

fn is_fresh(token: &Token) -> bool {
    let margin = chrono::TimeDelta::from_std(TOKEN_MARGIN).unwrap_or_default();
    token.expires_at.is_none_or(|end| end.signed_duration_since(clock::now()) > margin)
}

/// Twelve random bytes.
fn nonce() -> [u8; 12] {
    clock::random().first_chunk().copied().unwrap_or_default()
}
