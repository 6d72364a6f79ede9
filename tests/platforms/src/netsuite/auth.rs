//! Who may come in: signed requests (token-based authentication) and bearer tokens (OAuth 2.0 client credentials with
//! a signed assertion). Every signature is computed or verified anew.

use std::collections::{HashMap, HashSet};
use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use chrono::{DateTime, Duration, Utc};
use hmac::{Hmac, KeyInit, Mac};
use p256::ecdsa::signature::Verifier as _;
use p256::pkcs8::{EncodePrivateKey as _, LineEnding};
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::SeedableRng as _;
use rsa::pkcs8::DecodePublicKey as _;
use serde_json::{Value, json};
use sha2::Sha256;

use super::problem::Problem;
use crate::dice::Dice;
use crate::web::{Reply, Request};

/// Where tokens are asked for.
pub(crate) const TOKEN_PATH: &str = "/services/rest/auth/oauth2/v1/token";
/// An access token lives one hour, and so does an assertion at most.
const TOKEN_SECONDS: i64 = 3_600;
/// How far the timestamp of a signed request may be off.
const SKEW_SECONDS: i64 = 300;

/// The keys and secrets of token-based authentication.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are the vendor's")]
pub struct Tba {
    /// `1234567_SB1`: the account in upper case with `_`.
    pub realm: String,
    pub consumer_key: String,
    pub consumer_secret: String,
    pub token: String,
    pub token_secret: String,
}

#[derive(Debug, Clone)]
enum PublicKey {
    Elliptic(p256::ecdsa::VerifyingKey),
    Rsa(Box<rsa::RsaPublicKey>),
}

/// Everything that opens the door.
#[derive(Debug)]
pub(crate) struct Auth {
    pub(crate) tba: Tba,
    pub(crate) client_id: String,
    pub(crate) skew: Option<Duration>,
    certificates: HashMap<String, PublicKey>,
    elliptic: (String, String),
    rsa: Option<(String, String)>,
    tokens: HashMap<String, DateTime<Utc>>,
    used: HashSet<(String, String)>,
    dice: Dice,
    seed: u64,
}

impl Auth {
    pub(crate) fn new(account: &str, seed: u64) -> Self {
        let mut dice = Dice::new(seed);
        let tba = Tba {
            realm: account.to_uppercase().replace('-', "_"),
            consumer_key: dice.token(64),
            consumer_secret: dice.token(64),
            token: dice.token(64),
            token_secret: dice.token(64),
        };
        let client_id = dice.token(64);
        let kid = dice.token(22);
        let mut certificates = HashMap::new();
        let mut pem = String::new();
        // Almost every 32 bytes are a key; those that are none are thrown again.
        let key = std::iter::repeat_with(|| p256::SecretKey::from_slice(&dice.bytes())).find_map(Result::ok);
        if let Some(key) = key {
            pem = key.to_pkcs8_pem(LineEnding::LF).map(|pem| pem.to_string()).unwrap_or_default();
            let signing = p256::ecdsa::SigningKey::from(key);
            certificates.insert(kid.clone(), PublicKey::Elliptic(*signing.verifying_key()));
        }
        Self {
            tba,
            client_id,
            skew: Some(Duration::seconds(SKEW_SECONDS)),
            certificates,
            elliptic: (kid, pem),
            rsa: None,
            tokens: HashMap::new(),
            used: HashSet::new(),
            dice,
            seed,
        }
    }

    /// The id of the registered ES256 certificate and its private key as PKCS #8 PEM.
    pub(crate) fn elliptic(&self) -> (String, String) {
        self.elliptic.clone()
    }

    /// The same for PS256, with an RSA key of 3,072 bits; made when it is first asked for, which takes a while.
    pub(crate) fn rsa(&mut self) -> (String, String) {
        if let Some(known) = &self.rsa {
            return known.clone();
        }
        let mut chance = ChaCha20Rng::seed_from_u64(self.seed);
        let Ok(key) = rsa::RsaPrivateKey::new(&mut chance, 3_072) else { return Default::default() };
        let pem = key.to_pkcs8_pem(rsa::pkcs8::LineEnding::LF).map(|pem| pem.to_string()).unwrap_or_default();
        let kid = self.dice.token(22);
        self.certificates.insert(kid.clone(), PublicKey::Rsa(Box::new(key.to_public_key())));
        self.rsa = Some((kid.clone(), pem.clone()));
        (kid, pem)
    }

