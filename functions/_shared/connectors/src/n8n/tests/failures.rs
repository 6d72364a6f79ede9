use super::{ID, account, refusal, starting};
use crate::n8n::{N8n, set_tags};
use crate::testing::{play, reply};
use crate::{Connector, Error, ErrorKind, Reply};
use domain::auth::{CredentialKind, Scheme};
use std::time::Duration;

fn failure(reply: Reply) -> Error {
    play(set_tags(&account(), ID, &[]).unwrap(), &[reply]).1.unwrap_err()
}

#[test]
fn every_failure_has_its_kind() {
    for (reply, expected) in [
        (refusal(400, "request/body/id is read-only"), ErrorKind::Rejected),
        (refusal(401, "Unauthorized"), ErrorKind::Unauthorized),
        (refusal(403, "Forbidden"), ErrorKind::Unauthorized),
        (refusal(403, "Your license does not allow for feat:variables."), ErrorKind::Unsupported),
        (refusal(404, "Not Found"), ErrorKind::NotFound),
        (refusal(404, "Some tags not found"), ErrorKind::NotFound),
        (refusal(404, "not found"), ErrorKind::Unsupported),
        (refusal(405, "PATCH method not allowed"), ErrorKind::Unsupported),
        (refusal(409, "Tag already exists"), ErrorKind::Conflict),
        (refusal(415, "unsupported media type text/plain"), ErrorKind::Unsupported),
        (refusal(429, "slow down"), ErrorKind::RateLimited),
        (refusal(500, "Internal error"), ErrorKind::Unavailable),
        (starting(), ErrorKind::Unavailable),
        (reply(403, &[], "<html>firewall"), ErrorKind::Unavailable),
        (reply(404, &[], ""), ErrorKind::Unavailable),
        (reply(413, &[], "<html>request entity too large"), ErrorKind::Rejected),
        (reply(422, &[], ""), ErrorKind::Rejected),
        (reply(500, &[], "<html>Failed to parse request body"), ErrorKind::Unavailable),
        (reply(503, &[("retry-after", "3")], ""), ErrorKind::RateLimited),
        (reply(302, &[], "<html>"), ErrorKind::Unexpected),
        (reply(200, &[], "<html>"), ErrorKind::Unavailable),
        (reply(200, &[], "[{"), ErrorKind::Unavailable),
        (reply(200, &[], "{}"), ErrorKind::Unexpected),
    ] {
        let told = format!("{reply:?}");
        assert_eq!(failure(reply).kind, expected, "{told}");
    }
}

#[test]
fn a_failure_says_what_to_do() {
    assert!(failure(starting()).message.contains("n8n is starting"));
    assert!(failure(refusal(403, "Forbidden")).message.contains("scope"));
    let slow = failure(reply(429, &[("retry-after", "7")], ""));
    assert_eq!(slow.retry_after, Some(Duration::from_secs(7)));
    assert_eq!(failure(refusal(400, "no")).vendor_code.as_deref(), Some("400"));
}

#[test]
fn only_an_api_key_opens_the_api() {
    assert_eq!(N8n.scheme(&account()), Some(Scheme::Header("x-n8n-api-key")));
    let mut other = account();
    other.credential = CredentialKind::AccessToken;
    assert_eq!(N8n.scheme(&other), None);
    assert_eq!(set_tags(&other, ID, &[]).unwrap_err().kind, ErrorKind::Unauthorized);
}
