//! Putting a credential on a request. Called anew for each attempt: nonce and time must be fresh.

pub(crate) mod assertion;
#[cfg(test)]
pub(crate) mod keys_for_tests;
mod oauth1;

use crate::credential::Kind;
use crate::{Credential, Error, Result, Secret};
use chrono::{DateTime, Utc};
use domain::auth::Scheme;
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderName, HeaderValue, Request};
use url::form_urlencoded;

/// Authenticates a request as its scheme says.
///
/// `token` is the bought access token where the scheme wants one; a static access token is taken from the credential
/// itself. `nonce` is used by OAuth 1.0a only: letters and digits, never the same twice. Whatever authentication the
/// request had before is replaced, so the same request can be signed again for the next attempt.
///
/// [`Error::Mismatch`] when the credential is of another kind than the scheme needs, or a token is missing.
pub fn sign(
    request: &mut Request<Vec<u8>>,
    scheme: &Scheme,
    credential: &Credential,
    token: Option<&Secret>,
    at: DateTime<Utc>,
    nonce: &str,
) -> Result<()> {
    match scheme {
        Scheme::None => Ok(()),
        Scheme::Header(name) => {
            let name = HeaderName::from_bytes(name.as_bytes())
                .map_err(|_| Error::Mismatch("no header has that name"))?;
            let value = header(access_token(credential, token)?.expose())?;
            request.headers_mut().insert(name, value);
            Ok(())
        }
        Scheme::Bearer => {
            let token = access_token(credential, token)?;
            let value = header(&[b"Bearer ", token.expose()].concat())?;
            request.headers_mut().insert(AUTHORIZATION, value);
            Ok(())
        }
        Scheme::McpBearer => {
            let Kind::ApiKey { mcp_key: Some(key), .. } = &credential.0 else {
                return Err(Error::Mismatch("the key of the MCP server is needed"));
            };
            let value = header(&[b"Bearer ", key.expose()].concat())?;
            request.headers_mut().insert(AUTHORIZATION, value);
            Ok(())
        }
        Scheme::OAuth1 { realm } => {
            let value = oauth1::authorization(request, realm, credential, at, nonce)?;
            request.headers_mut().insert(AUTHORIZATION, header(value.as_bytes())?);
            Ok(())
        }
        Scheme::ClientSecretForm => {
            let Kind::ClientCredentials { client_id, client_secret, .. } = &credential.0 else {
                return Err(Error::Mismatch("a client id and secret are needed"));
            };
            let pairs = [("client_id", client_id.as_str()), ("client_secret", client_secret.expose_text()?)];
            form(request, &pairs);
            Ok(())
        }
        Scheme::ClientAssertionForm { audience, scope } => {
            let assertion = assertion::make(credential, audience, scope, at)?;
            let pairs =
                [("client_assertion_type", assertion::TYPE), ("client_assertion", assertion.expose_text()?)];
            form(request, &pairs);
            Ok(())
        }
        Scheme::Database => Err(Error::Mismatch("a question to our own database is not sent anywhere")),
    }
}

fn access_token<'a>(credential: &'a Credential, token: Option<&'a Secret>) -> Result<&'a Secret> {
    match (token, &credential.0) {
        (Some(token), _) => Ok(token),
        (None, Kind::AccessToken { access_token: key, .. } | Kind::ApiKey { api_key: key, .. }) => Ok(key),
        (None, _) => Err(Error::Mismatch("an access token must be bought first")),
    }
}

fn header(value: &[u8]) -> Result<HeaderValue> {
    let mut value =
        HeaderValue::from_bytes(value).map_err(|_| Error::Mismatch("the token fits no header"))?;
    value.set_sensitive(true);
    Ok(value)
}

/// Writes the token request: the connector's own pairs (if it has any), the grant, then ours.
fn form(request: &mut Request<Vec<u8>>, pairs: &[(&str, &str)]) {
    const GRANT: (&str, &str) = ("grant_type", "client_credentials");
    let mut serializer = form_urlencoded::Serializer::new(String::new());
    serializer.append_pair(GRANT.0, GRANT.1);
    for (name, value) in form_urlencoded::parse(request.body()) {
        if name != GRANT.0 && pairs.iter().all(|(ours, _)| *ours != name) {
            serializer.append_pair(&name, &value);
        }
    }
    serializer.extend_pairs(pairs);
    let body = serializer.finish().into_bytes();
    *request.body_mut() = body;
    request.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/x-www-form-urlencoded"));
}

#[cfg(test)]
mod tests {
    use super::keys_for_tests::{EC_PRIVATE, EC_PUBLIC, RSA_PRIVATE, RSA_PUBLIC};
    use super::*;
    use domain::auth::CredentialKind;
    use jsonwebtoken::{Algorithm, DecodingKey};
    use serde_json::{Value, json};
    use std::collections::BTreeMap;

    const TOKEN_URL: &str = "https://123456.suitetalk.api.netsuite.com/services/rest/auth/oauth2/v1/token";

    fn request(uri: &str) -> Request<Vec<u8>> {
        Request::post(uri).body(Vec::new()).unwrap()
    }

    fn now() -> DateTime<Utc> {
        DateTime::from_timestamp(1_800_000_000, 0).unwrap()
    }

    fn credential(kind: CredentialKind, fields: &Value) -> Credential {
        Credential::open(kind, &Secret::new(fields.to_string())).unwrap()
    }