    /// Registers the public key (SPKI PEM) of a certificate made elsewhere. Answers whether it could be read.
    pub(crate) fn register(&mut self, kid: &str, pem: &str) -> bool {
        let elliptic =
            p256::PublicKey::from_public_key_pem(pem).ok().map(|key| PublicKey::Elliptic(key.into()));
        let key = elliptic.or_else(|| {
            rsa::RsaPublicKey::from_public_key_pem(pem).ok().map(|key| PublicKey::Rsa(Box::new(key)))
        });
        key.map(|key| self.certificates.insert(kid.to_owned(), key)).is_some()
    }

    /// Makes every access token given out worthless.
    pub(crate) fn revoke(&mut self) {
        self.tokens.clear();
    }

    /// Withdraws every certificate, and the tokens that were bought with them.
    pub(crate) fn revoke_certificates(&mut self) {
        self.certificates.clear();
        self.tokens.clear();
    }

    /// The access tokens that were given out.
    pub(crate) fn given_out(&self) -> Vec<String> {
        self.tokens.keys().cloned().collect()
    }

    /// Refuses a request that is neither signed nor carries a token.
    pub(crate) fn refuse(&mut self, request: &Request, now: DateTime<Utc>) -> Option<Reply> {
        let header = request.header("authorization").to_owned();
        if let Some(token) = header.strip_prefix("Bearer ") {
            if self.tokens.get(token.trim()).is_some_and(|end| *end > now) {
                return None;
            }
            let problem = Problem::new(
                401,
                "INVALID_LOGIN",
                "Invalid login attempt. For more details, see the Login Audit Trail.",
            );
            return Some(problem.reply().with("www-authenticate", "Bearer error=\"invalid_token\", error_description=\"The access token is invalid or expired\""));
        }
        let reason = match header.strip_prefix("OAuth ") {
            Some(parameters) => self.signed(request, parameters, now).err()?,
            None => "missing",
        };
        let problem = Problem::new(
            401,
            "INVALID_LOGIN",
            "Invalid login attempt. For more details, see the Login Audit Trail.",
        );
        let realm = &self.tba.realm;
        Some(problem.reply().with(
            "www-authenticate",
            format!("OAuth realm=\"{realm}\", error=\"token_rejected\", error_description=\"{reason}\""),
        ))
    }

