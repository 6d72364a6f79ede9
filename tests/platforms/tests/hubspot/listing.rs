//! Listings of the connector: nothing is lost, whatever changes meanwhile and however much changed at once.

use std::collections::BTreeSet;

use chrono::{DateTime, TimeDelta, Utc};
use connectors::{Filter, ListQuery, Page};
use platforms::{Contact, HubspotHandle, Platforms, contact};

use crate::connector::{CUSTOMER, account, hubspot, run};

async fn page(
    portal: &HubspotHandle,
    since: Option<DateTime<Utc>>,
    page: Option<String>,
    limit: usize,
) -> anyhow::Result<Page> {
    let query = ListQuery { item_type: CUSTOMER, since, filter: Filter::default(), page, limit };
    Ok(run(portal, hubspot().list(&account(portal), &query)?).await??)
}

/// Every id of a listing, in the order of its pages, and how many pages there were.
async fn all(
    portal: &HubspotHandle,
    since: Option<DateTime<Utc>>,
    limit: usize,
) -> anyhow::Result<(Vec<String>, usize)> {
    let (mut ids, mut next, mut pages) = (Vec::new(), None, 0);
    loop {
        let page = page(portal, since, next.clone(), limit).await?;
        pages += 1;
        ids.extend(page.records.into_iter().map(|record| record.id));
        anyhow::ensure!(page.next.is_none() || page.next != next, "the listing does not advance");
        next = page.next;
        if next.is_none() {
            return Ok((ids, pages));
        }
    }
}

fn people(name: &str, count: usize) -> Vec<Contact> {
    (0..count).map(|number| contact(&format!("{name}{number}@example.com"))).collect()
}

fn open(platforms: &Platforms) -> HubspotHandle {
    platforms.clock().stop();
    let portal = platforms.hubspot("demo");
    portal.set_limits(100_000, 100_000);
    portal
}

#[tokio::test]
async fn changes_at_the_same_time_are_all_listed_once_at_every_size_of_page() -> anyhow::Result<()> {
    let platforms = Platforms::start(1)?;
    let portal = open(&platforms);
    let start = platforms.clock().now();
    let mut made = BTreeSet::new();
    for (number, count) in [1, 7, 1, 2, 12, 3, 1].into_iter().enumerate() {
        made.extend(portal.has_all(people(&format!("p{number}x"), count)));
        platforms.clock().advance(TimeDelta::milliseconds(1));
    }
    for limit in [1, 2, 3, 5, 7, 26, 27, 200] {
        let (listed, _) = all(&portal, Some(start), limit).await?;
        assert_eq!(listed.len(), made.len(), "pages of {limit}");
        assert_eq!(listed.into_iter().collect::<BTreeSet<_>>(), made, "pages of {limit}");
    }
    let (later, _) = all(&portal, Some(start + TimeDelta::milliseconds(6)), 3).await?;
    assert_eq!(later.len(), 1);
    Ok(())
}

#[tokio::test]
async fn more_than_ten_thousand_changes_are_listed() -> anyhow::Result<()> {
    let platforms = Platforms::start(1)?;
    let portal = open(&platforms);
    let start = platforms.clock().now();
    let mut made: BTreeSet<String> = portal.has_all(people("import", 450)).into_iter().collect();
    for number in 0..200 {
        platforms.clock().advance(TimeDelta::milliseconds(3));
        made.extend(portal.has_all(people(&format!("p{number}x"), 50)));
    }
    let (listed, pages) = all(&portal, Some(start), 200).await?;
    assert_eq!((listed.len(), made.len()), (10_450, 10_450));
    assert_eq!(listed.into_iter().collect::<BTreeSet<_>>(), made);
    assert!(pages < 80, "{pages}");
    Ok(())
}

#[tokio::test]
async fn what_changes_while_everything_is_listed_is_listed_again_at_the_end() -> anyhow::Result<()> {
    let platforms = Platforms::start(1)?;
    let portal = open(&platforms);
    let old = portal.has_all(people("old", 25));
    platforms.clock().advance(TimeDelta::minutes(10));
    let first = page(&portal, None, None, 10).await?;
    assert_eq!(first.records.len(), 10);

    platforms.clock().advance(TimeDelta::minutes(5));
    portal.edit(&old[3], |it| it.set("city", "Bern"));
    let new = portal.has(contact("new@example.com"));
    let (mut rest, mut next) = (Vec::new(), first.next);
    while next.is_some() {
        let page = page(&portal, None, next, 10).await?;
        rest.extend(page.records);
        next = page.next;
    }
    let again = rest.iter().rfind(|record| record.id == old[3]).unwrap();
    assert_eq!(again.fields["city"], "Bern");
    assert!(rest.iter().any(|record| record.id == new));
    assert_eq!(rest.len(), 15 + 1 + 2, "the rest, the new one, and both changes at the end");
    Ok(())
}

#[tokio::test]
async fn what_changes_while_changes_are_listed_is_not_lost() -> anyhow::Result<()> {
    let platforms = Platforms::start(1)?;
    let portal = open(&platforms);
    let start = platforms.clock().now();
    let made = portal.has_all(people("import", 30));
    let (mut seen, mut next, mut number) = (BTreeSet::new(), None, 0);
    loop {
        let page = page(&portal, Some(start), next, 8).await?;
        seen.extend(page.records.into_iter().map(|record| (record.id, record.version)));
        next = page.next;
        if next.is_none() {
            break;
        }
        // One that is still to come moves to the end, and so does one that was seen.
        if number < 5 {
            for place in [number, 29 - number] {
                platforms.clock().advance(TimeDelta::milliseconds(1));
                portal.edit(&made[place], |it| it.set("city", &format!("Bern {number}")));
            }
            number += 1;
        }
        anyhow::ensure!(seen.len() < 100, "the listing does not end");
    }
    for id in &made {
        let now = portal.updated_at(id).unwrap().to_rfc3339_opts(chrono::SecondsFormat::Millis, true);
        assert!(seen.contains(&(id.clone(), Some(now))), "the last version of {id} was not listed");
    }
    Ok(())
}
