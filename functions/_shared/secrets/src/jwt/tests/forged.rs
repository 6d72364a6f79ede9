//! Tokens that a forger would try. Every one of them must be refused.

use super::*;

type Forged = Vec<(&'static str, String)>;

pub(super) fn algorithms() -> Forged {
    let valid = hs256(&super::claims());
    let (_, signature) = valid.rsplit_once('.').unwrap();
    let payload = super::claims().to_string();
    let secret = EncodingKey::from_secret(SECRET.as_bytes());
    vec![
        ("alg none", unsigned(r#"{"alg":"none"}"#, "")),
        ("alg none, a signature", unsigned(r#"{"alg":"none"}"#, signature)),
        ("alg None", unsigned(r#"{"alg":"None"}"#, signature)),
        ("alg nOnE", unsigned(r#"{"alg":"nOnE"}"#, "AA")),
        ("alg missing", hs256_header(r#"{"typ":"JWT"}"#)),
        ("alg empty", hs256_header(r#"{"alg":""}"#)),
        ("alg null", hs256_header(r#"{"alg":null}"#)),
        ("alg a list", hs256_header(r#"{"alg":["HS256"]}"#)),
        ("alg in lower case", hs256_header(r#"{"alg":"hs256"}"#)),
        ("alg HS384", signed_text(r#"{"alg":"HS384"}"#, &payload, &secret, Algorithm::HS384)),
        ("alg HS512", signed_text(r#"{"alg":"HS512"}"#, &payload, &secret, Algorithm::HS512)),
        ("alg PS256", signed_text(r#"{"alg":"PS256","kid":"rsa-1"}"#, &payload, &RSA, Algorithm::PS256)),
        ("alg RS512", signed_text(r#"{"alg":"RS512","kid":"rsa-1"}"#, &payload, &RSA, Algorithm::RS512)),
        ("alg EdDSA", unsigned(r#"{"alg":"EdDSA","kid":"ed-1"}"#, signature)),
        ("alg twice", hs256_header(r#"{"alg":"none","alg":"HS256"}"#)),
        ("alg twice, escaped", hs256_header(r#"{"alg":"none","\u0061lg":"HS256"}"#)),
        ("typ of something else", hs256_header(r#"{"alg":"HS256","typ":"at+jwt"}"#)),
        ("typ a number", hs256_header(r#"{"alg":"HS256","typ":7}"#)),
        ("crit", hs256_header(r#"{"alg":"HS256","crit":["exp"]}"#)),
        ("crit empty", hs256_header(r#"{"alg":"HS256","crit":[]}"#)),
        ("b64 false", hs256_header(r#"{"alg":"HS256","b64":false}"#)),
        ("zip", hs256_header(r#"{"alg":"HS256","zip":"DEF"}"#)),
        ("encrypted", hs256_header(r#"{"alg":"HS256","enc":"A256GCM"}"#)),
        ("header a list", hs256_header("[]")),
        ("header a text", hs256_header(r#""HS256""#)),
        ("header not JSON", hs256_header("{alg:HS256}")),
        ("header with a byte order mark", hs256_header("\u{feff}{\"alg\":\"HS256\"}")),
        ("ES384 with the P-256 key", unsigned(r#"{"alg":"ES384","kid":"ec-1"}"#, signature)),
        ("ES256 of zeros", unsigned(r#"{"alg":"ES256","kid":"ec-1"}"#, &b64([0; 64]))),
        ("ES256 too short", unsigned(r#"{"alg":"ES256","kid":"ec-1"}"#, &b64([1; 63]))),
    ]
}

/// Signed by the wrong key, or by the right one under a wrong name.
pub(super) fn signatures() -> Forged {
    let valid = hs256(&super::claims());
    let (signed, signature) = valid.rsplit_once('.').unwrap();
    let payload = super::claims().to_string();
    let hmac = |header: &str, key: &[u8]| {
        signed_text(header, &payload, &EncodingKey::from_secret(key), Algorithm::HS256)
    };
    let x = JWKS["keys"][0]["x"].as_str().unwrap().as_bytes();
    let rs256 = |header: &str, key: &EncodingKey, algorithm| signed_text(header, &payload, key, algorithm);
    vec![
        ("HS256 with the EC public key", hmac(r#"{"alg":"HS256"}"#, EC_PUBLIC.as_bytes())),
        ("the same, naming it", hmac(r#"{"alg":"HS256","kid":"ec-1"}"#, EC_PUBLIC.as_bytes())),
        ("HS256 with the RSA public key", hmac(r#"{"alg":"HS256","kid":"rsa-1"}"#, RSA_PUBLIC.as_bytes())),
        ("HS256 with a coordinate", hmac(r#"{"alg":"HS256","kid":"ec-1"}"#, x)),
        ("HS256 with the right secret, naming a public key", hs256_header(r#"{"alg":"HS256","kid":"ec-1"}"#)),
        ("HS256 with an empty secret", hmac(r#"{"alg":"HS256"}"#, b"")),
        ("HS256 with another secret", hmac(r#"{"alg":"HS256"}"#, &[b'x'; 50])),
        (
            "HS256 with the symmetric key of the set",
            hmac(r#"{"alg":"HS256","kid":"oct-1"}"#, b"secret-secret-secret-secret-secret"),
        ),
        ("ES256 naming the RSA key", es256(&json!({"alg": "ES256", "kid": "rsa-1"}))),
        ("RS256 naming the EC key", rs256(r#"{"alg":"RS256","kid":"ec-1"}"#, &RSA, Algorithm::RS256)),
        ("RS256 said, ES256 done", rs256(r#"{"alg":"RS256","kid":"rsa-1"}"#, &EC, Algorithm::ES256)),
        ("ES256 said, RS256 done", rs256(r#"{"alg":"ES256","kid":"ec-1"}"#, &RSA, Algorithm::RS256)),
        ("RS256 with another key", rs256(r#"{"alg":"RS256","kid":"rsa-1"}"#, &OTHER_RSA, Algorithm::RS256)),
        ("RS256 with PSS padding", rs256(r#"{"alg":"RS256","kid":"rsa-1"}"#, &RSA, Algorithm::PS256)),
        ("another signature", format!("{signed}.{}", b64([7; 32]))),
        ("signature of another token", {
            let other = hs256(&with(&json!({"sub": "00000000-0000-4000-8000-000000000001"})));
            format!("{}.{signature}", other.rsplit_once('.').unwrap().0)
        }),
    ]
}

/// Where the token itself says which key it is to be checked with.
pub(super) fn key_ids() -> Forged {
    let long = "k".repeat(10_000);

    vec![
        ("its own key", es256(&json!({"alg": "ES256", "kid": "mine", "jwk": JWKS["keys"][0]}))),
        ("its own key without an id", es256(&json!({"alg": "ES256", "jwk": JWKS["keys"][0]}))),
        (
            "its own key address",
            es256(&json!({"alg": "ES256", "kid": "mine", "jku": "https://evil.example/jwks.json"})),
        ),
        (
            "its own certificate address",
            es256(&json!({"alg": "ES256", "kid": "mine", "x5u": "https://evil.example/c.pem"})),
        ),
        ("its own certificate", es256(&json!({"alg": "ES256", "kid": "mine", "x5c": ["MIIB"]}))),
        ("kid missing", es256(&json!({"alg": "ES256"}))),
        ("kid empty", es256(&json!({"alg": "ES256", "kid": ""}))),
        ("kid unknown", es256(&json!({"alg": "ES256", "kid": "ec-2"}))),
        ("kid a list", es256(&json!({"alg": "ES256", "kid": ["ec-1"]}))),
        ("kid a number", es256(&json!({"alg": "ES256", "kid": 1}))),
        ("kid a path", es256(&json!({"alg": "ES256", "kid": "../../../dev/null"}))),
        ("kid a path, HS256", hs256_header(r#"{"alg":"HS256","kid":"../../dev/null"}"#)),
        ("kid a statement", es256(&json!({"alg": "ES256", "kid": "ec-1' or '1'='1"}))),
        ("kid with a zero", es256(&json!({"alg": "ES256", "kid": "ec-1\0"}))),
        ("kid with a space", es256(&json!({"alg": "ES256", "kid": " ec-1"}))),
        ("kid of 10 kB", es256(&json!({"alg": "ES256", "kid": long}))),
        ("kid of 200 characters", hs256_header(&json!({"alg": "HS256", "kid": "k".repeat(200)}).to_string())),
    ]
}

pub(super) fn shapes() -> Forged {
    let valid = hs256(&super::claims());
    let (signed, signature) = valid.rsplit_once('.').unwrap();
    let (header, payload) = signed.split_once('.').unwrap();
    let secret = EncodingKey::from_secret(SECRET.as_bytes());
    let resigned = |payload: &str| signed_text(r#"{"alg":"HS256"}"#, payload, &secret, Algorithm::HS256);
    let led_by =
        |field: &str| resigned(&super::claims().to_string().replacen('{', &format!("{{{field},"), 1));
    vec![
        ("empty", String::new()),
        ("dots", "..".to_owned()),
        ("one part", header.to_owned()),
        ("two parts", signed.to_owned()),
        ("no signature", format!("{signed}.")),
        ("no payload", format!("{header}..{signature}")),
        ("no header", format!(".{payload}.{signature}")),
        ("four parts", format!("{valid}.{signature}")),
        ("five parts", format!("{valid}.AA.AA")),
        ("a dot in front", format!(".{valid}")),
        ("a dot behind", format!("{valid}.")),
        ("padded", format!("{valid}=")),
        ("padded header", format!("{header}=.{payload}.{signature}")),
        ("a space in front", format!(" {valid}")),
        ("a line end behind", format!("{valid}\n")),
        ("a line end within", format!("{header}.\n{payload}.{signature}")),
        ("two tokens", format!("{valid},{valid}")),
        ("cut by one", valid[..valid.len() - 1].to_owned()),
        ("one longer", format!("{valid}A")),
        ("the other spelling of the last character", other_spelling(&valid)),
        ("64 kB", hs256(&with(&json!({"pad": "x".repeat(65_536)})))),
        ("just over 8 kB", hs256(&with(&json!({"pad": "x".repeat(6_500)})))),
        ("payload a list", resigned("[]")),
        ("payload null", resigned("null")),
        ("payload not JSON", resigned("{")),
        ("payload followed by more", resigned(&format!("{}{{}}", super::claims()))),
        ("payload with a zero", resigned(&with(&json!({"email": "a\0b"})).to_string())),
        ("role twice", led_by(r#""role":"service_role""#)),
        ("sub twice", led_by(&format!(r#""sub":"{USER}""#))),
        ("a name twice, deep within", led_by(r#""deep":{"a":1,"a":2}"#)),
        ("a secret key", "sb_secret_0123456789abcdefghijkl".to_owned()),
        ("a publishable key", "sb_publishable_0123456789abcdefg".to_owned()),
    ]
}

/// The last character of a 32-byte signature has two bits to spare; a token must not have a second spelling.
fn other_spelling(token: &str) -> String {
    const ALPHABET: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let (rest, last) = token.split_at(token.len() - 1);
    let position = ALPHABET.find(last).unwrap();
    format!("{rest}{}", &ALPHABET[position + 1..position + 2])
}

pub(super) fn claims() -> Forged {
    [
        ("exp missing", json!({"exp": null})),
        ("exp a text", json!({"exp": "1900000000"})),
        ("exp a boolean", json!({"exp": true})),
        ("exp a list", json!({"exp": [NOW + 60]})),
        ("exp negative", json!({"exp": -1})),
        ("exp beyond the years", json!({"exp": 999_999_999_999_999_i64})),
        ("exp 31 s ago", json!({"exp": NOW - 31})),
        ("exp 1970", json!({"exp": 0})),
        ("nbf in 31 s", json!({"nbf": NOW + 31})),
        ("nbf a text", json!({"nbf": "0"})),
        ("iat in 31 s", json!({"iat": NOW + 31})),
        ("iat a text", json!({"iat": "0"})),
        ("iss missing", json!({"iss": null})),
        ("iss empty", json!({"iss": ""})),
        ("iss of another project", json!({"iss": "https://evil.supabase.co/auth/v1"})),
        ("iss longer", json!({"iss": format!("{ISSUER}/")})),
        ("iss a prefix", json!({"iss": "https://acme.supabase.co"})),
        ("iss a list", json!({"iss": [ISSUER]})),
        ("iss supabase", json!({"iss": "supabase"})),
        ("aud missing", json!({"aud": null})),
        ("aud another", json!({"aud": "anon"})),
        ("aud empty list", json!({"aud": []})),
        ("aud list of others", json!({"aud": ["other"]})),
        ("aud mixed list", json!({"aud": ["authenticated", 7]})),
        ("aud longer", json!({"aud": "authenticated "})),
        ("aud an object", json!({"aud": {"authenticated": true}})),
        ("role missing", json!({"role": null})),
        ("role anon", json!({"role": "anon"})),
        ("role service_role", json!({"role": "service_role"})),
        ("role postgres", json!({"role": "postgres"})),
        ("role in upper case", json!({"role": "Authenticated"})),
        ("role a list", json!({"role": ["authenticated"]})),
        ("sub missing", json!({"sub": null})),
        ("sub empty", json!({"sub": ""})),
        ("sub a name", json!({"sub": "ana"})),
        ("sub a number", json!({"sub": 7})),
        ("sub nil", json!({"sub": "00000000-0000-0000-0000-000000000000"})),
        ("sub in braces", json!({"sub": format!("{{{USER}}}")})),
        ("sub without hyphens", json!({"sub": USER.replace('-', "")})),
        ("sub a URN", json!({"sub": format!("urn:uuid:{USER}")})),
        ("session_id a number", json!({"session_id": 7})),
        ("is_anonymous a text", json!({"is_anonymous": "false"})),
        ("the legacy anon key", json!({"iss": "supabase", "role": "anon", "sub": null, "aud": null})),
        (
            "the legacy service key",
            json!({"iss": "supabase", "role": "service_role", "sub": null, "aud": null}),
        ),
    ]
    .into_iter()
    .map(|(name, changes)| (name, hs256(&with(&changes))))
    .collect()
}