    /// Checks a signed request; each pair of nonce and timestamp is good once.
    fn signed(
        &mut self,
        request: &Request,
        parameters: &str,
        now: DateTime<Utc>,
    ) -> Result<(), &'static str> {
        let given = header_parameters(parameters);
        let value = |name: &str| given.get(name).map_or("", String::as_str);
        if value("realm") != self.tba.realm {
            return Err("wrong realm");
        }
        if value("oauth_consumer_key") != self.tba.consumer_key || value("oauth_token") != self.tba.token {
            return Err("unknown consumer or token");
        }
        if value("oauth_signature_method") != "HMAC-SHA256" {
            return Err("the signature method must be HMAC-SHA256");
        }
        if given.get("oauth_version").is_some_and(|version| version != "1.0") {
            return Err("wrong version");
        }
        let seconds: i64 = value("oauth_timestamp").parse().map_err(|_| "wrong timestamp")?;
        if self.skew.is_some_and(|skew| (now.timestamp() - seconds).abs() > skew.num_seconds()) {
            return Err("the timestamp is too far off");
        }
        let expected = signature(request, &given, &self.tba);
        if expected.as_deref() != Some(value("oauth_signature")) {
            return Err("wrong signature");
        }
        let nonce = (value("oauth_nonce").to_owned(), value("oauth_timestamp").to_owned());
        if nonce.0.is_empty() || !self.used.insert(nonce) {
            return Err("the nonce was used before");
        }
        Ok(())
    }

    /// The token endpoint.
    pub(crate) fn token(&mut self, request: &Request, now: DateTime<Utc>) -> Reply {
        let form: HashMap<String, String> = url::form_urlencoded::parse(&request.body).into_owned().collect();
        let is = |name: &str, wanted: &str| form.get(name).is_some_and(|value| value == wanted);
        let refuse = |error: &str| Reply::json(400, &json!({ "error": error }));
        if !is("grant_type", "client_credentials") {
            return refuse("unsupported_grant_type");
        }
        if !is("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer") {
            return refuse("invalid_request");
        }
        let audience = format!("{}{TOKEN_PATH}", request.base);
        let assertion = form.get("client_assertion").map_or("", String::as_str);
        if self.assertion(assertion, &audience, now).is_none() {
            return refuse("invalid_grant");
        }
        let token = self.dice.token(64);
        self.tokens.insert(token.clone(), now + Duration::seconds(TOKEN_SECONDS));
        Reply::json(
            200,
            &json!({ "access_token": token, "expires_in": TOKEN_SECONDS.to_string(), "token_type": "bearer" }),
        )
    }

    /// Whether an assertion is signed with a registered key, meant for us and in time.
    fn assertion(&self, assertion: &str, audience: &str, now: DateTime<Utc>) -> Option<()> {
        let (signed, signature) = assertion.rsplit_once('.')?;
        let (header, claims) = signed.split_once('.')?;
        let decode = |part: &str| -> Option<Value> {
            serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).ok()?).ok()
        };
        let (header, claims) = (decode(header)?, decode(claims)?);
        let signature = URL_SAFE_NO_PAD.decode(signature).ok()?;
        let key = self.certificates.get(header.get("kid")?.as_str()?)?;
        match (key, header.get("alg")?.as_str()?) {
            (PublicKey::Elliptic(key), "ES256") => {
                let signature = p256::ecdsa::Signature::from_slice(&signature).ok()?;
                key.verify(signed.as_bytes(), &signature).ok()?;
            }
            (PublicKey::Rsa(key), "PS256") => {
                let key = rsa::pss::VerifyingKey::<rsa::sha2::Sha256>::new((**key).clone());
                let signature = rsa::pss::Signature::try_from(signature.as_slice()).ok()?;
                key.verify(signed.as_bytes(), &signature).ok()?;
            }
            _ => return None,
        }
        let (from, until) = (claims.get("iat")?.as_i64()?, claims.get("exp")?.as_i64()?);
        let now = now.timestamp();
        let allowance = self.skew.map_or(i64::MAX, |skew| skew.num_seconds());
        let in_time = until > now.saturating_sub(if self.skew.is_some() { 0 } else { i64::MAX })
            && from <= now.saturating_add(allowance)
            && until.saturating_sub(from) <= TOKEN_SECONDS;
        let scopes = match claims.get("scope")? {
            Value::Array(scopes) => {
                scopes.iter().filter_map(Value::as_str).any(|scope| scope == "rest_webservices")
            }
            Value::String(scopes) => scopes.split([' ', ',']).any(|scope| scope == "rest_webservices"),
            _ => false,
        };
        let meant = match claims.get("aud")? {
            Value::Array(all) => all.iter().any(|one| one == audience),
            one => one == audience,
        };
        let issuer = claims.get("iss")?.as_str()? == self.client_id;
        (in_time && scopes && meant && issuer).then_some(())
    }
}

fn header_parameters(text: &str) -> HashMap<String, String> {
    let pairs = text.split(',').filter_map(|pair| pair.trim().split_once('='));
    pairs.map(|(name, value)| (name.trim().to_owned(), decoded(value.trim().trim_matches('"')))).collect()
}

