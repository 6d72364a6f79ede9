//! OAuth 1.0a with HMAC-SHA256 (RFC 5849, sections 3.4 and 3.5.1), as NetSuite's token-based authentication wants it:
//! <https://docs.oracle.com/en/cloud/saas/netsuite/ns-online-help/section_1534941088.html>.

use crate::credential::Kind;
use crate::{Credential, Error, Result};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, Utc};
use hmac::{Hmac, KeyInit, Mac};
use http::{Request, Uri};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, percent_encode};
use sha2::Sha256;
use zeroize::Zeroizing;

/// Everything but `A-Z a-z 0-9 - . _ ~` is encoded (RFC 5849, section 3.6).
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// The value of the `Authorization` header.
pub(super) fn authorization(
    request: &Request<Vec<u8>>,
    realm: &str,
    credential: &Credential,
    at: DateTime<Utc>,
    nonce: &str,
) -> Result<String> {
    let Kind::TokenBased { consumer_key, consumer_secret, token, token_secret } = &credential.0 else {
        return Err(Error::Mismatch("a consumer and a token are needed"));
    };
    let timestamp = at.timestamp().to_string();
    let protocol = [
        ("oauth_consumer_key", consumer_key.as_str()),
        ("oauth_nonce", nonce),
        ("oauth_signature_method", "HMAC-SHA256"),
        ("oauth_timestamp", timestamp.as_str()),
        ("oauth_token", token.as_str()),
        ("oauth_version", "1.0"),
    ];
    let base = base_string(request.method().as_str(), request.uri(), &protocol)?;
    let key =
        Zeroizing::new(format!("{}&{}", encode(consumer_secret.expose()), encode(token_secret.expose())));
    let mut mac = Hmac::<Sha256>::new_from_slice(key.as_bytes())
        .map_err(|_| Error::Mismatch("the key cannot be used"))?;
    mac.update(base.as_bytes());
    let signature = STANDARD.encode(mac.finalize().into_bytes());

    // In the order of the vendor's own example: by name, the signature before its method, the realm first and unsigned.
    let mut named = protocol.to_vec();
    named.push(("oauth_signature", signature.as_str()));
    named.sort_unstable();
    let pairs: Vec<String> =
        named.iter().map(|(name, value)| format!("{name}=\"{}\"", encode(value.as_bytes()))).collect();
    Ok(format!("OAuth realm=\"{}\", {}", encode(realm.as_bytes()), pairs.join(", ")))
}

/// `METHOD&address&parameters`, each encoded. The parameters are ours and those of the query, not those of the body
/// (only a form body would count, and we send JSON), and not the realm.
fn base_string(method: &str, uri: &Uri, protocol: &[(&str, &str)]) -> Result<String> {
    let (Some(scheme), Some(host)) = (uri.scheme_str(), uri.host()) else {
        return Err(Error::Mismatch("the address is not absolute"));
    };
    let port = match (scheme, uri.port_u16()) {
        (_, None) | ("https", Some(443)) | ("http", Some(80)) => String::new(),
        (_, Some(port)) => format!(":{port}"),
    };
    let address = format!("{scheme}://{}{port}{}", host.to_ascii_lowercase(), uri.path());
    let mut pairs: Vec<(String, String)> =
        protocol.iter().map(|(name, value)| (encode(name.as_bytes()), encode(value.as_bytes()))).collect();
    for pair in uri.query().unwrap_or_default().split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        // A `+` in a query is itself, not a space: the server signs what it reads as an address, not as a form.
        let again = |text: &str| encode(&percent_decode_str(text).collect::<Vec<u8>>());
        pairs.push((again(name), again(value)));
    }
    pairs.sort_unstable();
    let joined: Vec<String> = pairs.iter().map(|(name, value)| format!("{name}={value}")).collect();
    Ok(format!("{method}&{}&{}", encode(address.as_bytes()), encode(joined.join("&").as_bytes())))
}

