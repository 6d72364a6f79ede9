//! What is known about an account, typed.

use crate::sign::assertion;
use crate::{Error, FieldError, Result, Secret, strict};
use domain::auth::CredentialKind;
use serde_json::{Map, Value};
use std::fmt;

const LONGEST: usize = 4096;
const LONGEST_KEY: usize = 16_384;
/// What the platform signs its messages with, where that is not the client secret.
const WEBHOOK_SECRET: &str = "webhook_secret";
/// What opens an n8n server's MCP server.
const MCP_KEY: &str = "mcp_key";

/// An opened credential. Shows its kind and nothing else.
#[derive(Clone)]
pub struct Credential(pub(crate) Kind);

#[derive(Clone)]
pub(crate) enum Kind {
    AccessToken { access_token: Secret, webhook_secret: Option<Secret> },
    ClientCredentials { client_id: String, client_secret: Secret, webhook_secret: Option<Secret> },
    ApiKey { api_key: Secret, mcp_key: Option<Secret>, webhook_secret: Option<Secret> },
    TokenBased { consumer_key: String, consumer_secret: Secret, token: String, token_secret: Secret },
    ClientAssertion { client_id: String, certificate_id: String, private_key: Secret, algorithm: Algorithm },
    None,
}

/// How assertions are signed (RFC 7518).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Algorithm {
    Es256,
    Ps256,
}

impl Algorithm {
    fn from_word(word: &str) -> Option<Self> {
        match word {
            "ES256" => Some(Self::Es256),
            "PS256" => Some(Self::Ps256),
            _ => None,
        }
    }
}

impl Credential {
    /// Reads an opened credential. [`Error::Sealed`] when it is not of this kind: what is stored was checked by [`Self::check`].
    pub fn open(kind: CredentialKind, opened: &Secret) -> Result<Self> {
        let value = strict::parse(opened.expose()).map_err(|_| Error::Sealed)?;
        let Value::Object(mut fields) = value else { return Err(Error::Sealed) };
        let mut optional = |name: &str| match fields.remove(name) {
            None => Ok(None),
            Some(Value::String(text)) if !text.is_empty() => Ok(Some(Secret::new(text))),
            Some(_) => Err(Error::Sealed),
        };
        let (webhook_secret, mcp_key) = (optional(WEBHOOK_SECRET)?, optional(MCP_KEY)?);
        let mut take = |name: &str| match fields.remove(name) {
            Some(Value::String(text)) if !text.is_empty() => Ok(text),
            _ => Err(Error::Sealed),
        };
        Ok(Self(match kind {
            CredentialKind::AccessToken => {
                Kind::AccessToken { access_token: Secret::new(take("access_token")?), webhook_secret }
            }
            CredentialKind::ClientCredentials => Kind::ClientCredentials {
                client_id: take("client_id")?,
                client_secret: Secret::new(take("client_secret")?),
                webhook_secret,
            },
            CredentialKind::ApiKey => {
                Kind::ApiKey { api_key: Secret::new(take("api_key")?), mcp_key, webhook_secret }
            }
            CredentialKind::TokenBased => Kind::TokenBased {
                consumer_key: take("consumer_key")?,
                consumer_secret: Secret::new(take("consumer_secret")?),
                token: take("token")?,
                token_secret: Secret::new(take("token_secret")?),
            },
            CredentialKind::ClientAssertion => Kind::ClientAssertion {
                client_id: take("client_id")?,
                certificate_id: take("certificate_id")?,
                private_key: Secret::new(take("private_key")?),
                algorithm: Algorithm::from_word(&take("algorithm")?).ok_or(Error::Sealed)?,
            },
            CredentialKind::None => Kind::None,
        }))
    }

