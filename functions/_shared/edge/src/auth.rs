//! Who calls, and whether the door is open to them.

use crate::call::{Caller, Door, User};
use crate::settings::{switch, text};
use crate::world::World;
use crate::{Problem, keys};
use chrono::{DateTime, Utc};
use http::HeaderMap;
use http::header::AUTHORIZATION;
use secrets::jwt::{self, PublicKeys, Refusal, Verifier};
use secrets::{ApiKeys, Secret};
use std::time::Instant;
use store::Claims;

/// A key of a system in place of a person's token; Supabase's gateway refuses it there too.
const KEY_PREFIX: &str = "sb_";
/// The name under which a legacy key that is a token is known.
const SERVICE_ROLE: &str = "service_role";

/// What the request shows.
struct Shown<'a> {
    bearer: Option<&'a str>,
    api_key: Option<&'a [u8]>,
}

impl<'a> Shown<'a> {
    /// One `Authorization: Bearer <token>` and one `apikey`, at most. Anything else there is a refusal.
    fn read(headers: &'a HeaderMap) -> Result<Self, Problem> {
        let refused = |why: &str| Problem::unauthorized().because(why);
        let single = |name: &str| {
            let mut values = headers.get_all(name).iter();
            match (values.next(), values.next()) {
                (value, None) => Ok(value),
                (_, Some(_)) => Err(refused("a credential is there twice")),
            }
        };
        let bearer = match single(AUTHORIZATION.as_str())? {
            None => None,
            Some(value) => {
                let value = value.to_str().map_err(|_| refused("the authorization is not text"))?;
                let token = value
                    .strip_prefix("Bearer ")
                    .ok_or_else(|| refused("the authorization is no bearer token"))?;
                if token.starts_with(KEY_PREFIX) {
                    return Err(refused("a key was sent as a bearer token"));
                }
                Some(token)
            }
        };
        Ok(Self { bearer, api_key: single("apikey")?.map(http::HeaderValue::as_bytes) })
    }
}

/// Who calls. 401 when the door asks for somebody and nobody is shown, or what is shown does not hold; 403 for a user
/// at a door for systems. A bad token is refused even beside a good key: nobody is let in as somebody else.
pub(crate) async fn caller<W: World>(
    world: &W,
    door: Door,
    headers: &HeaderMap,
    now: DateTime<Utc>,
) -> Result<Caller, Problem> {
    match door {
        Door::Signature => Ok(Caller::Anonymous),
        Door::None => at_the_open_door(world, headers, now).await,
        Door::User | Door::Secret | Door::UserOrSecret => {
            let shown = Shown::read(headers)?;
            match shown.bearer {
                Some(token) => by_token(world, door, token, shown.api_key, now).await,
                None if door == Door::User => Err(Problem::unauthorized()),
                None => by_key(world, shown.api_key).await,
            }
        }
    }
}

/// Anybody may come in; a system with a good key is recognised. Whatever else is shown does not matter.
async fn at_the_open_door<W: World>(
    world: &W,
    headers: &HeaderMap,
    now: DateTime<Utc>,
) -> Result<Caller, Problem> {
    let Ok(shown) = Shown::read(headers) else { return Ok(Caller::Anonymous) };
    if let Ok(caller) = by_key(world, shown.api_key).await {
        return Ok(caller);
    }
    match shown.bearer {
        Some(token) if is_service_role(world, token, now).await.unwrap_or(false) => Ok(service_role()),
        _ => Ok(Caller::Anonymous),
    }
}

async fn by_key<W: World>(world: &W, shown: Option<&[u8]>) -> Result<Caller, Problem> {
    let Some(shown) = shown else { return Err(Problem::unauthorized()) };
    let Some(setting) = text(world, "secret_keys").await? else {
        return Err(Problem::unavailable("the variable secret_keys is not set"));
    };
    match ApiKeys::parse(&setting)?.find(shown) {
        Some(name) => Ok(Caller::Secret { name: name.to_owned() }),
        None => Err(Problem::unauthorized().because("the key is not known")),
    }
}

async fn by_token<W: World>(
    world: &W,
    door: Door,
    token: &str,
    api_key: Option<&[u8]>,
    now: DateTime<Utc>,
) -> Result<Caller, Problem> {
    if door != Door::User && is_service_role(world, token, now).await? {
        return Ok(service_role());
    }
    if door == Door::Secret && text(world, "jwt_issuer").await?.is_none() {
        // A function that is only for systems needs no way to tell one person from another: none may come in.
        return Err(Problem::unauthorized().because("a token at a door for systems that knows no issuer"));
    }
    let user = verify(world, token, now).await?;
    if door != Door::Secret {
        return Ok(Caller::User(user));
    }
    match api_key {
        Some(_) => by_key(world, api_key).await,
        None => Err(Problem::forbidden().because("a user at a door for systems")),
    }
}

fn service_role() -> Caller {
    Caller::Secret { name: SERVICE_ROLE.to_owned() }
}

async fn is_service_role<W: World>(world: &W, token: &str, now: DateTime<Utc>) -> Result<bool, Problem> {
    if !switch(world, "allow_legacy_service_role").await? {
        return Ok(false);
    }
    let verifier = verifier(world, PublicKeys::default(), true).await?;
    Ok(verifier.verify_service_role(token, now).is_ok())
}

/// Checks a user's token with the keys at hand; if its key is not among them, with newly fetched ones.
async fn verify<W: World>(world: &W, token: &str, now: DateTime<Utc>) -> Result<User, Problem> {
    let at = Instant::now();
    let given = text(world, "jwks").await?;
    let address = if given.is_none() { text(world, "jwks_url").await? } else { None };
    let keys = match (&given, &address) {
        (Some(text), _) => PublicKeys::parse(text)?,
        (None, Some(address)) => world.keys().fresh(address, at).unwrap_or_default(),
        (None, None) => PublicKeys::default(),
    };
    let mut result = verifier(world, keys, false).await?.verify(token, now);
    if let (Err(Refusal::UnknownKey), Some(address)) = (&result, &address)
        && let Some(keys) = keys::refetch(world, address, at).await?
    {
        result = verifier(world, keys, false).await?.verify(token, now);
    }
    user(&result?)
}

async fn verifier<W: World>(
    world: &W,
    keys: PublicKeys,
    legacy_service_role: bool,
) -> Result<Verifier, Problem> {
    // A legacy key names an issuer of its own; that of people is not needed for it.
    let unnamed = if legacy_service_role { SERVICE_ROLE } else { "" };
    let issuer = text(world, "jwt_issuer").await?.unwrap_or_else(|| unnamed.to_owned());
    let hs256_secret = text(world, "jwt_secret").await?.map(Secret::new);
    Ok(Verifier::new(jwt::Settings {
        hs256_secret,
        keys,
        issuer: issuer.trim().to_owned(),
        legacy_service_role,
    })?)
}

fn user(claims: &jwt::Claims) -> Result<User, Problem> {
    let fields =
        serde_json::from_str(&claims.raw).map_err(|_| Problem::internal("verified claims are no object"))?;
    let verified =
        Claims::verified(fields).ok_or_else(|| Problem::internal("verified claims are no user's"))?;
    Ok(User { id: claims.user_id, claims: verified, is_anonymous: claims.is_anonymous })
}
