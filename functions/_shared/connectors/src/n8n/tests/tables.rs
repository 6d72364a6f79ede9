//! Listings of data tables.

use super::{TABLE, page, row, with_table};
use crate::n8n::N8n;
use crate::testing::{mutated, ok, play, play_some};
use crate::{Connector, Error, ErrorKind, Exchange, Filter, ListQuery, Page};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use domain::ItemType;
use proptest::prelude::*;
use serde_json::{Value, json};

fn query(since: Option<&str>, page: Option<&str>) -> ListQuery {
    ListQuery {
        item_type: ItemType::Customer,
        since: since.map(|since| since.parse().unwrap()),
        filter: Filter::default(),
        page: page.map(str::to_owned),
        limit: 3,
    }
}

fn list(since: Option<&str>, page: Option<&str>) -> Exchange<Page> {
    N8n.list(&with_table(), &query(since, page)).unwrap()
}

fn cursor(offset: u64, limit: u64) -> String {
    BASE64_STANDARD.encode(format!(r#"{{"limit":{limit},"offset":{offset}}}"#))
}

fn at(minute: u32) -> String {
    format!("2026-11-20T10:{minute:02}:00.123Z")
}

fn ids(page: &Page) -> Vec<&str> {
    page.records.iter().map(|record| record.id.as_str()).collect()
}

/// The cursor that a request carries, as text.
fn sent_cursor(path: &str) -> Option<Value> {
    let query = path.split_once('?').unwrap().1;
    let (_, cursor) = url::form_urlencoded::parse(query.as_bytes()).find(|(name, _)| name == "cursor")?;
    Some(serde_json::from_slice(&BASE64_STANDARD.decode(cursor.as_bytes()).unwrap()).unwrap())
}

/// A table that answers as n8n does: counted off, newest change first.
struct Rows(Vec<(i64, u32)>);

impl Rows {
    fn answer(&self, path: &str, limit: usize) -> Value {
        let place = sent_cursor(path);
        let number = |name: &str| place.as_ref().and_then(|place| place[name].as_u64());
        let offset = usize::try_from(number("offset").unwrap_or(0)).unwrap();
        let limit = number("limit").map_or(limit, |limit| usize::try_from(limit).unwrap());
        let mut rows = self.0.clone();
        rows.sort_by_key(|(_, minute)| std::cmp::Reverse(*minute));
        let shown: Vec<Value> = rows
            .iter()
            .skip(offset)
            .take(limit)
            .map(|(id, minute)| row(*id, "a@example.com", &at(*minute)))
            .collect();
        let end = offset + limit;
        let next = (end < rows.len()).then(|| cursor(end as u64, limit as u64));
        page(&shown, next.as_deref())
    }

    /// Lists from page to page; before each request something may happen to the rows.
    fn list(
        &mut self,
        since: Option<&str>,
        mut happens: impl FnMut(usize, &mut Vec<(i64, u32)>),
    ) -> Vec<i64> {
        let (mut found, mut next, mut number) = (Vec::new(), None::<String>, 0);
        loop {
            let mut exchange = list(since, next.as_deref());
            let answer = loop {
                happens(number, &mut self.0);
                number += 1;
                assert!(number < 100, "the listing does not end");
                let path = exchange.request.uri().path_and_query().unwrap().to_string();
                match exchange.read(&ok(&self.answer(&path, 3))).unwrap() {
                    crate::Step::Done(answer) => break answer,
                    crate::Step::Next { exchange: another, .. } => exchange = another,
                }
            };
            found.extend(answer.records.iter().map(|record| record.id.parse::<i64>().unwrap()));
            assert!(answer.next.is_none() || answer.next != next);
            next = answer.next;
            if next.is_none() {
                return found;
            }
        }
    }
}

#[test]
fn a_listing_goes_down_from_the_newest_change() {
    let rows = [row(7, "a@example.com", &at(9)), row(3, "b@example.com", &at(8))];
    let (sent, answer) = play(list(None, None), &[ok(&page(&rows, None))]);
    assert_eq!(sent[0].path, format!("/api/v1/data-tables/{TABLE}/rows?limit=3&sortBy=updatedAt%3Adesc"));
    let answer = answer.unwrap();
    assert_eq!((ids(&answer), answer.next.as_deref()), (vec!["7", "3"], None));
    let record = &answer.records[0];
    assert_eq!(
        Value::Object(record.fields.clone()),
        json!({ "email": "a@example.com", "age": 41.5, "member": true, "since": null })
    );
    assert_eq!(
        (record.modified_at, record.version.as_deref()),
        (Some(at(9).parse().unwrap()), Some(&*at(9)))
    );
}

#[test]
fn a_window_ends_at_the_first_row_that_is_older() {
    let rows = [row(7, "a", &at(9)), row(3, "b", &at(8)), row(2, "c", &at(7))];
    let answer = play(list(Some(&at(8)), None), &[ok(&page(&rows, Some(&cursor(3, 3))))]).1.unwrap();
    assert_eq!((ids(&answer), answer.next.as_deref()), (vec!["7", "3"], None));
}

#[test]
fn each_page_begins_with_the_last_row_of_the_one_before_which_is_shown_once() {
    let rows = [row(7, "a", &at(9)), row(3, "b", &at(8)), row(2, "c", &at(7))];
    let answer = play(list(None, None), &[ok(&page(&rows, Some(&cursor(3, 3))))]).1.unwrap();
    let rest = [row(2, "c", &at(7)), row(1, "d", &at(6))];
    let (sent, answer) = play(list(None, answer.next.as_deref()), &[ok(&page(&rest, None))]);
    assert!(sent[0].path.contains("limit=4"));
    assert_eq!(sent_cursor(&sent[0].path), Some(json!({ "limit": 4, "offset": 2 })));
    let answer = answer.unwrap();
    assert_eq!(ids(&answer), ["1"]);
    // What changed meanwhile stands at the top.
    let (sent, answer) = play(list(None, answer.next.as_deref()), &[ok(&page(&rows, None))]);
    assert_eq!(sent_cursor(&sent[0].path), None);
    let answer = answer.unwrap();
    assert_eq!((ids(&answer), answer.next.as_deref()), (vec!["7"], None));
}

#[test]
fn a_cursor_of_another_form_is_followed_as_it_is() {
    let rows = [row(7, "a", &at(9)), row(3, "b", &at(8)), row(2, "c", &at(7))];
    let next = play(list(None, None), &[ok(&page(&rows, Some("opaque")))]).1.unwrap().next.unwrap();
    let (sent, answer) = play(list(None, Some(&next)), &[ok(&page(&[row(1, "d", &at(6))], None))]);
    assert!(sent[0].path.ends_with("&cursor=opaque"));
    assert_eq!(ids(&answer.unwrap()), ["1"]);
}

#[test]
fn other_filters_do_not_fit_and_foreign_pages_are_refused() {
    let listed = |filter: Filter| N8n.list(&with_table(), &ListQuery { filter, ..query(None, None) });
    let text = Filter { text: Some(" keller ".into()), ..Filter::default() };
    let (sent, _) = play(listed(text).unwrap(), &[ok(&page(&[], None))]);
    assert!(sent[0].path.ends_with("&search=keller"));
    let error = listed(Filter { category: Some("x".into()), ..Filter::default() }).unwrap_err();
    assert_eq!(error.vendor_code.as_deref(), Some(Error::UNFIT_FILTER));
    let foreign = N8n.list(&with_table(), &query(None, Some("plain|1|2"))).unwrap_err();
    assert_eq!(foreign.kind, ErrorKind::Rejected);
}

proptest! {
    /// However rows come, change and go meanwhile: those that stay are listed, once or more. One that changes twice may be
    /// left to the next window, which begins before its change.
    #[test]
    fn nothing_that_stays_is_left_out(
        count in 0_i64..20,
        tie in 1_u32..5,
        events in prop::collection::vec((0_usize..12, 0_i64..20, 0_u8..3), 0..8),
    ) {
        let start: Vec<(i64, u32)> = (0..count).map(|id| (id, u32::try_from(id).unwrap() / tie)).collect();
        let gone: Vec<i64> = events.iter().filter(|(_, _, what)| *what == 0).map(|(_, id, _)| *id).collect();
        let changes = |id: &i64| events.iter().filter(|(_, one, what)| *what == 1 && one == id).count();
        let mut clock = 30;
        let found = Rows(start.clone()).list(None, |number, rows| {
            for (_, id, what) in events.iter().filter(|(at, _, _)| *at == number) {
                clock += 1;
                match what {
                    0 => rows.retain(|(one, _)| one != id),
                    1 => rows.iter_mut().filter(|(one, _)| one == id).for_each(|(_, minute)| *minute = clock),
                    _ => rows.push((100 + i64::from(clock), clock)),
                }
            }
        });
        for (id, _) in start.iter().filter(|(id, _)| !gone.contains(id) && changes(id) < 2) {
            prop_assert!(found.contains(id), "{} is missing in {:?}", id, found);
        }
    }

    #[test]
    fn a_window_holds_exactly_what_changed_in_it(minutes in prop::collection::vec(0_u32..30, 0..25), since in 0_u32..30) {
        let rows: Vec<(i64, u32)> = (0..).zip(minutes).collect();
        let mut found = Rows(rows.clone()).list(Some(&at(since)), |_, _| {});
        found.sort_unstable();
        found.dedup();
        let expected: Vec<i64> = rows.iter().filter(|(_, minute)| *minute >= since).map(|(id, _)| *id).collect();
        prop_assert_eq!(found, expected);
    }

    #[test]
    fn no_reply_is_too_strange(body in mutated(page(&[row(1, "a", "2026-11-20T10:00:00Z")], Some("eyJvZmZzZXQiOjN9")))) {
        let _ = play_some(list(None, None), &[ok(&body)]);
    }
}
