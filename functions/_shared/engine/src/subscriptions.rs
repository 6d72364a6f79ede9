//! Having a platform tell us by itself: asking for it, looking at what it was asked for, ending that.
//!
//! Nothing of this is kept here. What a platform sends to an account's address is the platform's to know: it ends
//! subscriptions by itself when their messages fail for long, and people end them by hand.

use crate::clock::Deadline;
use crate::error::{Error, Result};
use crate::integration;
use crate::settings::{self, Settings};
use crate::wire::Wire;
use connectors::Subscription;
use domain::{IntegrationId, ItemType, Platform};
use store::Db;
use store::credentials::{self, Sealed};
use store::integrations::{self, Side};
use url::Url;

/// The function that takes messages in; the account's id follows.
const RECEIVER: &str = "functions/v1/webhook-receive";

/// What concerns the subscriptions of one address.
#[derive(Debug, Clone)]
pub struct Hearing<T> {
    /// The address of the account's messages.
    pub address: Url,
    /// One by one.
    pub subscriptions: Vec<T>,
}

/// What became of the wish to hear of a topic.
#[derive(Debug, Clone)]
pub struct Subscribed {
    /// The topic.
    pub topic: &'static str,
    /// The subscription, or why the platform refused it.
    pub outcome: std::result::Result<Subscription, String>,
    /// Whether it was not there before.
    pub created: bool,
}

/// What became of the wish to end a subscription.
#[derive(Debug, Clone)]
pub struct Ended {
    /// The platform's id of it.
    pub id: String,
    /// What it was about; `None` where there was none at our address.
    pub topic: Option<String>,
    /// Why it was not ended.
    pub refused: Option<String>,
}

/// What the platform sends to the account's address. Whether the caller may know, the function has asked before.
pub async fn subscriptions(
    db: &Db,
    settings: &Settings,
    id: IntegrationId,
    deadline: Deadline,
) -> Result<Hearing<Subscription>> {
    let Line { side, sealed, address } = line(db, settings, id).await?;
    let wire = Wire::open(db, settings, &side, sealed, deadline)?;
    let found = listed(&wire, &address).await;
    wire.give_back().await?;
    Ok(Hearing { subscriptions: found?, address })
}

/// Has the platform send what we follow to the account's address: of these kinds of item, or of all. What is there already
/// is left as it is, so that this can be repeated. Whether the caller may, the function has asked before.
///
/// [`Error::Unheard`] where there is nothing to subscribe to, or messages could not be received.
pub async fn subscribe(
    db: &Db,
    settings: &Settings,
    id: IntegrationId,
    item_types: Option<&[ItemType]>,
    deadline: Deadline,
) -> Result<Hearing<Subscribed>> {
    let Line { side, sealed, address } = line(db, settings, id).await?;
    let topics = topics(side.platform, item_types)?;
    integration::in_use(&side)?;
    let wire = Wire::open(db, settings, &side, sealed, deadline)?;
    if !wire.can_verify() {
        let why = "The account's credential has no secret to check messages by, so that every one would be refused. \
                   Enter the credential again with `webhook_secret` beside it: the secret of the app.";
        return Err(Error::unheard("/integrationId", why));
    }
    let made = subscribe_missing(&wire, &address, topics).await;
    wire.give_back().await?;
    Ok(Hearing { subscriptions: made?, address })
}

/// Ends the subscriptions of the account's address: those with these ids, or all where none is named. What the platform
/// sends elsewhere is left alone. Whether the caller may, the function has asked before.
pub async fn unsubscribe(
    db: &Db,
    settings: &Settings,
    id: IntegrationId,
    ids: Option<&[String]>,
    deadline: Deadline,
) -> Result<Hearing<Ended>> {
    let Line { side, sealed, address } = line(db, settings, id).await?;
    let wire = Wire::open(db, settings, &side, sealed, deadline)?;
    let ended = end_ours(&wire, &address, ids).await;
    wire.give_back().await?;
    Ok(Hearing { subscriptions: ended?, address })
}

struct Line {
    side: Side,
    sealed: Sealed,
    address: Url,
}

