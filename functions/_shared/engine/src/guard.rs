//! Which addresses we call. The host's `block_networks` guards what a name resolves to; this guards what is written.

use crate::error::{Error, Result};
use connectors::Connector;
use url::{Host, Url};

/// Checks an integration's base address: `https`, one of the platform's own hosts, no credentials in it, no query.
///
/// `development_host` is the one exception, for simulators: plain `http` to exactly that `host:port`.
pub(crate) fn check(address: &Url, connector: &dyn Connector, development_host: &str) -> Result<()> {
    let refuse = |why: &str| Err(Error::Address(why.to_owned()));
    if connector.hosts().is_empty() {
        // Our own database. No host is called for it, not even in development.
        let own = address.as_str() == connectors::TABLES;
        return if own {
            Ok(())
        } else {
            refuse(&format!("the only address of this platform is {}", connectors::TABLES))
        };
    }
    if !address.username().is_empty() || address.password().is_some() {
        return refuse("it must not contain a user name or password");
    }
    if address.query().is_some() || address.fragment().is_some() {
        return refuse("it must not have a query or a fragment");
    }
    if is_development(address, development_host) {
        return Ok(());
    }
    if address.scheme() != "https" {
        return refuse("it must begin with https://");
    }
    let Some(Host::Domain(host)) = address.host() else {
        return refuse("it must name a host, not a number");
    };
    let own = connector.hosts().iter().any(|pattern| matches(pattern, host, address.port_or_known_default()));
    if own { Ok(()) } else { refuse("it is not an address of this platform") }
}

/// Whether this is the simulators' address.
fn is_development(address: &Url, development_host: &str) -> bool {
    let Some((host, port)) = development_host.rsplit_once(':') else { return false };
    address.scheme() == "http"
        && address.host_str() == Some(host)
        && port.parse::<u16>().is_ok_and(|port| address.port_or_known_default() == Some(port))
}

/// Whether a host fits a pattern of `allowed_outbound_hosts`: `https://api.example.com` or `https://*.example.com`.
fn matches(pattern: &str, host: &str, port: Option<u16>) -> bool {
    let Some(wanted) = pattern.strip_prefix("https://") else { return false };
    if port != Some(443) {
        return false;
    }
    match wanted.strip_prefix("*.") {
        Some(parent) => host.strip_suffix(parent).is_some_and(|sub| sub.len() > 1 && sub.ends_with('.')),
        None => host == wanted,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::Platform;

    fn allowed(address: &str, development_host: &str) -> bool {
        let Ok(address) = Url::parse(address) else { return false };
        check(&address, connectors::of(Platform::Shopify), development_host).is_ok()
    }

    #[test]
    fn a_shop_is_called_and_nothing_that_only_looks_like_one() {
        assert!(allowed("https://acme.myshopify.com", ""));
        for address in [
            "http://acme.myshopify.com",
            "https://myshopify.com",
            "https://acme.myshopify.com.evil.example",
            "https://evilmyshopify.com",
            "https://user:pass@acme.myshopify.com",
            "https://acme.myshopify.com@evil.example",
            "https://acme.myshopify.com:8443",
            "https://acme.myshopify.com?x=1",
            "https://acme.myshopify.com#x",
            "https://127.0.0.1",
            "https://[::1]",
            "https://2130706433",
            "https://0x7f.1",
            "https://localhost",
            "https://169.254.169.254",
            "ftp://acme.myshopify.com",
            "file:///etc/passwd",
            "https://acme.spin.internal",
        ] {
            assert!(!allowed(address, ""), "{address}");
        }
    }

    #[test]
    fn own_tables_have_one_address_and_reach_no_host() {
        let own = |address: &str| {
            check(&Url::parse(address).unwrap(), connectors::of(Platform::Supabase), "127.0.0.1:4100").is_ok()
        };
        assert!(own("supabase://tables"));
        for address in [
            "http://127.0.0.1:4100/shopify/demo",
            "https://acme.myshopify.com",
            "supabase://tables:5432",
            "supabase://tables/x",
            "supabase://u@tables",
            "supabase://other",
            "https://tables",
        ] {
            assert!(!own(address), "{address}");
        }
        assert!(!allowed("supabase://tables", "127.0.0.1:4100"));
    }

    #[test]
    fn the_simulators_are_called_only_where_the_deployment_names_them() {
        assert!(allowed("http://127.0.0.1:4100/shopify/demo", "127.0.0.1:4100"));
        for (address, development_host) in [
            ("http://127.0.0.1:4100/shopify/demo", ""),
            ("http://127.0.0.1:4101/shopify/demo", "127.0.0.1:4100"),
            ("http://localhost:4100/shopify/demo", "127.0.0.1:4100"),
            ("http://u@127.0.0.1:4100/", "127.0.0.1:4100"),
        ] {
            assert!(!allowed(address, development_host), "{address}");
        }
    }
}
