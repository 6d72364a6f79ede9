//! Which addresses a component may call: `allowed_outbound_hosts` of its own, `block_networks` of the whole host.

use std::net::IpAddr;

use anyhow::{Context, Result, bail};
use ip_network::IpNetwork;

use crate::variables::Variables;

/// The patterns of one component.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AllowedHosts(Vec<Pattern>);

#[derive(Debug, Clone, PartialEq, Eq)]
struct Pattern {
    /// `None` is `*`.
    scheme: Option<String>,
    host: Host,
    port: Port,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Host {
    Any,
    /// `*.example.com`, kept with its leading dot.
    Subdomains(String),
    /// The application itself; never matches an absolute address.
    Own,
    Network(IpNetwork),
    Name(String),
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Port {
    Any,
    One(u16),
    /// The end does not belong to it.
    Range(u16, u16),
}

impl AllowedHosts {
    /// Fills in the templates and parses the patterns. A pattern whose templates come out empty is skipped.
    ///
    /// # Errors
    /// When any variable of the application has no value (which, on Spin, blocks every outbound call), or when a
    /// pattern has no scheme, a path, a list, or a star in the wrong place.
    pub fn resolve(patterns: &[String], variables: &Variables) -> Result<Self> {
        variables.all_resolved()?;
        let mut parsed = Vec::with_capacity(patterns.len());
        for pattern in patterns {
            let text = variables.render(pattern)?;
            let was_template = text != *pattern;
            if was_template && matches!(text.as_str(), "" | "http://" | "https://") {
                continue;
            }
            parsed.push(Pattern::parse(&text).with_context(|| format!("allowed_outbound_hosts: {text:?}"))?);
        }
        Ok(Self(parsed))
    }

    /// Whether `scheme://host[:port]` is on the list. `localhost` and `127.0.0.1` are different hosts here.
    pub fn allows(&self, scheme: &str, host: &str, port: Option<u16>) -> bool {
        self.0.iter().any(|pattern| pattern.allows(scheme, host, port))
    }
}

impl Pattern {
    fn parse(text: &str) -> Result<Self> {
        let text = text.trim();
        let (scheme, rest) = text.split_once("://").context("has no scheme; write `https://` or `*://`")?;
        let (host, port) = rest.rsplit_once(':').unwrap_or((rest, ""));
        let (port, path) = port.split_once('/').unwrap_or((port, ""));
        if !path.is_empty() {
            bail!("has a path");
        }
        if scheme != "*" && (scheme.is_empty() || scheme.chars().any(|c| !c.is_alphabetic())) {
            bail!("has an unusable scheme");
        }
        Ok(Self {
            scheme: (scheme != "*").then(|| scheme.to_owned()),
            host: Host::parse(host.trim())?,
            port: Port::parse(port, scheme)?,
        })
    }

    fn allows(&self, scheme: &str, host: &str, port: Option<u16>) -> bool {
        let scheme_fits = self.scheme.as_deref().is_none_or(|own| own == scheme);
        let host_fits = match &self.host {
            Host::Any => true,
            Host::Own => false,
            Host::Subdomains(suffix) => host.ends_with(suffix),
            Host::Name(name) => name == host,
            Host::Network(network) => {
                bare_address(host).parse::<IpAddr>().is_ok_and(|address| network.contains(address))
            }
        };
        let port = port.or_else(|| default_port(scheme));
        let port_fits = match self.port {
            Port::Any => true,
            Port::One(own) => port == Some(own),
            Port::Range(from, to) => port.is_some_and(|port| (from..to).contains(&port)),
        };
        scheme_fits && host_fits && port_fits
    }
}

impl Host {
    fn parse(host: &str) -> Result<Self> {
        if host == "*" {
            return Ok(Self::Any);
        }
        if host == "self" || host == "self.alt" {
            return Ok(Self::Own);
        }
        if host.starts_with('{') {
            bail!("has a list of hosts");
        }
        if let Ok(network) = IpNetwork::from_str_truncate(host) {
            return Ok(Self::Network(network));
        }
        let host = host.trim_end_matches('/');
        if host.contains('/') {
            bail!("has a path");
        }
        let (name, wild) = match host.strip_prefix("*.") {
            Some(name) => (name, true),
            None => (host, false),
        };
        if name.contains('*') {
            bail!("has a star that is not the first label");
        }
        Ok(if wild { Self::Subdomains(format!(".{name}")) } else { Self::Name(name.to_owned()) })
    }
}

impl Port {
    fn parse(port: &str, scheme: &str) -> Result<Self> {
        if port == "*" {
            return Ok(Self::Any);
        }
        if port.is_empty() {
            let known = default_port(scheme).context("has no port, and the scheme has no usual one")?;
            return Ok(Self::One(known));
        }
        match port.split_once("..") {
            Some((from, to)) => Ok(Self::Range(number(from)?, number(to)?)),
            None => number(port).map(Self::One),
        }
    }
}

fn number(port: &str) -> Result<u16> {
    port.parse().with_context(|| format!("{port:?} is not a port"))
}

/// The port of an address that names none.
fn default_port(scheme: &str) -> Option<u16> {
    match scheme {
        "http" => Some(80),
        "https" => Some(443),
        "postgres" => Some(5432),
        _ => None,
    }
}

/// An IPv6 literal without its brackets; anything else as it is.
pub(crate) fn bare_address(host: &str) -> &str {
    host.strip_prefix('[').and_then(|h| h.strip_suffix(']')).unwrap_or(host)
}

/// The networks that no component may reach over HTTP, judged on the resolved address.
#[derive(Debug, Clone, Default)]
pub struct BlockList {
    networks: Vec<IpNetwork>,
    private: bool,
    /// `host:port` pairs that a development host lets through all the same (simulators on this machine).
    exempt: Vec<String>,
}

impl BlockList {
    /// Parses `block_networks` and the exempt `host:port` pairs.
    ///
    /// # Errors
    /// When an entry is neither `private` nor a network or an address.
    pub fn parse(networks: &[String], exempt: &[String]) -> Result<Self> {
        let mut list = Self { exempt: exempt.to_vec(), ..Self::default() };
        for text in networks {
            if text == "private" {
                list.private = true;
            } else {
                let network = IpNetwork::from_str_truncate(text)
                    .map_err(|error| anyhow::anyhow!("block_networks: {text:?}: {error}"))?;
                list.networks.push(network);
            }
        }
        Ok(list)
    }

    /// Whether a connection to `address` is forbidden, which the request named as `host:port`.
    ///
    /// `private` means "not globally reachable" as the `ip_network` crate has it; like Spin it does not cover NAT64,
    /// 6to4, Teredo and multicast ranges, so a host must list those itself.
    pub fn blocks(&self, host: &str, port: u16, address: IpAddr) -> bool {
        if self.exempt.iter().any(|pair| *pair == format!("{host}:{port}")) {
            return false;
        }
        // An IPv4 address in IPv6 clothing is the IPv4 address to the kernel.
        let plain = address.to_canonical();
        let hit = |address: IpAddr| {
            self.networks.iter().any(|network| network.contains(address))
                || (self.private && !IpNetwork::from(address).is_global())
        };
        hit(address) || hit(plain)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allowed(patterns: &[&str]) -> AllowedHosts {
        let patterns: Vec<String> = patterns.iter().map(|p| (*p).to_owned()).collect();
        AllowedHosts::resolve(&patterns, &Variables::default()).unwrap()
    }

    #[test]
    fn localhost_and_its_address_are_two_hosts() {
        let name = allowed(&["postgres://localhost:5432"]);
        assert!(name.allows("postgres", "localhost", None));
        assert!(!name.allows("postgres", "127.0.0.1", Some(5432)));
        let address = allowed(&["http://127.0.0.1"]);
        assert!(address.allows("http", "127.0.0.1", None));
        assert!(!address.allows("http", "localhost", Some(80)));
    }

    #[test]
    fn the_port_must_match_or_be_the_usual_one() {
        let hosts = allowed(&["https://a.example", "http://b.example:8080", "postgres://c:5432..5434"]);
        assert!(hosts.allows("https", "a.example", Some(443)));
        assert!(!hosts.allows("https", "a.example", Some(8443)));
        assert!(!hosts.allows("http", "b.example", None));
        assert!(hosts.allows("postgres", "c", Some(5433)));
        assert!(!hosts.allows("postgres", "c", Some(5434)));
    }

    #[test]
    fn a_star_covers_subdomains_but_not_the_domain_itself() {
        let hosts = allowed(&["https://*.example.com"]);
        assert!(hosts.allows("https", "a.example.com", None));
        assert!(hosts.allows("https", "a.b.example.com", None));
        assert!(!hosts.allows("https", "example.com", None));
        assert!(!hosts.allows("https", "evilexample.com", None));
    }

    #[test]
    fn networks_and_the_all_pattern_work() {
        let network = allowed(&["postgres://10.0.0.0/8:5432"]);
        assert!(network.allows("postgres", "10.1.2.3", None));
        assert!(!network.allows("postgres", "11.1.2.3", None));
        assert!(allowed(&["*://*:*"]).allows("https", "anything.example", Some(9)));
        assert!(!allowed(&["http://self"]).allows("http", "self", None));
    }

    #[test]
    fn malformed_patterns_are_refused() {
        for bad in
            ["*", "example.com", "https://a/b", "https://{a,b}", "https://a*b", "ftp://a", "http://a:x"]
        {
            assert!(Pattern::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn an_empty_template_is_skipped() {
        let manifest = crate::manifest::Manifest::parse(
            "spin_manifest_version = 2\napplication = { name = \"x\" }\ntrigger = { http = [] }\n[variables]\nh = { default = \"\" }",
        )
        .unwrap();
        let none = std::collections::BTreeMap::new();
        let variables = Variables::collect(&manifest, &none, std::path::Path::new("")).unwrap();
        let hosts = AllowedHosts::resolve(&["http://{{ h }}".to_owned()], &variables).unwrap();
        assert_eq!(hosts, AllowedHosts::default());
    }

    #[test]
    fn private_blocks_every_spelling_that_reaches_this_machine_or_its_network() {
        let list = BlockList::parse(&["private".to_owned()], &[]).unwrap();
        for inside in [
            "127.0.0.1",
            "127.1.2.3",
            "10.0.0.1",
            "172.16.0.1",
            "192.168.1.1",
            "169.254.169.254",
            "0.0.0.0",
            "100.64.0.1",
            "::1",
            "::",
            "fe80::1",
            "fc00::1",
            "::ffff:127.0.0.1",
            "::ffff:169.254.169.254",
        ] {
            assert!(list.blocks("x", 80, inside.parse().unwrap()), "{inside}");
        }
        assert!(!list.blocks("x", 80, "93.184.216.34".parse().unwrap()));
        assert!(!list.blocks("x", 80, "2606:2800:220:1::1".parse().unwrap()));
    }

    #[test]
    fn tunnelled_spellings_need_their_own_entries_as_on_spin() {
        let private = BlockList::parse(&["private".to_owned()], &[]).unwrap();
        let listed = BlockList::parse(&["64:ff9b::/96".to_owned(), "2002::/16".to_owned()], &[]).unwrap();
        for tunnel in ["64:ff9b::7f00:1", "2002:7f00:1::"] {
            assert!(!private.blocks("x", 80, tunnel.parse().unwrap()), "{tunnel}");
            assert!(listed.blocks("x", 80, tunnel.parse().unwrap()), "{tunnel}");
        }
    }

    #[test]
    fn an_exempt_pair_is_let_through_and_its_neighbour_port_is_not() {
        let list = BlockList::parse(&["private".to_owned()], &["127.0.0.1:4000".to_owned()]).unwrap();
        let loopback = "127.0.0.1".parse().unwrap();
        assert!(!list.blocks("127.0.0.1", 4000, loopback));
        assert!(list.blocks("127.0.0.1", 4001, loopback));
        assert!(list.blocks("localhost", 4000, loopback));
    }

    #[test]
    fn nonsense_in_the_block_list_stops_the_start() {
        assert!(BlockList::parse(&["inside".to_owned()], &[]).is_err());
    }
}
