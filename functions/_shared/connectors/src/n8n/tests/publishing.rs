use super::{ID, account, not_found, refusal, shown, starting};
use crate::ErrorKind;
use crate::n8n::{archive, delete_workflow, publish, unpublish};
use crate::testing::{ok, play, play_some};
use std::time::Duration;

#[test]
fn publishing_falls_back_to_what_older_servers_call_it() {
    let (sent, published) = play(publish(&account(), ID).unwrap(), &[ok(&shown(ID))]);
    assert_eq!(
        (sent[0].method.as_str(), sent[0].path.as_str()),
        ("POST", &*format!("/api/v1/workflows/{ID}/publish"))
    );
    assert_eq!(sent[0].body, serde_json::json!({}));
    assert!(published.unwrap().active);
    for absent in [refusal(404, "not found"), refusal(405, "POST method not allowed")] {
        let (sent, published) = play(publish(&account(), ID).unwrap(), &[absent.clone(), ok(&shown(ID))]);
        assert_eq!(sent[1].path, format!("/api/v1/workflows/{ID}/activate"));
        assert!(published.is_ok());
        let (sent, _) = play(unpublish(&account(), ID).unwrap(), &[absent.clone(), ok(&shown(ID))]);
        assert_eq!(sent[1].path, format!("/api/v1/workflows/{ID}/deactivate"));
        assert_eq!(
            play(archive(&account(), ID).unwrap(), &[absent]).1.unwrap_err().kind,
            ErrorKind::Unsupported
        );
    }
}

#[test]
fn what_is_not_there_or_cannot_run_is_not_published() {
    let publish = |reply| play(publish(&account(), ID).unwrap(), &[reply]).1.unwrap_err();
    assert_eq!(publish(not_found()).kind, ErrorKind::NotFound);
    assert_eq!(publish(starting()).kind, ErrorKind::Unavailable);
    let refused = publish(refusal(400, "Unrecognized node type: n8n-nodes-base.doesNotExist"));
    assert_eq!(refused.kind, ErrorKind::Rejected);
    assert_eq!(
        publish(refusal(409, "There is a conflict with one of the webhooks.")).kind,
        ErrorKind::Conflict
    );
}

#[test]
fn a_workflow_that_is_still_being_unpublished_is_waited_for() {
    let soon = refusal(409, "Workflow is still being unpublished. Please try again in a few moments.");
    let answers = [soon.clone(), soon.clone(), ok(&shown(ID))];
    let (sent, deleted) = play(delete_workflow(&account(), ID).unwrap(), &answers);
    assert_eq!(deleted, Ok(true));
    assert_eq!((sent[0].method.as_str(), sent[0].after), ("DELETE", Duration::ZERO));
    assert_eq!(
        (sent[2].path.as_str(), sent[2].after),
        (&*format!("/api/v1/workflows/{ID}"), Duration::from_millis(250))
    );
    let (sent, deleted) = play_some(delete_workflow(&account(), ID).unwrap(), &vec![soon; 30]);
    let error = deleted.unwrap().unwrap_err();
    assert_eq!(
        (sent.len(), error.kind, error.vendor_code.as_deref()),
        (21, ErrorKind::Conflict, Some("unpublishing"))
    );
}

#[test]
fn a_published_workflow_is_not_deleted_and_one_that_is_gone_counts_as_gone() {
    let delete = |reply| play(delete_workflow(&account(), ID).unwrap(), &[reply]).1;
    let published = delete(refusal(409, "Cannot delete a published workflow. Unpublish it before deleting."));
    let published = published.unwrap_err();
    assert_eq!((published.kind, published.vendor_code.as_deref()), (ErrorKind::Conflict, Some("published")));
    assert_eq!(delete(not_found()), Ok(false));
    assert_eq!(delete(starting()).unwrap_err().kind, ErrorKind::Unavailable);
    assert_eq!(delete(refusal(404, "not found")).unwrap_err().kind, ErrorKind::Unsupported);
}
