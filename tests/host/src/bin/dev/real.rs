//! Real accounts, from a file or from the environment.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context, Result, bail};
use serde_json::{Map, Value, json};

/// An account, as `integrations` is told of it.
#[derive(Clone)]
pub(crate) struct Account {
    pub(crate) platform: &'static str,
    pub(crate) name: &'static str,
    pub(crate) base_url: String,
    pub(crate) config: Value,
    pub(crate) credential: Value,
}

/// Every name that is looked for.
const NAMES: &[&str] = &[
    "SHOPIFY_SHOP",
    "SHOPIFY_ACCESS_TOKEN",
    "SHOPIFY_CLIENT_ID",
    "SHOPIFY_CLIENT_SECRET",
    "NETSUITE_ACCOUNT",
    "NETSUITE_CONSUMER_KEY",
    "NETSUITE_CONSUMER_SECRET",
    "NETSUITE_TOKEN",
    "NETSUITE_TOKEN_SECRET",
    "NETSUITE_CLIENT_ID",
    "NETSUITE_CERTIFICATE_ID",
    "NETSUITE_PRIVATE_KEY_FILE",
    "NETSUITE_ALGORITHM",
    "NETSUITE_CONFIG",
];

/// What each kind of credential consists of, where it is more than one value.
const APP: [&str; 2] = ["SHOPIFY_CLIENT_ID", "SHOPIFY_CLIENT_SECRET"];
const TOKEN: [&str; 4] =
    ["NETSUITE_CONSUMER_KEY", "NETSUITE_CONSUMER_SECRET", "NETSUITE_TOKEN", "NETSUITE_TOKEN_SECRET"];
const CERTIFICATE: [&str; 3] = ["NETSUITE_CLIENT_ID", "NETSUITE_CERTIFICATE_ID", "NETSUITE_PRIVATE_KEY_FILE"];

type Values = BTreeMap<String, String>;

/// Reads the accounts from `file` (`env` for the environment alone).
///
/// # Errors
/// When the file cannot be read, a name in it is not known, or an account is not complete.
pub(crate) fn read(file: &Path) -> Result<Vec<Account>> {
    let mut values = if file == Path::new("env") {
        Values::new()
    } else {
        let text =
            std::fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
        parse(&text).with_context(|| file.display().to_string())?
    };
    for name in NAMES {
        if let (false, Ok(value)) = (values.contains_key(*name), std::env::var(name)) {
            values.insert((*name).to_owned(), value);
        }
    }
    accounts(&given(values))
}

/// What is written down without a value is not given.
fn given(mut values: Values) -> Values {
    values.retain(|_, value| !value.trim().is_empty());
    values
}

fn accounts(values: &Values) -> Result<Vec<Account>> {
    let mut accounts = Vec::new();
    if let Some(shop) = values.get("SHOPIFY_SHOP") {
        accounts.push(shopify(shop, values)?);
    }
    if let Some(account) = values.get("NETSUITE_ACCOUNT") {
        accounts.push(netsuite(account, values)?);
    }
    match accounts.as_slice() {
        [] => bail!("neither SHOPIFY_SHOP nor NETSUITE_ACCOUNT is given; `cargo dev --help` lists the names"),
        // Values without the account that they are for: its name was forgotten, or misspelt in the environment.
        [only] => {
            let (prefix, name) = if only.platform == "shopify" {
                ("NETSUITE_", "NETSUITE_ACCOUNT")
            } else {
                ("SHOPIFY_", "SHOPIFY_SHOP")
            };
            if let Some(given) = values.keys().find(|key| key.starts_with(prefix)) {
                bail!("{given} is given, but {name} is missing");
            }
        }
        _ => {}
    }
    Ok(accounts)
}

