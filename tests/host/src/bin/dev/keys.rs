//! The secrets of one world, and the tokens of the people in it.
//!
//! They are drawn anew for each world: pages in a browser may call 127.0.0.1, so nobody must be able to guess them.

use std::fmt::Write as _;
use std::fs::OpenOptions;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result, bail};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jsonwebtoken::{EncodingKey, Header};
use serde::{Deserialize, Serialize};
use serde_json::json;

/// The issuer of the tokens.
pub(crate) const ISSUER: &str = "http://127.0.0.1/auth/v1";
/// How long a token lasts: a working day. A hosted project's last an hour.
const TOKEN_SECONDS: u64 = 12 * 3600;
/// The file in the folder of `--data`.
const FILE: &str = "keys.json";

/// The secrets of one world.
#[derive(Serialize, Deserialize)]
pub(crate) struct Keys {
    /// Signs the people's tokens.
    pub(crate) jwt_secret: String,
    /// Lets the clock and operators in.
    pub(crate) secret_key: String,
    /// Seals credentials: 32 bytes in base64.
    pub(crate) seal_key: String,
    /// The functions' password for the database.
    pub(crate) database_password: String,
    /// Whether the world's accounts are real. A world stays what it was made as.
    pub(crate) real: bool,
}

impl Keys {
    /// The keys kept in `data`, or new ones (kept there, if there is such a folder).
    ///
    /// # Errors
    /// When the file cannot be read or written, or belongs to a world of the other kind.
    pub(crate) fn take(data: Option<&Path>, real: bool) -> Result<Self> {
        let Some(folder) = data else { return Self::draw(real) };
        std::fs::create_dir_all(folder).with_context(|| format!("cannot create {}", folder.display()))?;
        let path = folder.join(FILE);
        if !path.exists() {
            let keys = Self::draw(real)?;
            keys.keep(&path).with_context(|| format!("cannot write {}", path.display()))?;
            return Ok(keys);
        }
        let text =
            std::fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
        let keys: Self = serde_json::from_str(&text).with_context(|| path.display().to_string())?;
        match (keys.real, real) {
            (true, false) => bail!("the world in {} has real accounts: use --real with it", folder.display()),
            (false, true) => {
                bail!(
                    "the world in {} has simulated accounts: use another folder with --real",
                    folder.display()
                )
            }
            _ => Ok(keys),
        }
    }

    fn draw(real: bool) -> Result<Self> {
        Ok(Self {
            jwt_secret: hex(&random()?),
            secret_key: format!("sb_secret_{}", hex(&random()?)),
            seal_key: STANDARD.encode(random()?),
            database_password: hex(&random()?),
            real,
        })
    }

    /// Only the owner may read the file.
    fn keep(&self, path: &Path) -> Result<()> {
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
        file.write_all(serde_json::to_string_pretty(self)?.as_bytes())?;
        Ok(())
    }

    /// A token as Supabase gives it to a signed-in person.
    ///
    /// # Errors
    /// When the clock stands before 1970.
    pub(crate) fn token(&self, user: &str, email: &str) -> Result<String> {
        let now =
            SystemTime::now().duration_since(UNIX_EPOCH).context("the clock stands before 1970")?.as_secs();
        let claims = json!({
            "iss": ISSUER, "aud": "authenticated", "role": "authenticated", "sub": user, "email": email,
            "iat": now, "exp": now.saturating_add(TOKEN_SECONDS), "aal": "aal1", "session_id": user, "phone": "",
            "is_anonymous": false,
        });
        let key = EncodingKey::from_secret(self.jwt_secret.as_bytes());
        jsonwebtoken::encode(&Header::default(), &claims, &key).context("cannot sign a token")
    }
}

fn random() -> Result<[u8; 32]> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).context("the system has no random numbers")?;
    Ok(bytes)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a text cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}