/// The account, and where its platform's messages go.
async fn line(db: &Db, settings: &Settings, id: IntegrationId) -> Result<Line> {
    let side = integrations::load_for_run(db, id).await?.ok_or(store::Error::Missing("integration"))?;
    topics(side.platform, None)?;
    let address = address(&settings::public_url().await, settings.is_development(), id)?;
    let sealed = credentials::load_one(db, id).await?.ok_or(Error::NoCredential)?;
    Ok(Line { side, sealed, address })
}

/// The topics that tell of these kinds of item, or of all.
fn topics(platform: Platform, item_types: Option<&[ItemType]>) -> Result<Vec<&'static str>> {
    let connector = connectors::of(platform);
    let mut found = Vec::new();
    for (position, item_type) in item_types.unwrap_or(ItemType::ALL).iter().enumerate() {
        let topics = connector.topics(*item_type);
        if topics.is_empty() && item_types.is_some() {
            let why = format!("There is nothing to subscribe to for this kind of item on {platform}.");
            return Err(Error::unheard(format!("/itemTypes/{position}"), why));
        }
        found.extend(topics.into_iter().filter(|topic| !found.contains(topic)).collect::<Vec<_>>());
    }
    if found.is_empty() {
        let (pointer, why) = match item_types {
            Some(_) => ("/itemTypes", "Name one kind of item or more, or leave this out for all.".to_owned()),
            None => (
                "/integrationId",
                format!(
                    "There is nothing to subscribe to on {platform}. Give the account's syncs a schedule: each of their \
                     runs looks for what changed."
                ),
            ),
        };
        return Err(Error::unheard(pointer, why));
    }
    Ok(found)
}

/// The address of an account's messages. Platforms send to `https` only; in development simulated ones send anywhere.
fn address(public_url: &str, is_development: bool, id: IntegrationId) -> Result<Url> {
    let unset = |why: &str| {
        let what = "Its operator sets the variable `public_url` to the address under which platforms reach it, such as \
                    https://sync.example.com.";
        Error::unheard("", format!("This deployment {why}. {what}"))
    };
    let base = public_url.trim().trim_end_matches('/');
    if base.is_empty() {
        return Err(unset("does not know its own address"));
    }
    // By itself first: what follows must not become a part of its host.
    let url = Url::parse(base).and_then(|_| Url::parse(&format!("{base}/{RECEIVER}/{id}")));
    let url = url.map_err(|_| unset("has an address that is none"))?;
    let is_secure = url.scheme() == "https" || is_development && url.scheme() == "http";
    let is_plain = url.username().is_empty()
        && url.password().is_none()
        && url.query().is_none()
        && url.fragment().is_none();
    if is_secure && is_plain && url.has_host() {
        Ok(url)
    } else {
        Err(unset("has an address that is not https"))
    }
}

async fn listed(wire: &Wire<'_>, address: &Url) -> Result<Vec<Subscription>> {
    Ok(wire.ask(wire.connector.subscriptions(&wire.account, address)?).await?)
}

async fn subscribe_missing(
    wire: &Wire<'_>,
    address: &Url,
    topics: Vec<&'static str>,
) -> Result<Vec<Subscribed>> {
    let before = listed(wire, address).await?;
    let of = |all: &[Subscription], topic: &str| all.iter().find(|one| one.topic == topic).cloned();
    let missing: Vec<&'static str> =
        topics.iter().copied().filter(|topic| of(&before, topic).is_none()).collect();
    let (mut outcomes, mut after) = (Vec::new(), Vec::new());
    if !missing.is_empty() {
        outcomes = wire.ask(wire.connector.subscribe(&wire.account, address, &missing)?).await?;
        if outcomes.iter().any(Result::is_err) {
            // An attempt whose answer was lost may have made it, or somebody else in between.
            after = listed(wire, address).await?;
        }
    }
    let mut outcomes = missing.into_iter().zip(outcomes);
    let subscribed = |topic: &'static str| {
        if let Some(known) = of(&before, topic) {
            return Subscribed { topic, outcome: Ok(known), created: false };
        }
        let outcome = match outcomes.next() {
            Some((_, Ok(made))) => Ok(made),
            Some((_, Err(error))) => of(&after, topic).ok_or(error.message),
            None => Err("The platform's answer leaves it out.".to_owned()),
        };
        Subscribed { topic, created: outcome.is_ok(), outcome }
    };
    Ok(topics.into_iter().map(subscribed).collect())
}