    fn pairs(request: &Request<Vec<u8>>) -> BTreeMap<String, String> {
        form_urlencoded::parse(request.body()).into_owned().collect()
    }

    #[test]
    fn a_static_token_goes_into_the_header_and_is_marked_as_sensitive() {
        let credential = credential(CredentialKind::AccessToken, &json!({"access_token": "shpat_1"}));
        let mut request = request("https://acme.myshopify.com/admin/api/2026-10/graphql.json");
        sign(&mut request, &Scheme::Header("X-Shopify-Access-Token"), &credential, None, now(), "n").unwrap();
        let value = &request.headers()["x-shopify-access-token"];
        assert_eq!(value, "shpat_1");
        assert!(value.is_sensitive());
        assert!(!format!("{request:?}").contains("shpat_1"));
    }

    #[test]
    fn a_bought_token_goes_before_and_signing_again_replaces_it() {
        let credential = credential(
            CredentialKind::ClientCredentials,
            &json!({"client_id": "id", "client_secret": "secret"}),
        );
        let mut request = request("https://example.com/");
        assert!(matches!(
            sign(&mut request, &Scheme::Bearer, &credential, None, now(), "n"),
            Err(Error::Mismatch(_))
        ));
        sign(&mut request, &Scheme::Bearer, &credential, Some(&Secret::new("one")), now(), "n").unwrap();
        sign(&mut request, &Scheme::Bearer, &credential, Some(&Secret::new("two")), now(), "n").unwrap();
        let values: Vec<_> = request.headers().get_all(AUTHORIZATION).iter().collect();
        assert_eq!(values, ["Bearer two"]);
    }

    #[test]
    fn a_token_with_a_line_end_reaches_no_header() {
        let credential = credential(CredentialKind::AccessToken, &json!({"access_token": "x"}));
        let mut request = request("https://example.com/");
        let hostile = Secret::new("x\r\nhost: evil");
        sign(&mut request, &Scheme::Bearer, &credential, Some(&hostile), now(), "n").unwrap_err();
        assert!(request.headers().is_empty());
    }

    #[test]
    fn client_id_and_secret_are_sent_as_a_form_beside_what_the_connector_wrote() {
        let credential = credential(
            CredentialKind::ClientCredentials,
            &json!({"client_id": "id", "client_secret": "s&=ß"}),
        );
        let mut request = request("https://acme.myshopify.com/admin/oauth/access_token");
        *request.body_mut() = b"scope=read".to_vec();
        for _ in 0..2 {
            sign(&mut request, &Scheme::ClientSecretForm, &credential, None, now(), "n").unwrap();
        }
        assert_eq!(
            request.body(),
            b"grant_type=client_credentials&scope=read&client_id=id&client_secret=s%26%3D%C3%9F"
        );
        assert_eq!(request.headers()[CONTENT_TYPE], "application/x-www-form-urlencoded");
    }

    #[test]
    fn an_assertion_is_what_netsuite_documents_and_its_signature_verifies() {
        for (algorithm, private, public) in [
            (Algorithm::ES256, EC_PRIVATE, DecodingKey::from_ec_pem(EC_PUBLIC.as_bytes()).unwrap()),
            (Algorithm::PS256, RSA_PRIVATE, DecodingKey::from_rsa_pem(RSA_PUBLIC.as_bytes()).unwrap()),
        ] {
            let fields = json!({"client_id": "client", "certificate_id": "cert", "private_key": private, "algorithm": format!("{algorithm:?}")});
            let credential = credential(CredentialKind::ClientAssertion, &fields);
            let scheme = Scheme::ClientAssertionForm {
                audience: TOKEN_URL.to_owned(),
                scope: vec!["rest_webservices".to_owned()],
            };
            let mut request = request(TOKEN_URL);
            sign(&mut request, &scheme, &credential, None, now(), "n").unwrap();

            let pairs = pairs(&request);
            assert_eq!(pairs["grant_type"], "client_credentials");
            assert_eq!(
                pairs["client_assertion_type"],
                "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
            );
            let (message, signature) = pairs["client_assertion"].rsplit_once('.').unwrap();
            assert!(jsonwebtoken::crypto::verify(signature, message.as_bytes(), &public, algorithm).unwrap());
            let (header, claims) = message.split_once('.').unwrap();
            let read = |part: &str| -> Value {
                use base64::Engine as _;
                let bytes = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(part).unwrap();
                serde_json::from_slice(&bytes).unwrap()
            };
            assert_eq!(read(header), json!({"typ": "JWT", "alg": format!("{algorithm:?}"), "kid": "cert"}));
            let iat = now().timestamp();
            assert_eq!(
                read(claims),
                json!({"iss": "client", "scope": ["rest_webservices"], "aud": TOKEN_URL, "iat": iat, "exp": iat + 300})
            );
        }
    }

    #[test]
    fn a_credential_of_another_kind_signs_nothing() {
        let token = credential(CredentialKind::AccessToken, &json!({"access_token": "x"}));
        for scheme in [
            Scheme::OAuth1 { realm: "1".to_owned() },
            Scheme::ClientSecretForm,
            Scheme::ClientAssertionForm { audience: String::new(), scope: Vec::new() },
        ] {
            let mut request = request("https://example.com/");
            assert!(matches!(sign(&mut request, &scheme, &token, None, now(), "n"), Err(Error::Mismatch(_))));
            assert!(request.body().is_empty() && request.headers().is_empty());
        }
    }
}
