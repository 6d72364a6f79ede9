//! Signed assertions that buy an access token (RFC 7523), as NetSuite's OAuth 2.0 client credentials flow wants them:
//! <https://docs.oracle.com/en/cloud/saas/netsuite/ns-online-help/section_162730264820.html>.

use crate::credential::{Algorithm, Kind};
use crate::{Credential, Error, Result, Secret};
use chrono::{DateTime, Utc};
use jsonwebtoken::{EncodingKey, Header};
use serde::Serialize;

pub(super) const TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// How long an assertion is good for. The vendor allows an hour; it is used at once, so minutes for skewed clocks do.
const SECONDS: i64 = 300;

/// NetSuite takes RSA keys of 3072 and 4096 bits; a signature is as long as its key.
const SHORTEST_RSA_SIGNATURE: usize = 3072 / 8;

#[derive(Serialize)]
struct Assertion<'a> {
    iss: &'a str,
    scope: &'a [String],
    aud: &'a str,
    iat: i64,
    exp: i64,
}

/// The signed assertion. ES256 signatures are deterministic (RFC 6979), PS256 ones draw a salt.
pub(super) fn make(
    credential: &Credential,
    audience: &str,
    scope: &[String],
    at: DateTime<Utc>,
) -> Result<Secret> {
    let Kind::ClientAssertion { client_id, certificate_id, private_key, algorithm } = &credential.0 else {
        return Err(Error::Mismatch("a key that signs assertions is needed"));
    };
    let iat = at.timestamp();
    let claims = Assertion { iss: client_id, scope, aud: audience, iat, exp: iat.saturating_add(SECONDS) };
    let mut header = Header::new(named(*algorithm));
    header.kid = Some(certificate_id.clone());
    let key = key(private_key.expose(), *algorithm).ok_or(Error::Sealed)?;
    jsonwebtoken::encode(&header, &claims, &key).map(Secret::new).map_err(|_| Error::Sealed)
}

/// Signs something with a key, to see whether it can. The error is a sentence for the person who typed it in.
pub(crate) fn try_key(pem: &[u8], algorithm: Algorithm) -> Result<(), &'static str> {
    let defect = match algorithm {
        Algorithm::Es256 => "This must be a private key of the curve P-256 in PEM form (PKCS#8).",
        Algorithm::Ps256 => "This must be a private RSA key of 3072 or 4096 bits in PEM form (PKCS#8).",
    };
    let key = key(pem, algorithm).ok_or(defect)?;
    let signature = jsonwebtoken::crypto::sign(b"try", &key, named(algorithm)).map_err(|_| defect)?;
    let long_enough = match algorithm {
        Algorithm::Es256 => true,
        // Base64 without padding: four characters for three bytes.
        Algorithm::Ps256 => signature.len() / 4 * 3 >= SHORTEST_RSA_SIGNATURE,
    };
    if long_enough { Ok(()) } else { Err(defect) }
}

fn key(pem: &[u8], algorithm: Algorithm) -> Option<EncodingKey> {
    match algorithm {
        Algorithm::Es256 => EncodingKey::from_ec_pem(pem).ok(),
        Algorithm::Ps256 => EncodingKey::from_rsa_pem(pem).ok(),
    }
}

const fn named(algorithm: Algorithm) -> jsonwebtoken::Algorithm {
    match algorithm {
        Algorithm::Es256 => jsonwebtoken::Algorithm::ES256,
        Algorithm::Ps256 => jsonwebtoken::Algorithm::PS256,
    }
}
