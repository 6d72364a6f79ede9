//! How a request is to be authenticated, as data. Connectors say it, `secrets` does it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Which kind of credential an integration has. The kind is no secret; the credential is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum CredentialKind {
    /// A token that does not change (`{"access_token", "webhook_secret"?}`): a Shopify custom app. Webhooks
    /// need the secret that they are signed with.
    AccessToken,
    /// A client id and a client secret that buy access tokens (`{"client_id", "client_secret", "webhook_secret"?}`).
    /// Webhooks are signed with the client secret; the further one is for those that are not, and for rotations.
    ClientCredentials,
    /// OAuth 1.0a, NetSuite's token-based authentication
    /// (`{"consumer_key", "consumer_secret", "token", "token_secret"}`).
    TokenBased,
    /// A key that signs assertions which buy access tokens
    /// (`{"client_id", "certificate_id", "private_key", "algorithm"}`; the key as PKCS#8 PEM, ES256 or PS256).
    ClientAssertion,
    /// An n8n server's API key (`{"api_key", "mcp_key"?, "webhook_secret"?}`). Its MCP server has a key of its own; what the
    /// server tells by itself is signed with the webhook secret, or carries it.
    ApiKey,
    /// Nothing (`{}`): the account is in our own database, and its owner's rights there are the credential.
    None,
}

/// How one request is authenticated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scheme {
    /// Not at all.
    None,
    /// The access token (static, or bought and cached) in the header of this name.
    Header(&'static str),
    /// The access token as `Authorization: Bearer`.
    Bearer,
    /// The key of an n8n server's MCP server as `Authorization: Bearer`.
    McpBearer,
    /// OAuth 1.0a with HMAC-SHA256 in `Authorization`, signed anew for each attempt.
    OAuth1 {
        /// The account, as the vendor writes it in the header.
        realm: String,
    },
    /// A token request: `grant_type=client_credentials` with client id and secret in the form body.
    ClientSecretForm,
    /// A token request: `grant_type=client_credentials` with a signed assertion in the form body.
    ClientAssertionForm {
        /// The token endpoint as the assertion must name it.
        audience: String,
        /// What the token shall be good for.
        scope: Vec<String>,
    },
    /// Not sent at all: a question to our own database, which answers as the account's owner. Its address names the
    /// verb, its body holds the question as JSON.
    Database,
}

impl Scheme {
    /// Whether the request needs an access token that may first have to be bought.
    pub const fn wants_token(&self) -> bool {
        matches!(self, Self::Header(_) | Self::Bearer)
    }
}

/// How a platform signs what it sends us.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WebhookScheme {
    /// The base64 HMAC-SHA256 of the raw body in the header of this name.
    HmacSha256Base64 {
        /// The header that carries the signature.
        header: &'static str,
    },
    /// `sha256=` and the hexadecimal HMAC-SHA256 of the timestamp, a dot and the raw body; or, from senders that cannot
    /// sign, the secret itself. The timestamp counts milliseconds since 1970 and may be five minutes off.
    TimedHmacSha256 {
        /// The header that carries the signature.
        signature: &'static str,
        /// The header that carries the timestamp.
        timestamp: &'static str,
        /// The header that carries the secret instead.
        secret: &'static str,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_sent_with_an_access_token_waits_for_one() {
        assert!(Scheme::Bearer.wants_token() && Scheme::Header("x-token").wants_token());
        let signed = Scheme::OAuth1 { realm: "1".to_owned() };
        assert!(![signed, Scheme::ClientSecretForm, Scheme::Database].iter().any(Scheme::wants_token));
    }
}