/// The signature a request should have. `None` when it carries something that cannot be signed.
fn signature(request: &Request, given: &HashMap<String, String>, tba: &Tba) -> Option<String> {
    let mut pairs: Vec<(String, String)> = Vec::new();
    for (name, value) in given {
        if name != "realm" && name != "oauth_signature" {
            pairs.push((encoded(name), encoded(value)));
        }
    }
    for pair in request.query.split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        pairs.push((encoded(&decoded(name)), encoded(&decoded(value))));
    }
    pairs.sort();
    let joined: Vec<String> = pairs.iter().map(|(name, value)| format!("{name}={value}")).collect();
    let address = format!("{}{}", request.base, request.path);
    let base = format!("{}&{}&{}", request.method, encoded(&address), encoded(&joined.join("&")));
    let key = format!("{}&{}", encoded(&tba.consumer_secret), encoded(&tba.token_secret));
    let mut mac = Hmac::<Sha256>::new_from_slice(key.as_bytes()).ok()?;
    mac.update(base.as_bytes());
    Some(STANDARD.encode(mac.finalize().into_bytes()))
}

/// RFC 3986: only letters, digits and `-._~` stay as they are.
fn encoded(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            out.push(char::from(byte));
        } else {
            _ = write!(out, "%{byte:02X}");
        }
    }
    out
}

/// Undoes percent-encoding; a `+` is a plus, as the signature's rules have it.
fn decoded(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        let hex = bytes.get(at + 1..at + 3).and_then(|hex| std::str::from_utf8(hex).ok());
        if let (b'%', Some(decoded)) = (byte, hex.and_then(|hex| u8::from_str_radix(hex, 16).ok())) {
            out.push(decoded);
            at += 3;
        } else {
            out.push(*byte);
            at += 1;
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use http::{HeaderMap, Method};

    use super::*;

    fn oracle() -> (Tba, HashMap<String, String>) {
        let tba = Tba {
            realm: "123456".to_owned(),
            consumer_key: "ef40afdd8abaac111b13825dd5e5e2ddddb44f86d5a0dd6dcf38c20aae6b67e4".to_owned(),
            consumer_secret: "d26ad321a4b2f23b0741c8d38392ce01c3e23e109df6c96eac6d099e9ab9e8b5".to_owned(),
            token: "2b0ce516420110bcbd36b69e99196d1b7f6de3c6234c5afb799b73d87569f5cc".to_owned(),
            token_secret: "c29a677df7d5439a458c063654187e3d678d73aca8e3c9d8bea1478a3eb0d295".to_owned(),
        };
        let given = [
            ("oauth_consumer_key", tba.consumer_key.as_str()),
            ("oauth_nonce", "fjaLirsIcCGVZWzBX0pg"),
            ("oauth_signature_method", "HMAC-SHA256"),
            ("oauth_timestamp", "1508242306"),
            ("oauth_token", tba.token.as_str()),
            ("oauth_version", "1.0"),
        ];
        let given = given.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        (tba, given)
    }

    fn signed(method: Method, path: &str, query: &str) -> String {
        let (tba, given) = oracle();
        let request = Request {
            method,
            path: path.to_owned(),
            query: query.to_owned(),
            base: "https://123456.suitetalk.api.netsuite.com".to_owned(),
            headers: HeaderMap::new(),
            body: Bytes::new(),
            refuse: Vec::new(),
        };
        signature(&request, &given, &tba).unwrap()
    }

    #[test]
    fn signatures_equal_the_vendors_vectors() {
        let get = signed(Method::GET, "/services/rest/record/v1/employee/40", "");
        assert_eq!(get, "B5OIWznZ2YP0OB7VrJrGkYsTh+8H+5T9Hag+o92q0zY=");
        let query = signed(Method::POST, "/services/rest/query/v1/suiteql", "limit=10&offset=10");
        assert_eq!(query, "fW1ZLmwuvgjPCnvIxfjfnGnuoiTLwwVyptFw2JFBb7g=");
        let plus = signed(
            Method::GET,
            "/services/rest/record/v1/customer",
            "q=email%20START_WITH%20%22a+b%22&limit=5",
        );
        assert_eq!(plus, "2crxaYR4CuSLWVcVwiI0EBp3pj9NUuu+si8IQFQzMYE=");
    }
}