    /// Checks what a person typed in; the answer is what shall be sealed: texts trimmed, a key with real line ends.
    ///
    /// Every field is required but `webhook_secret` and `mcp_key`, none is unknown. A private key must be one that signs: it is tried.
    pub fn check(kind: CredentialKind, input: &Value) -> Result<Value, Vec<FieldError>> {
        let Some(given) = input.as_object() else {
            return Err(vec![wrong("", "invalid", "This must be an object.")]);
        };
        let (known, optional) = (fields(kind), optional_fields(kind));
        let mut errors: Vec<FieldError> = given
            .keys()
            .filter(|name| !known.iter().chain(optional).any(|known| known == name))
            .map(|name| {
                wrong(&name.replace('~', "~0").replace('/', "~1"), "unknown", "There is no such field.")
            })
            .collect();
        let mut checked = Map::new();
        let is_given = |name: &&&str| given.get(**name).is_some_and(|value| !is_blank(value));
        for &name in known.iter().chain(optional.iter().filter(is_given)) {
            match field(name, given.get(name)) {
                Ok(text) => drop(checked.insert(name.to_owned(), Value::String(text))),
                Err(error) => errors.push(error),
            }
        }
        if errors.is_empty() && kind == CredentialKind::ClientAssertion {
            errors.extend(key_defect(&checked));
        }
        if errors.is_empty() { Ok(Value::Object(checked)) } else { Err(errors) }
    }

    /// What the account's platform may have signed its messages with: the secret entered for them, and the client secret.
    /// None for a credential that has neither.
    pub fn webhook_secrets(&self) -> Vec<Secret> {
        let secrets = match &self.0 {
            Kind::AccessToken { webhook_secret, .. } | Kind::ApiKey { webhook_secret, .. } => {
                [webhook_secret.as_ref(), None]
            }
            Kind::ClientCredentials { client_secret, webhook_secret, .. } => {
                [webhook_secret.as_ref(), Some(client_secret)]
            }
            Kind::TokenBased { .. } | Kind::ClientAssertion { .. } | Kind::None => [None, None],
        };
        secrets.into_iter().flatten().cloned().collect()
    }

    /// Whether the account's MCP server can be asked.
    pub const fn has_mcp_key(&self) -> bool {
        matches!(self.0, Kind::ApiKey { mcp_key: Some(_), .. })
    }

    /// Which kind it is.
    pub const fn kind(&self) -> CredentialKind {
        match self.0 {
            Kind::AccessToken { .. } => CredentialKind::AccessToken,
            Kind::ClientCredentials { .. } => CredentialKind::ClientCredentials,
            Kind::ApiKey { .. } => CredentialKind::ApiKey,
            Kind::TokenBased { .. } => CredentialKind::TokenBased,
            Kind::ClientAssertion { .. } => CredentialKind::ClientAssertion,
            Kind::None => CredentialKind::None,
        }
    }
}

impl fmt::Debug for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Credential({:?}, …)", self.kind())
    }
}

const fn fields(kind: CredentialKind) -> &'static [&'static str] {
    match kind {
        CredentialKind::AccessToken => &["access_token"],
        CredentialKind::ClientCredentials => &["client_id", "client_secret"],
        CredentialKind::ApiKey => &["api_key"],
        CredentialKind::TokenBased => &["consumer_key", "consumer_secret", "token", "token_secret"],
        CredentialKind::ClientAssertion => &["client_id", "certificate_id", "private_key", "algorithm"],
        CredentialKind::None => &[],
    }
}

/// What a credential of this kind may have besides.
const fn optional_fields(kind: CredentialKind) -> &'static [&'static str] {
    match kind {
        CredentialKind::AccessToken | CredentialKind::ClientCredentials => &[WEBHOOK_SECRET],
        CredentialKind::ApiKey => &[MCP_KEY, WEBHOOK_SECRET],
        CredentialKind::TokenBased | CredentialKind::ClientAssertion | CredentialKind::None => &[],
    }
}

/// Whether a form left this out.
fn is_blank(value: &Value) -> bool {
    value.is_null() || value.as_str().is_some_and(|text| text.trim().is_empty())
}

fn wrong(name: &str, code: &'static str, detail: &str) -> FieldError {
    let pointer = if name.is_empty() { String::new() } else { format!("/{name}") };
    FieldError { pointer, code, detail: detail.to_owned() }
}