fn encode(bytes: &[u8]) -> String {
    percent_encode(bytes, ENCODED).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Secret;
    use domain::auth::CredentialKind;
    use serde_json::json;

    const REST: &str = "https://123456.suitetalk.api.netsuite.com/services/rest";

    /// The account of the vendor's published examples.
    fn credential() -> Credential {
        let fields = json!({
            "consumer_key": "ef40afdd8abaac111b13825dd5e5e2ddddb44f86d5a0dd6dcf38c20aae6b67e4",
            "consumer_secret": "d26ad321a4b2f23b0741c8d38392ce01c3e23e109df6c96eac6d099e9ab9e8b5",
            "token": "2b0ce516420110bcbd36b69e99196d1b7f6de3c6234c5afb799b73d87569f5cc",
            "token_secret": "c29a677df7d5439a458c063654187e3d678d73aca8e3c9d8bea1478a3eb0d295",
        });
        Credential::open(CredentialKind::TokenBased, &Secret::new(fields.to_string())).unwrap()
    }

    fn header(method: &str, uri: &str) -> String {
        let request = Request::builder().method(method).uri(uri).body(Vec::new()).unwrap();
        let at = DateTime::from_timestamp(1_508_242_306, 0).unwrap();
        authorization(&request, "123456", &credential(), at, "fjaLirsIcCGVZWzBX0pg").unwrap()
    }

    fn signature(method: &str, uri: &str) -> String {
        let header = header(method, uri);
        let encoded = header.split("oauth_signature=\"").nth(1).unwrap().split('"').next().unwrap();
        percent_decode_str(encoded).decode_utf8().unwrap().into_owned()
    }

    #[test]
    fn the_published_and_computed_vectors_hold() {
        assert_eq!(
            signature("GET", &format!("{REST}/record/v1/employee/40")),
            "B5OIWznZ2YP0OB7VrJrGkYsTh+8H+5T9Hag+o92q0zY="
        );
        assert_eq!(
            signature(
                "POST",
                "https://123456.restlets.api.netsuite.com/app/site/hosting/restlet.nl?script=6&deploy=1&customParam=someValue&testParam=someOtherValue"
            ),
            "+KK4SKNgz4ZiILGLwOMtfYlgcXSy1eis8ldE9X90azQ="
        );
        assert_eq!(
            signature("POST", &format!("{REST}/query/v1/suiteql?limit=10&offset=10")),
            "fW1ZLmwuvgjPCnvIxfjfnGnuoiTLwwVyptFw2JFBb7g="
        );
        assert_eq!(
            signature("GET", &format!("{REST}/record/v1/customer?q=email%20START_WITH%20%22a+b%22&limit=5")),
            "2crxaYR4CuSLWVcVwiI0EBp3pj9NUuu+si8IQFQzMYE="
        );
    }

    #[test]
    fn the_whole_header_is_as_the_vendor_shows_it() {
        assert_eq!(
            header("GET", &format!("{REST}/record/v1/employee/40")),
            "OAuth realm=\"123456\", \
             oauth_consumer_key=\"ef40afdd8abaac111b13825dd5e5e2ddddb44f86d5a0dd6dcf38c20aae6b67e4\", \
             oauth_nonce=\"fjaLirsIcCGVZWzBX0pg\", \
             oauth_signature=\"B5OIWznZ2YP0OB7VrJrGkYsTh%2B8H%2B5T9Hag%2Bo92q0zY%3D\", \
             oauth_signature_method=\"HMAC-SHA256\", \
             oauth_timestamp=\"1508242306\", \
             oauth_token=\"2b0ce516420110bcbd36b69e99196d1b7f6de3c6234c5afb799b73d87569f5cc\", \
             oauth_version=\"1.0\""
        );
    }

    #[test]
    fn the_default_port_and_the_case_of_the_host_do_not_matter() {
        assert_eq!(
            signature(
                "GET",
                "https://123456.SUITETALK.api.netsuite.com:443/services/rest/record/v1/employee/40"
            ),
            "B5OIWznZ2YP0OB7VrJrGkYsTh+8H+5T9Hag+o92q0zY="
        );
        let other = signature(
            "GET",
            "https://123456.suitetalk.api.netsuite.com:8443/services/rest/record/v1/employee/40",
        );
        assert_ne!(other, "B5OIWznZ2YP0OB7VrJrGkYsTh+8H+5T9Hag+o92q0zY=");
    }

    #[test]
    fn a_relative_address_is_not_signed() {
        let request = Request::get("/services/rest").body(Vec::new()).unwrap();
        let at = DateTime::from_timestamp(0, 0).unwrap();
        assert!(matches!(authorization(&request, "1", &credential(), at, "n"), Err(Error::Mismatch(_))));
    }
}
