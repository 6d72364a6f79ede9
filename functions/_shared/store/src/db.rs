//! The connection, and the two ways to run a statement: as the functions, or as a user.

use crate::error::{Error, Result};
use domain::{Fields, UserId, Value};
use serde::Serialize;
use serde::de::DeserializeOwned;
use spin_sdk::pg::{Connection, DbValue, ParameterValue};
use std::cell::RefCell;
use std::rc::Rc;

/// A statement of `sql/` that runs as the functions' own role.
///
/// Each is idempotent, or fenced so that a repetition changes nothing: that is what lets [`Db::call`] repeat it when
/// the connection broke before an answer came.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Statement {
    pub(crate) name: &'static str,
    pub(crate) text: &'static str,
}

/// A statement of `sql/` that runs as a user: row level security decides what it sees and changes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct UserStatement(pub(crate) Statement);

/// Names a file of `sql/`, without its ending. A missing file is a compile error.
macro_rules! sql {
    ($path:literal) => {
        $crate::db::Statement {
            name: $path,
            text: include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../sql/", $path, ".sql")),
        }
    };
}

/// Names a file of `sql/` that is to be run as the user.
macro_rules! user_sql {
    ($path:literal) => {
        $crate::db::UserStatement($crate::db::sql!($path))
    };
}

pub(crate) use {sql, user_sql};

/// The only outer form of a user's statement: the role lasts until `as_user` returns.
const AS_USER: &str = "select sync.as_user($1, $2, $3)";

/// The claims of a verified token of a signed-in user.
#[derive(Debug, Clone)]
pub struct Claims {
    user: UserId,
    text: String,
}

impl Claims {
    /// The claims of a token whose signature and validity were checked. `None` unless it is that of a signed-in user:
    /// `sub` is a user's id and `role` is `authenticated`.
    pub fn verified(claims: Fields) -> Option<Self> {
        let user = claims.get("sub")?.as_str()?.parse().ok()?;
        let signed_in = claims.get("role")?.as_str()? == "authenticated";
        signed_in.then(|| Self { user, text: Value::Object(claims).to_string() })
    }

    /// Who it is.
    pub const fn user(&self) -> UserId {
        self.user
    }
}

/// Our Postgres, for the time of one request.
pub struct Db {
    address: String,
    connection: RefCell<Rc<Connection>>,
}

impl Db {
    /// Connects to the database of the variable `database_url`.
    pub async fn open() -> Result<Self> {
        let address = spin_sdk::variables::get("database_url")
            .await
            .map_err(|error| Error::Unreachable(format!("the variable database_url: {error}")))?;
        let connection = RefCell::new(Rc::new(connect(&address).await?));
        Ok(Self { address, connection })
    }

    /// Runs a statement as the functions. Repeated once when it was rolled back for no fault of its own, or when the
    /// connection broke.
    pub(crate) async fn call<I, O>(&self, statement: Statement, input: &I) -> Result<O>
    where
        I: Serialize + ?Sized,
        O: DeserializeOwned,
    {
        let input = text(statement.name, input)?;
        let answer = self.run(statement.name, statement.text, &[&input]).await?;
        read(statement.name, &answer)
    }

    /// Runs a statement as the user of these claims.
    pub(crate) async fn call_as<I, O>(
        &self,
        claims: &Claims,
        statement: UserStatement,
        input: &I,
    ) -> Result<O>
    where
        I: Serialize + ?Sized,
        O: DeserializeOwned,
    {
        let UserStatement(statement) = statement;
        let input = text(statement.name, input)?;
        let answer = self.run(statement.name, AS_USER, &[&claims.text, statement.text, &input]).await?;
        read(statement.name, &answer)
    }

    async fn run(&self, name: &'static str, statement: &str, parameters: &[&str]) -> Result<String> {
        let connection = Rc::clone(&self.connection.borrow());
        match query(&connection, name, statement, parameters).await {
            Err(Error::Unreachable(_)) => {
                let fresh = Rc::new(connect(&self.address).await?);
                self.connection.replace(Rc::clone(&fresh));
                query(&fresh, name, statement, parameters).await
            }
            Err(error) if error.was_rolled_back() => query(&connection, name, statement, parameters).await,
            answer => answer,
        }
    }
}

async fn connect(address: &str) -> Result<Connection> {
    Connection::open(address).await.map_err(|error| Error::from_pg("open", &error))
}

/// One row, one text column. Collected to the end, because an error may come after the first row.
async fn query(
    connection: &Connection,
    name: &'static str,
    statement: &str,
    parameters: &[&str],
) -> Result<String> {
    let parameters: Vec<ParameterValue> =
        parameters.iter().map(|value| ParameterValue::Str((*value).to_owned())).collect();
    let fault = |error: spin_sdk::pg::Error| Error::from_pg(name, &error);
    let mut answer = connection.query(statement, parameters).await.map_err(fault)?;
    let mut text = None;
    while let Some(row) = answer.rows().next().await {
        text = row.into_iter().next();
    }
    answer.result().await.map_err(fault)?;
    match text {
        Some(DbValue::Str(text)) => Ok(text),
        Some(_) => Err(Error::Statement(format!("{name}: the answer is no text"))),
        None => Err(Error::Missing(name)),
    }
}

/// The input as JSON text that Postgres can hold: the character NUL, which it cannot, becomes U+FFFD.
fn text<I: Serialize + ?Sized>(name: &'static str, input: &I) -> Result<String> {
    let text =
        serde_json::to_string(input).map_err(|error| Error::Statement(format!("{name}: input: {error}")))?;
    Ok(if text.contains("\\u0000") { without_nul(&text) } else { text })
}

fn without_nul(text: &str) -> String {
    let mut clean = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('\\') {
        let (before, escape) = rest.split_at(at);
        clean.push_str(before);
        if let Some(after) = escape.strip_prefix("\\u0000") {
            clean.push('\u{fffd}');
            rest = after;
        } else {
            // An escape is the backslash and what follows it: a doubled backslash must not begin the next one.
            let end = escape.char_indices().nth(2).map_or(escape.len(), |(end, _)| end);
            let (escape, after) = escape.split_at(end);
            clean.push_str(escape);
            rest = after;
        }
    }
    clean.push_str(rest);
    clean
}

fn read<O: DeserializeOwned>(name: &'static str, answer: &str) -> Result<O> {
    serde_json::from_str(answer).map_err(|error| Error::Statement(format!("{name}: answer: {error}")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_nul_is_replaced_and_an_escaped_backslash_is_not() {
        assert_eq!(without_nul(r#"{"a":"x\u0000y"}"#), "{\"a\":\"x\u{fffd}y\"}");
        assert_eq!(without_nul(r#"{"a":"x\\u0000y\n"}"#), r#"{"a":"x\\u0000y\n"}"#);
        assert_eq!(without_nul(r"\\\u0000"), "\\\\\u{fffd}");
    }

    #[test]
    fn only_the_claims_of_a_signed_in_user_are_claims() {
        let fields = |value: serde_json::Value| value.as_object().unwrap().clone();
        let sub = "11111111-1111-1111-1111-111111111111";
        assert!(Claims::verified(fields(json!({"sub": sub, "role": "authenticated"}))).is_some());
        assert!(Claims::verified(fields(json!({"sub": sub, "role": "service_role"}))).is_none());
        assert!(Claims::verified(fields(json!({"role": "authenticated"}))).is_none());
        assert!(Claims::verified(fields(json!({"sub": "me", "role": "authenticated"}))).is_none());
    }
}
