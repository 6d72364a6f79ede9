use super::{ID, account, page, refusal};
use crate::ErrorKind;
use crate::n8n::{set_tags, tag};
use crate::testing::{ok, play, reply};
use serde_json::{Value, json};

fn shown(id: &str, name: &str) -> Value {
    json!({ "id": id, "name": name, "createdAt": "2026-11-20T22:29:24.000Z", "updatedAt": "2026-11-20T22:29:24.000Z" })
}

#[test]
fn a_tag_is_made_or_found_among_the_pages() {
    let made = reply(201, &[], &shown("T1", "usr:42").to_string());
    let (sent, tag_made) = play(tag(&account(), "usr:42").unwrap(), &[made]);
    assert_eq!((sent[0].path.as_str(), &sent[0].body), ("/api/v1/tags", &json!({ "name": "usr:42" })));
    assert_eq!(tag_made.unwrap().id, "T1");

    let exists = || refusal(409, "Tag already exists");
    let first = page(&[shown("T1", "usr:4"), shown("T2", "USR:42")], Some("c2"));
    let second = page(&[shown("T3", "usr:42")], None);
    let (sent, found) = play(tag(&account(), "usr:42").unwrap(), &[exists(), ok(&first), ok(&second)]);
    assert_eq!(sent[1].path, "/api/v1/tags?limit=250");
    assert_eq!(sent[2].path, "/api/v1/tags?limit=250&cursor=c2");
    assert_eq!(found.unwrap().id, "T3");
    let hidden = play(tag(&account(), "usr:42").unwrap(), &[exists(), ok(&page(&[], None))]).1;
    assert_eq!(hidden.unwrap_err().kind, ErrorKind::Conflict);
}

#[test]
fn a_name_that_n8n_would_misjudge_is_refused_before() {
    for name in ["", "1234567890123456789012345"] {
        assert_eq!(tag(&account(), name).unwrap_err().kind, ErrorKind::Rejected);
    }
    assert!(tag(&account(), &"ü".repeat(24)).is_ok());
}

#[test]
fn a_workflow_gets_these_tags_and_no_others() {
    let given = || set_tags(&account(), ID, &["T1".to_owned(), "T2".to_owned()]).unwrap();
    let answer = ok(&json!([shown("T1", "a"), shown("T2", "b")]));
    let (sent, done) = play(given(), &[answer]);
    assert_eq!(
        (sent[0].method.as_str(), sent[0].path.as_str()),
        ("PUT", &*format!("/api/v1/workflows/{ID}/tags"))
    );
    assert_eq!((&sent[0].body, done), (&json!([{ "id": "T1" }, { "id": "T2" }]), Ok(())));
    assert_eq!(
        play(given(), &[refusal(404, "Some tags not found")]).1.unwrap_err().kind,
        ErrorKind::NotFound
    );
}