fn field(name: &str, value: Option<&Value>) -> Result<String, FieldError> {
    let text = match value {
        None | Some(Value::Null) => return Err(wrong(name, "required", "This is required.")),
        Some(Value::String(text)) => text.trim(),
        Some(_) => return Err(wrong(name, "invalid", "This must be text.")),
    };
    if text.is_empty() {
        return Err(wrong(name, "required", "This is required."));
    }
    if name == "private_key" {
        // A key copied out of a JSON file often has the two characters `\n` where its lines end.
        let text = text.replace("\\n", "\n").replace("\r\n", "\n");
        let printable = text.bytes().all(|byte| byte == b'\n' || (b' '..=b'~').contains(&byte));
        return if printable && text.len() <= LONGEST_KEY {
            Ok(text)
        } else {
            Err(wrong(name, "invalid", "This must be a private key in PEM form (PKCS#8)."))
        };
    }
    if name == "algorithm" && Algorithm::from_word(text).is_none() {
        return Err(wrong(name, "invalid", "This must be ES256 or PS256."));
    }
    if text.len() > LONGEST {
        return Err(wrong(name, "invalid", "This is longer than 4,096 characters."));
    }
    // Tokens, ids and secrets travel in headers and forms. A line end or an invisible character is a slip of the copying hand.
    if !text.bytes().all(|byte| (b'!'..=b'~').contains(&byte)) {
        return Err(wrong(name, "invalid", "This has a space, a line end or a character that no key has."));
    }
    Ok(text.to_owned())
}

