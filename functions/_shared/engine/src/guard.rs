//! Which addresses we call. The host's `block_networks` guards what a name resolves to; this guards what is written.

use crate::error::{Error, Result};
use connectors::Connector;
use url::{Host, Url};

/// The hosts that the deployment names.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Hosts<'a> {
    /// Simulators: plain `http` to exactly this `host:port`. Usually empty.
    pub(crate) development: &'a str,
    /// What stands for `{{ n8n_host }}`: a host, with a port where it is not 443, or a pattern. Empty: none.
    pub(crate) n8n: &'a str,
}

/// Checks an integration's base address: `https`, one of the platform's own hosts, no credentials in it, no query.
pub(crate) fn check(address: &Url, connector: &dyn Connector, hosts: Hosts<'_>) -> Result<()> {
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
    if is_development(address, hosts.development) {
        return Ok(());
    }
    if address.scheme() != "https" {
        return refuse("it must begin with https://");
    }
    let Some(Host::Domain(host)) = address.host() else {
        return refuse("it must name a host, not a number");
    };
    let port = address.port_or_known_default();
    let fits = |pattern: &&str| matches(&pattern.replace(N8N, hosts.n8n), host, port);
    if connector.hosts().iter().any(fits) {
        return Ok(());
    }
    if connector.hosts().iter().any(|pattern| pattern.contains(N8N)) {
        return refuse(
            "this deployment may not call that host; its operator names it in the variable `n8n_host`",
        );
    }
    refuse("it is not an address of this platform")
}

/// What stands in a connector's hosts for those that the deployment names.
const N8N: &str = "{{ n8n_host }}";

/// Names that mean a machine of the host's own network, wherever they are looked up.
const INTERNAL: [&str; 5] = ["localhost", "internal", "local", "lan", "home"];

/// Whether this is the simulators' address.
fn is_development(address: &Url, development_host: &str) -> bool {
    let Some((host, port)) = development_host.rsplit_once(':') else { return false };
    address.scheme() == "http"
        && address.host_str() == Some(host)
        && port.parse::<u16>().is_ok_and(|port| address.port_or_known_default() == Some(port))
}

/// Whether a host fits a pattern of `allowed_outbound_hosts`: `https://api.example.com`, `https://api.example.com:8443`,
/// `https://*.example.com`, or `https://*` for any name that is not of an own network.
fn matches(pattern: &str, host: &str, port: Option<u16>) -> bool {
    let Some(wanted) = pattern.strip_prefix("https://") else { return false };
    let (wanted, wanted_port) = match wanted.rsplit_once(':') {
        Some((wanted, port)) => (wanted, port.parse().ok()),
        None => (wanted, Some(443)),
    };
    if wanted_port.is_none() || port != wanted_port {
        return false;
    }
    if wanted == "*" {
        let top = host.trim_end_matches('.').rsplit('.').next().unwrap_or_default();
        return host.contains('.') && !INTERNAL.contains(&top);
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

    fn hosts<'a>(development: &'a str, n8n: &'a str) -> Hosts<'a> {
        Hosts { development, n8n }
    }

    #[test]
    fn an_n8n_server_is_called_where_the_deployment_names_it_and_nowhere_inside() {
        let called = |address: &str, n8n: &str| {
            let address = Url::parse(address).unwrap();
            check(&address, connectors::of(Platform::N8n), hosts("", n8n)).is_ok()
        };
        for (address, n8n) in [
            ("https://n8n.example.com", "n8n.example.com"),
            ("https://n8n.example.com/api/v1", "n8n.example.com"),
            ("https://n8n.example.com:5678/api/v1", "n8n.example.com:5678"),
            ("https://a.n8n.cloud", "*.n8n.cloud"),
            ("https://n8n.example.com", "*"),
        ] {
            assert!(called(address, n8n), "{address} {n8n}");
        }
        for (address, n8n) in [
            ("https://n8n.example.com", ""),
            ("https://n8n.example.com:5678", "n8n.example.com"),
            ("https://n8n.example.com", "n8n.example.com:soon"),
            ("http://n8n.example.com", "n8n.example.com"),
            ("https://other.example.com", "n8n.example.com"),
            ("https://localhost", "*"),
            ("https://n8n.localhost", "*"),
            ("https://n8n.internal", "*"),
            ("https://n8n.internal.", "*"),
            ("https://n8n", "*"),
            ("https://10.0.0.1", "*"),
            ("https://[fd00::1]", "*"),
            ("https://n8n.example.com:8443", "*"),
        ] {
            assert!(!called(address, n8n), "{address} {n8n}");
        }
    }

    fn allowed(address: &str, development_host: &str) -> bool {
        let Ok(address) = Url::parse(address) else { return false };
        check(&address, connectors::of(Platform::Shopify), hosts(development_host, "")).is_ok()
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
            let hosts = hosts("127.0.0.1:4100", "*");
            check(&Url::parse(address).unwrap(), connectors::of(Platform::Supabase), hosts).is_ok()
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
