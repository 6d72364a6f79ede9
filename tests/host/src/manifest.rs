//! `spin.toml` (manifest version 2) and `runtime-config.toml`, as far as Syncline uses them.
//!
//! Vendor pages: <https://spinframework.dev/v3/manifest-reference> and
//! <https://spinframework.dev/v3/dynamic-configuration>.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use serde::Deserialize;

/// The manifest of an application.
#[derive(Debug, Clone, Deserialize)]
pub struct Manifest {
    /// Version of the manifest's own format; only 2 is understood.
    spin_manifest_version: u32,
    /// Name and version of the application.
    pub application: Application,
    /// Variables of the application, by name.
    #[serde(default)]
    pub variables: BTreeMap<String, Variable>,
    /// What starts a component.
    pub trigger: Triggers,
    /// The components, by name.
    #[serde(default)]
    pub component: BTreeMap<String, Component>,
}

/// The `[application]` table.
#[derive(Debug, Clone, Deserialize)]
pub struct Application {
    /// Name of the application.
    pub name: String,
}

/// One entry of `[variables]`.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct Variable {
    /// The value when nobody gives one.
    pub default: Option<String>,
    /// Whether a missing value stops the start.
    #[serde(default)]
    pub required: bool,
    /// Whether the value must not be shown.
    #[serde(default)]
    pub secret: bool,
}

/// The `[[trigger.http]]` tables.
#[derive(Debug, Clone, Deserialize)]
pub struct Triggers {
    /// Routes, in the order of the file.
    #[serde(default)]
    pub http: Vec<Trigger>,
}

/// One route and what answers it.
#[derive(Debug, Clone, Deserialize)]
pub struct Trigger {
    /// Which paths.
    pub route: Route,
    /// Name of the component that answers.
    pub component: Option<String>,
    /// The answer itself, in place of a component.
    pub static_response: Option<StaticResponse>,
}

/// A path pattern, or a component that cannot be reached from outside.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
pub enum Route {
    /// A pattern such as `/functions/v1/live` or `/functions/v1/x/...`.
    Path(String),
    /// `{ private = true }`.
    Private {
        /// Always true.
        private: bool,
    },
}

/// An answer that needs no component.
#[derive(Debug, Clone, Deserialize)]
pub struct StaticResponse {
    /// HTTP status, 200 unless given.
    #[serde(default = "ok_status")]
    pub status_code: u16,
    /// Headers to send.
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    /// The body as text.
    #[serde(default)]
    pub body: String,
}

fn ok_status() -> u16 {
    200
}

/// One `[component.NAME]` table.
#[derive(Debug, Clone, Deserialize)]
pub struct Component {
    /// The `.wasm` file, relative to the manifest.
    pub source: PathBuf,
    /// Patterns of the addresses it may call.
    #[serde(default)]
    pub allowed_outbound_hosts: Vec<String>,
    /// What it can read through `spin:variables`, as templates over the application's variables.
    #[serde(default)]
    pub variables: BTreeMap<String, String>,
    /// Environment variables of the guest.
    #[serde(default)]
    pub environment: BTreeMap<String, String>,
}

impl Manifest {
    /// Reads and checks the manifest at `path`.
    ///
    /// # Errors
    /// When the file cannot be read, is not version 2, or a route names a component that does not exist.
    pub fn read(path: &Path) -> Result<Self> {
        let text =
            std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
        Self::parse(&text).with_context(|| format!("in {}", path.display()))
    }

    /// Parses the text of a manifest; see [`Manifest::read`].
    ///
    /// # Errors
    /// As [`Manifest::read`].
    pub fn parse(text: &str) -> Result<Self> {
        let manifest: Self = toml::from_str(text)?;
        if manifest.spin_manifest_version != 2 {
            bail!("spin_manifest_version is {}, only 2 is supported", manifest.spin_manifest_version);
        }
        for name in manifest.variables.keys() {
            crate::variables::check_name(name)?;
        }
        for trigger in &manifest.trigger.http {
            match (&trigger.component, &trigger.static_response) {
                (Some(name), None) if manifest.component.contains_key(name) => {}
                (Some(name), None) => bail!("route {:?} names the unknown component {name:?}", trigger.route),
                (None, Some(_)) => {}
                _ => bail!("route {:?} needs either a component or a static_response", trigger.route),
            }
        }
        Ok(manifest)
    }
}

/// The runtime configuration: what the operator of a host decides.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct RuntimeConfig {
    /// Limits on where components may connect to.
    #[serde(default)]
    pub outbound_networking: OutboundNetworking,
    /// Limits of the Postgres client.
    #[serde(default)]
    pub outbound_pg: OutboundPg,
    /// Limits of the HTTP client; `None` when the table is absent.
    pub outbound_http: Option<OutboundHttp>,
}

/// `[outbound_networking]`.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct OutboundNetworking {
    /// Networks no component may reach over HTTP, or the word `private`.
    #[serde(default)]
    pub block_networks: Vec<String>,
}

/// `[outbound_pg]`.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct OutboundPg {
    /// How many connections may be in use over the whole application.
    pub max_connections: Option<usize>,
}

/// `[outbound_http]`.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct OutboundHttp {
    /// How many requests may be on their way over the whole application.
    pub max_connections: Option<usize>,
    /// Whether connections are kept for the next request. Off when the table is written without it.
    #[serde(default)]
    pub connection_pooling: bool,
}

impl RuntimeConfig {
    /// Reads the file at `path`; without one, nothing is limited.
    ///
    /// # Errors
    /// When the file cannot be read or parsed.
    pub fn read(path: Option<&Path>) -> Result<Self> {
        let Some(path) = path else { return Ok(Self::default()) };
        let text =
            std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
        toml::from_str(&text).with_context(|| format!("in {}", path.display()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SMALL: &str = r#"
        spin_manifest_version = 2
        [application]
        name = "small"
        [variables]
        database_url = { required = true, secret = true }
        greeting = { default = "hello" }
        [[trigger.http]]
        route = "/hello/..."
        component = "hello"
        [[trigger.http]]
        route = { private = true }
        component = "hello"
        [[trigger.http]]
        route = "/robots.txt"
        static_response = { body = "no" }
        [component.hello]
        source = "hello.wasm"
        allowed_outbound_hosts = ["postgres://{{ host }}:5432"]
        [component.hello.variables]
        greeting = "{{ greeting }} world"
        [component.hello.build]
        command = "cargo build"
    "#;

    #[test]
    fn a_manifest_is_read_with_routes_of_all_three_kinds() {
        let manifest = Manifest::parse(SMALL).unwrap();
        assert!(manifest.variables["database_url"].required);
        assert_eq!(manifest.trigger.http.len(), 3);
        assert!(matches!(manifest.trigger.http[1].route, Route::Private { private: true }));
        assert_eq!(manifest.trigger.http[2].static_response.as_ref().unwrap().status_code, 200);
        assert_eq!(manifest.component["hello"].variables["greeting"], "{{ greeting }} world");
    }

    #[test]
    fn a_route_to_an_unknown_component_is_refused() {
        let text = SMALL.replace("component = \"hello\"", "component = \"nobody\"");
        assert!(Manifest::parse(&text).unwrap_err().to_string().contains("nobody"));
    }

    #[test]
    fn writing_the_http_table_switches_pooling_off() {
        let config: RuntimeConfig = toml::from_str("[outbound_http]\nmax_connections = 3").unwrap();
        let http = config.outbound_http.unwrap();
        assert_eq!((http.max_connections, http.connection_pooling), (Some(3), false));
    }
}
