use super::{contact, empty, ids, list, page, query, with};
use crate::testing::{ok, play, reply};
use crate::{Connector, Error, ErrorKind, Filter};
use serde_json::json;

const TEN: &str = "2026-11-20T10:00:00.000Z";
const TEN_MS: i64 = 1_795_168_800_000;

#[test]
fn everything_is_listed_page_by_page_and_then_what_changed_meanwhile() {
    let date = ("date", "Fri, 20 Nov 2026 10:00:00 GMT");
    let first = page(&[contact(1, "a@example.com", TEN)], Some("NTI1|x=="));
    let (sent, answer) = play(list(None, None), &[reply(200, &[date], &first.to_string())]);
    assert!(
        sent[0].path.starts_with("/crm/v3/objects/contacts?limit=100&archived=false&properties=email%2C")
    );
    let next = answer.unwrap().next.unwrap();
    let began = TEN_MS - 10_000;
    assert_eq!(next, format!("plain|{began}|NTI1|x=="));

    let (sent, answer) = play(list(None, Some(&next)), &[ok(&page(&[], None))]);
    assert!(sent[0].path.ends_with("&after=NTI1%7Cx%3D%3D"), "{}", sent[0].path);
    let next = answer.unwrap().next.unwrap();
    assert_eq!(next, format!("changed|{began}"));

    let (sent, answer) = play(list(None, Some(&next)), &[empty()]);
    assert_eq!(sent[0].path, "/crm/v3/objects/contacts/search");
    assert_eq!(sent[0].body["filterGroups"][0]["filters"][0]["value"], began.to_string());
    assert_eq!(answer.unwrap().next, None);
}

#[test]
fn changes_are_searched_for_from_a_time_on_oldest_first() {
    let found = page(&[contact(7, "a@example.com", TEN)], None);
    let (sent, answer) = play(list(Some("2026-11-20T10:00:00Z"), None), &[ok(&found)]);
    let body = &sent[0].body;
    let filter =
        json!({ "propertyName": "lastmodifieddate", "operator": "GTE", "value": TEN_MS.to_string() });
    assert_eq!(body["filterGroups"], json!([{ "filters": [filter] }]));
    assert_eq!(body["sorts"], json!([{ "propertyName": "lastmodifieddate", "direction": "ASCENDING" }]));
    assert_eq!((&body["limit"], &body["after"]), (&json!(200), &json!("0")));
    let answer = answer.unwrap();
    assert_eq!((ids(&answer.records), answer.next), (vec!["7"], None));
}

#[test]
fn those_that_share_the_last_time_of_a_full_page_are_left_to_the_next() {
    let later = "2026-11-20T10:00:00.007Z";
    let full = [
        contact(3, "a@example.com", TEN),
        contact(9, "b@example.com", later),
        contact(4, "c@example.com", later),
    ];
    let answer = play(list(Some(TEN), None), &[ok(&page(&full, Some("3")))]).1.unwrap();
    assert_eq!(ids(&answer.records), ["3"]);
    assert_eq!(answer.next, Some(format!("changed|{}", TEN_MS + 7)));
}

#[test]
fn a_page_of_one_time_only_is_walked_through_by_ids() {
    let full = [contact(9, "a@example.com", TEN), contact(4, "b@example.com", TEN)];
    let sorted = [contact(4, "b@example.com", TEN), contact(9, "a@example.com", TEN)];
    let (sent, answer) =
        play(list(Some(TEN), None), &[ok(&page(&full, Some("2"))), ok(&page(&sorted, Some("2")))]);
    let at = TEN_MS.to_string();
    assert_eq!(
        sent[1].body["filterGroups"][0]["filters"],
        json!([
            { "propertyName": "lastmodifieddate", "operator": "GTE", "value": at },
            { "propertyName": "lastmodifieddate", "operator": "LTE", "value": at },
            { "propertyName": "hs_object_id", "operator": "GT", "value": "0" },
        ])
    );
    assert_eq!(sent[1].body["sorts"][0]["propertyName"], "hs_object_id");
    let answer = answer.unwrap();
    assert_eq!(
        (ids(&answer.records), answer.next.as_deref()),
        (vec!["4", "9"], Some(&*format!("tied|{at}|9")))
    );

    let (sent, answer) = play(list(Some(TEN), answer.next.as_deref()), &[ok(&page(&[], None))]);
    assert_eq!(sent[0].body["filterGroups"][0]["filters"][2]["value"], "9");
    assert_eq!(answer.unwrap().next, Some(format!("changed|{}", TEN_MS + 1)));
}

#[test]
fn a_search_that_does_not_advance_is_no_answer() {
    let page = ok(&page(&[contact(4, "a@example.com", TEN)], Some("1")));
    let answer = play(list(Some(TEN), Some(&format!("tied|{TEN_MS}|4"))), &[page]).1;
    assert_eq!(answer.unwrap_err().kind, ErrorKind::Unexpected);
}

#[test]
fn words_are_searched_for_and_other_filters_do_not_fit() {
    let listed = |filter: Filter| {
        super::Hubspot.list(&with(&["tier"]), &crate::ListQuery { filter, ..query(None, None) })
    };
    let text = Filter { text: Some(" keller ".into()), ..Filter::default() };
    let (sent, _) = play(listed(text).unwrap(), &[empty()]);
    assert_eq!(sent[0].body["query"], "keller");
    assert_eq!(sent[0].body["filterGroups"][0]["filters"][0]["value"], "0");
    assert!(sent[0].body["properties"].as_array().unwrap().contains(&json!("tier")));
    for filter in [
        Filter { status: vec!["active".into()], ..Filter::default() },
        Filter { category: Some("x".into()), ..Filter::default() },
        Filter { price_min: Some("1".parse().unwrap()), ..Filter::default() },
    ] {
        let error = listed(filter).unwrap_err();
        assert_eq!(error.vendor_code.as_deref(), Some(Error::UNFIT_FILTER));
    }
    let foreign = super::Hubspot.list(&super::account(), &query(None, Some("2026|4")));
    assert_eq!(foreign.unwrap_err().kind, ErrorKind::Rejected);
}