/// A JSON object, or lines of `NAME=value` with an optional `export`, quotes and comments.
fn parse(text: &str) -> Result<Values> {
    let mut values = Values::new();
    if text.trim_start().starts_with('{') {
        let object: Map<String, Value> = serde_json::from_str(text)?;
        for (name, value) in object {
            let value = match value {
                Value::Null => continue,
                Value::String(text) => text,
                // NETSUITE_CONFIG may stand there as the JSON it is.
                other => other.to_string(),
            };
            values.insert(name, value);
        }
    } else {
        for (number, line) in text.lines().enumerate() {
            let line = line.trim().trim_start_matches("export ").trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let (name, value) = line
                .split_once('=')
                .with_context(|| format!("line {} is not NAME=value", number.saturating_add(1)))?;
            values.insert(name.trim().to_owned(), unquoted(value.trim()).to_owned());
        }
    }
    if let Some(name) = values.keys().find(|name| !NAMES.contains(&name.as_str())) {
        bail!("{name} is not known; `cargo dev --help` lists the names");
    }
    Ok(values)
}

fn unquoted(value: &str) -> &str {
    let within = |mark: char| value.strip_prefix(mark).and_then(|rest| rest.strip_suffix(mark));
    within('"').or_else(|| within('\'')).unwrap_or(value)
}

fn shopify(shop: &str, values: &Values) -> Result<Account> {
    let host = shop.trim().trim_start_matches("https://").trim_end_matches('/');
    let host = if host.contains('.') { host.to_owned() } else { format!("{host}.myshopify.com") };
    let credential = if let Some(token) = values.get("SHOPIFY_ACCESS_TOKEN") {
        json!({ "kind": "access_token", "access_token": token })
    } else {
        let [id, secret] = need(values, &host, APP, "or SHOPIFY_ACCESS_TOKEN instead")?;
        json!({ "kind": "client_credentials", "client_id": id, "client_secret": secret })
    };
    let base_url = format!("https://{host}");
    Ok(Account { platform: "shopify", name: "Shop", base_url, config: json!({}), credential })
}

fn netsuite(account: &str, values: &Values) -> Result<Account> {
    // A sandbox is `1234567_SB1` in signatures and `1234567-sb1` in addresses.
    let host = account.trim().to_lowercase().replace('_', "-");
    let of_account = format!("NetSuite account {account}");
    let instead = format!("or {} instead", TOKEN.join(", "));
    let credential = if TOKEN.iter().any(|name| values.contains_key(*name)) {
        let [consumer_key, consumer_secret, token, token_secret] =
            need(values, &of_account, TOKEN, "as the others of its token are given")?;
        json!({
            "kind": "token_based", "consumer_key": consumer_key, "consumer_secret": consumer_secret,
            "token": token, "token_secret": token_secret,
        })
    } else {
        let [client_id, certificate_id, file] = need(values, &of_account, CERTIFICATE, &instead)?;
        let key = std::fs::read_to_string(file).with_context(|| format!("cannot read {file}"))?;
        json!({
            "kind": "client_assertion", "client_id": client_id, "certificate_id": certificate_id, "private_key": key,
            "algorithm": values.get("NETSUITE_ALGORITHM").map_or("ES256", String::as_str),
        })
    };
    let more = values.get("NETSUITE_CONFIG").map_or("{}", String::as_str);
    let mut config: Map<String, Value> = serde_json::from_str(more).context("NETSUITE_CONFIG")?;
    config.insert("account_id".to_owned(), json!(account.trim().to_uppercase().replace('-', "_")));
    let base_url = format!("https://{host}.suitetalk.api.netsuite.com");
    Ok(Account { platform: "netsuite", name: "ERP", base_url, config: Value::Object(config), credential })
}