async fn end_ours(wire: &Wire<'_>, address: &Url, ids: Option<&[String]>) -> Result<Vec<Ended>> {
    let ours = listed(wire, address).await?;
    let wanted: Vec<String> =
        ids.map_or_else(|| ours.iter().map(|one| one.id.clone()).collect(), <[String]>::to_vec);
    let topic = |id: &String| ours.iter().find(|one| one.id == *id).map(|one| one.topic.clone());
    let known: Vec<String> = wanted.iter().filter(|id| topic(id).is_some()).cloned().collect();
    let mut outcomes = Vec::new();
    if !known.is_empty() {
        outcomes = wire.ask(wire.connector.unsubscribe(&wire.account, &known)?).await?;
    }
    let mut outcomes = outcomes.into_iter();
    let ended = |id: String| {
        let Some(topic) = topic(&id) else {
            let refused = Some("There is none with this id at the account's address.".to_owned());
            return Ended { id, topic: None, refused };
        };
        let outcome = outcomes.next().unwrap_or_else(|| Err(connectors::Error::unexpected("no answer")));
        Ended { id, topic: Some(topic), refused: outcome.err().map(|error| error.message) }
    };
    Ok(wanted.into_iter().map(ended).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id() -> IntegrationId {
        "00000000-0000-4000-8000-000000000001".parse().unwrap()
    }

    fn pointer(error: &Error) -> &str {
        match error {
            Error::Unheard { pointer, .. } => pointer,
            other => panic!("{other}"),
        }
    }

    #[test]
    fn the_address_of_messages_is_below_the_deployments_own() {
        let expected =
            "https://sync.example.com/functions/v1/webhook-receive/00000000-0000-4000-8000-000000000001";
        for written in ["https://sync.example.com", " https://sync.example.com/ "] {
            assert_eq!(address(written, false, id()).unwrap().as_str(), expected);
        }
        let below = address("https://example.com/sync/", false, id()).unwrap();
        assert!(below.as_str().starts_with("https://example.com/sync/functions/v1/"));
        assert_eq!(address("http://127.0.0.1:3000", true, id()).unwrap().port(), Some(3000));
    }

    #[test]
    fn a_deployment_that_cannot_be_reached_says_which_variable_is_missing() {
        for wrong in [
            "",
            " ",
            "sync.example.com",
            "http://sync.example.com",
            "http://127.0.0.1:3000",
            "ftp://sync.example.com",
            "https://user@sync.example.com",
            "https://sync.example.com?x=",
            "https://sync.example.com#",
            "https://",
            "data:text",
        ] {
            let error = address(wrong, false, id()).unwrap_err();
            assert!(error.to_string().contains("`public_url`"), "{wrong}: {error}");
        }
    }

    #[test]
    fn only_what_a_platform_tells_of_can_be_subscribed_to() {
        let shop = Platform::Shopify;
        assert!(topics(shop, None).unwrap().len() > topics(shop, Some(&[ItemType::Product])).unwrap().len());
        let twice = topics(shop, Some(&[ItemType::Product, ItemType::Product])).unwrap();
        assert_eq!(twice, topics(shop, Some(&[ItemType::Product])).unwrap());
        let none = topics(shop, Some(&[ItemType::Product, ItemType::Customer])).unwrap_err();
        assert_eq!(pointer(&none), "/itemTypes/1");
        assert_eq!(pointer(&topics(shop, Some(&[])).unwrap_err()), "/itemTypes");
        for quiet in [Platform::Netsuite, Platform::Hubspot, Platform::N8n, Platform::Supabase] {
            let error = topics(quiet, None).unwrap_err();
            assert_eq!(pointer(&error), "/integrationId");
            assert!(error.to_string().contains("schedule"), "{error}");
        }
    }
}