fn key_defect(checked: &Map<String, Value>) -> Option<FieldError> {
    let text = |name: &str| checked.get(name).and_then(Value::as_str).unwrap_or_default();
    let algorithm = Algorithm::from_word(text("algorithm"))?;
    assertion::try_key(text("private_key").as_bytes(), algorithm)
        .err()
        .map(|detail| wrong("private_key", "invalid", detail))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sign::keys_for_tests::{EC_PRIVATE, RSA_2048_PRIVATE, RSA_PRIVATE};
    use serde_json::json;

    fn defects(kind: CredentialKind, input: &Value) -> Vec<(String, &'static str)> {
        Credential::check(kind, input)
            .unwrap_err()
            .into_iter()
            .map(|error| (error.pointer, error.code))
            .collect()
    }

    #[test]
    fn what_was_checked_can_be_opened() {
        for (kind, input) in [
            (CredentialKind::AccessToken, json!({"access_token": " shpat_1 "})),
            (CredentialKind::ClientCredentials, json!({"client_id": "a", "client_secret": "b"})),
            (CredentialKind::ApiKey, json!({"api_key": "a"})),
            (CredentialKind::ApiKey, json!({"api_key": "a", "mcp_key": "b", "webhook_secret": "c"})),
            (
                CredentialKind::TokenBased,
                json!({"consumer_key": "a", "consumer_secret": "b", "token": "c", "token_secret": "d"}),
            ),
            (
                CredentialKind::ClientAssertion,
                json!({"client_id": "a", "certificate_id": "b", "private_key": EC_PRIVATE, "algorithm": "ES256"}),
            ),
            (
                CredentialKind::ClientAssertion,
                json!({"client_id": "a", "certificate_id": "b", "private_key": RSA_PRIVATE, "algorithm": "PS256"}),
            ),
            (CredentialKind::None, json!({})),
        ] {
            let checked = Credential::check(kind, &input).unwrap();
            let credential = Credential::open(kind, &Secret::new(checked.to_string())).unwrap();
            assert_eq!(credential.kind(), kind);
            assert_eq!(format!("{credential:?}"), format!("Credential({kind:?}, …)"));
        }
        let checked =
            Credential::check(CredentialKind::AccessToken, &json!({"access_token": " shpat_1\n"})).unwrap();
        assert_eq!(checked, json!({"access_token": "shpat_1"}));
    }

    #[test]
    fn each_wrong_field_is_named() {
        let kind = CredentialKind::ClientCredentials;
        assert_eq!(defects(kind, &json!([])), [(String::new(), "invalid")]);
        assert_eq!(
            defects(kind, &json!({"client_id": 7, "client_secret": "", "a/b": 1})),
            [
                ("/a~1b".to_owned(), "unknown"),
                ("/client_id".to_owned(), "invalid"),
                ("/client_secret".to_owned(), "required")
            ]
        );
        for text in ["two words", "line\nend", "caf\u{e9}", "zero\0", &"x".repeat(4097)] {
            assert_eq!(
                defects(CredentialKind::AccessToken, &json!({"access_token": text})),
                [("/access_token".to_owned(), "invalid")]
            );
        }
    }

    #[test]
    fn a_private_key_must_sign_with_its_algorithm() {
        let input = |key: &str, algorithm: &str| json!({"client_id": "a", "certificate_id": "b", "private_key": key, "algorithm": algorithm});
        let kind = CredentialKind::ClientAssertion;
        for (key, algorithm) in [
            (EC_PRIVATE, "PS256"),
            (RSA_PRIVATE, "ES256"),
            (RSA_2048_PRIVATE, "PS256"),
            ("-----BEGIN PRIVATE KEY-----", "ES256"),
            ("x", "PS256"),
        ] {
            assert_eq!(
                defects(kind, &input(key, algorithm)),
                [("/private_key".to_owned(), "invalid")],
                "{algorithm}"
            );
        }
        assert_eq!(defects(kind, &input(EC_PRIVATE, "none")), [("/algorithm".to_owned(), "invalid")]);
        let escaped = EC_PRIVATE.trim().replace('\n', "\\n");
        Credential::check(kind, &input(&escaped, "ES256")).unwrap();
    }

    #[test]
    fn messages_are_signed_with_the_secret_entered_for_them_or_the_client_secret() {
        let signers = |kind, input: Value| -> Vec<Vec<u8>> {
            let checked = Credential::check(kind, &input).unwrap();
            let credential = Credential::open(kind, &Secret::new(checked.to_string())).unwrap();
            credential.webhook_secrets().iter().map(|secret| secret.expose().to_vec()).collect()
        };
        let token = CredentialKind::AccessToken;
        let client = CredentialKind::ClientCredentials;
        assert_eq!(signers(token, json!({"access_token": "a", "webhook_secret": " w\n"})), [b"w"]);
        for blank in [json!(null), json!(""), json!(" ")] {
            assert!(signers(token, json!({"access_token": "a", "webhook_secret": blank})).is_empty());
        }
        assert_eq!(signers(client, json!({"client_id": "a", "client_secret": "b"})), [b"b"]);
        let both = json!({"client_id": "a", "client_secret": "b", "webhook_secret": "w"});
        assert_eq!(signers(client, both), [b"w", b"b"]);
        let wrong = json!({"access_token": "a", "webhook_secret": 7});
        assert_eq!(defects(token, &wrong), [("/webhook_secret".to_owned(), "invalid")]);
        let kept = Secret::new(r#"{"access_token":"a","webhook_secret":""}"#);
        assert_eq!(Credential::open(token, &kept).unwrap_err(), Error::Sealed);
    }

    #[test]
    fn no_message_repeats_what_was_typed_in() {
        let errors =
            Credential::check(CredentialKind::AccessToken, &json!({"access_token": "canary canary"}))
                .unwrap_err();
        assert!(!format!("{errors:?} {}", Error::Fields(errors.clone())).contains("canary"));
    }

    #[test]
    fn a_stored_credential_of_another_kind_does_not_open() {
        let stored = Secret::new(r#"{"access_token":"x"}"#);
        assert_eq!(Credential::open(CredentialKind::TokenBased, &stored).unwrap_err(), Error::Sealed);
        assert_eq!(
            Credential::open(CredentialKind::AccessToken, &Secret::new("x")).unwrap_err(),
            Error::Sealed
        );
    }
}