/// The values of all these names, or an error that says which are missing.
fn need<'a, const N: usize>(
    values: &'a Values,
    account: &str,
    names: [&str; N],
    remark: &str,
) -> Result<[&'a str; N]> {
    let missing: Vec<&str> = names.into_iter().filter(|name| !values.contains_key(*name)).collect();
    match missing.as_slice() {
        [] => Ok(names.map(|name| values.get(name).map_or("", String::as_str))),
        [one] => bail!("{account}: {one} is missing ({remark})"),
        many => bail!("{account}: {} are missing ({remark})", many.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_kinds_of_file_mean_the_same() {
        let lines = parse("# keys\nexport SHOPIFY_SHOP=acme\nSHOPIFY_ACCESS_TOKEN=\"shpat_1=\"\n").unwrap();
        let object = parse(r#"{"SHOPIFY_SHOP": "acme", "SHOPIFY_ACCESS_TOKEN": "shpat_1="}"#).unwrap();
        assert_eq!(lines, object);
        let found = accounts(&lines).unwrap();
        assert_eq!(found[0].base_url, "https://acme.myshopify.com");
        assert_eq!(found[0].credential["access_token"], "shpat_1=");
    }

    #[test]
    fn a_sandbox_is_written_differently_in_the_address_and_in_the_settings() {
        let text = "NETSUITE_ACCOUNT=1234567_sb1\nNETSUITE_CONSUMER_KEY=a\nNETSUITE_CONSUMER_SECRET=b\n\
                    NETSUITE_TOKEN=c\nNETSUITE_TOKEN_SECRET=d\nNETSUITE_CONFIG={\"price_level_id\": 2}";
        let found = accounts(&parse(text).unwrap()).unwrap();
        assert_eq!(found[0].base_url, "https://1234567-sb1.suitetalk.api.netsuite.com");
        assert_eq!(found[0].config["account_id"], "1234567_SB1");
        assert_eq!(found[0].config["price_level_id"], 2);
    }

    #[test]
    fn a_wrong_name_or_a_missing_part_is_named() {
        let wrong = parse("SHOPIFY_SHPO=acme").unwrap_err();
        assert!(wrong.to_string().contains("SHOPIFY_SHPO"));
        let refusal = |text: &str| accounts(&given(parse(text).unwrap())).err().unwrap().to_string();
        assert_eq!(
            refusal("SHOPIFY_SHOP=acme\nSHOPIFY_CLIENT_ID=1"),
            "acme.myshopify.com: SHOPIFY_CLIENT_SECRET is missing (or SHOPIFY_ACCESS_TOKEN instead)"
        );
        let token = "NETSUITE_ACCOUNT=1\nNETSUITE_TOKEN=a\nNETSUITE_TOKEN_SECRET=b";
        assert!(refusal(token).contains("NETSUITE_CONSUMER_KEY, NETSUITE_CONSUMER_SECRET are missing"));
        assert!(
            refusal("NETSUITE_ACCOUNT=1").contains("NETSUITE_PRIVATE_KEY_FILE are missing (or NETSUITE_CONS")
        );
        assert!(refusal("").contains("neither SHOPIFY_SHOP nor NETSUITE_ACCOUNT"));
    }

    #[test]
    fn a_name_without_a_value_or_an_account_without_a_name_is_no_account() {
        let refusal = |text: &str| accounts(&given(parse(text).unwrap())).err().unwrap().to_string();
        assert!(refusal("SHOPIFY_SHOP=acme\nSHOPIFY_ACCESS_TOKEN=").contains("SHOPIFY_CLIENT_ID"));
        assert!(
            refusal(r#"{"SHOPIFY_SHOP": "acme", "SHOPIFY_ACCESS_TOKEN": null}"#)
                .contains("SHOPIFY_CLIENT_ID")
        );
        assert!(refusal("SHOPIFY_SHOP=").contains("neither"));
        let forgotten = "SHOPIFY_SHOP=acme\nSHOPIFY_ACCESS_TOKEN=t\nNETSUITE_TOKEN=a";
        assert_eq!(refusal(forgotten), "NETSUITE_TOKEN is given, but NETSUITE_ACCOUNT is missing");
    }
}
