//! Values of the application's variables, and the templates over them.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Result, bail};

use crate::manifest::Manifest;

/// The value of every variable of the application; `None` where nobody gave one.
#[derive(Debug, Clone, Default)]
pub struct Variables(BTreeMap<String, Option<String>>);

/// Why a template has no value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TemplateError {
    /// The braces do not match, or an expression is not a name.
    #[error("invalid template {0:?}")]
    Syntax(String),
    /// The template names a variable that the manifest does not define.
    #[error("no variable {0:?}")]
    Unknown(String),
    /// The variable exists and has no value.
    #[error("no provider resolved {0:?}")]
    Unresolved(String),
}

impl Variables {
    /// Collects the values. The first of these wins: `given`, the environment variable `SPIN_VARIABLE_<NAME>`, the same
    /// line in `dotenv` (a file in the current directory of the host, not of the manifest), the manifest's default.
    ///
    /// # Errors
    /// When a required variable has no value: the application does not start.
    pub fn collect(manifest: &Manifest, given: &BTreeMap<String, String>, dotenv: &Path) -> Result<Self> {
        let file = read_dotenv(dotenv);
        let mut values = BTreeMap::new();
        for (name, variable) in &manifest.variables {
            let key = format!("SPIN_VARIABLE_{}", name.to_uppercase());
            let value = given
                .get(name)
                .cloned()
                .or_else(|| std::env::var(&key).ok())
                .or_else(|| file.get(&key).cloned())
                .or_else(|| variable.default.clone());
            if value.is_none() && variable.required {
                bail!("the required variable {name:?} has no value (pass it, or set {key})");
            }
            values.insert(name.clone(), value);
        }
        Ok(Self(values))
    }

    /// Whether every variable has a value. On Spin a single one without blocks all outbound calls of the application.
    ///
    /// # Errors
    /// Names the first variable without a value.
    pub fn all_resolved(&self) -> Result<(), TemplateError> {
        match self.0.iter().find(|(_, value)| value.is_none()) {
            Some((name, _)) => Err(TemplateError::Unresolved(name.clone())),
            None => Ok(()),
        }
    }

    /// Replaces each `{{ name }}` in `template` by its value.
    ///
    /// # Errors
    /// When the template is malformed or names a variable without a value.
    pub fn render(&self, template: &str) -> Result<String, TemplateError> {
        let mut text = String::with_capacity(template.len());
        let mut rest = template;
        while let Some((before, after)) = rest.split_once("{{") {
            text.push_str(before);
            let (name, tail) =
                after.split_once("}}").ok_or_else(|| TemplateError::Syntax(template.to_owned()))?;
            let name = name.trim();
            match self.0.get(name) {
                Some(Some(value)) => text.push_str(value),
                Some(None) => return Err(TemplateError::Unresolved(name.to_owned())),
                None => return Err(TemplateError::Unknown(name.to_owned())),
            }
            rest = tail;
        }
        text.push_str(rest);
        Ok(text)
    }
}

/// Checks a name against Spin's rule: a lower-case letter, then lower-case letters, digits and single underscores.
///
/// # Errors
/// When the name breaks the rule.
pub fn check_name(name: &str) -> Result<()> {
    let fits = name.starts_with(|c: char| c.is_ascii_lowercase())
        && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
        && !name.contains("__")
        && !name.ends_with('_');
    if fits { Ok(()) } else { bail!("{name:?} is not a name of a variable") }
}

/// Reads `KEY=value` lines; a missing file has none. Quotes around a value are taken off.
fn read_dotenv(path: &Path) -> BTreeMap<String, String> {
    let text = std::fs::read_to_string(path).unwrap_or_default();
    let lines = text.lines().map(str::trim).filter(|line| !line.starts_with('#'));
    let pairs = lines.filter_map(|line| line.trim_start_matches("export ").split_once('='));
    pairs
        .map(|(key, value)| {
            let value = value.trim();
            let bare = ['"', '\''].iter().find_map(|q| value.strip_prefix(*q)?.strip_suffix(*q));
            (key.trim().to_owned(), bare.unwrap_or(value).to_owned())
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn variables(pairs: &[(&str, Option<&str>)]) -> Variables {
        Variables(pairs.iter().map(|(k, v)| ((*k).to_owned(), v.map(str::to_owned))).collect())
    }

    fn manifest(variables: &str) -> Manifest {
        Manifest::parse(&format!(
            "spin_manifest_version = 2\napplication = {{ name = \"x\" }}\ntrigger = {{ http = [] }}\n[variables]\n{variables}"
        ))
        .unwrap()
    }

    #[test]
    fn a_template_is_filled_with_and_without_blanks() {
        let values = variables(&[("host", Some("db")), ("port", Some("5432"))]);
        assert_eq!(values.render("postgres://{{ host }}:{{port}}").unwrap(), "postgres://db:5432");
        assert_eq!(values.render("plain").unwrap(), "plain");
    }

    #[test]
    fn a_template_over_a_missing_value_is_an_error_and_so_is_an_unknown_name() {
        let values = variables(&[("empty", Some("")), ("none", None)]);
        assert_eq!(values.render("{{ empty }}").unwrap(), "");
        assert_eq!(values.render("{{ none }}"), Err(TemplateError::Unresolved("none".into())));
        assert_eq!(values.render("{{ other }}"), Err(TemplateError::Unknown("other".into())));
        assert_eq!(values.render("{{ open"), Err(TemplateError::Syntax("{{ open".into())));
        assert!(values.all_resolved().is_err());
    }

    #[test]
    fn a_given_value_beats_the_file_and_the_file_beats_the_default() {
        let file = std::env::temp_dir().join(format!("syncline-dotenv-{}", std::process::id()));
        std::fs::write(&file, "# note\nSPIN_VARIABLE_B=\"from file\"\nSPIN_VARIABLE_A=file\n").unwrap();
        let manifest = manifest("a = { default = \"1\" }\nb = { default = \"2\" }\nc = { default = \"3\" }");
        let given = BTreeMap::from([("a".to_owned(), "given".to_owned())]);
        let values = Variables::collect(&manifest, &given, &file).unwrap();
        std::fs::remove_file(&file).unwrap();
        assert_eq!(values.render("{{ a }},{{ b }},{{ c }}").unwrap(), "given,from file,3");
    }

    #[test]
    fn a_required_variable_without_a_value_stops_the_start() {
        let error =
            Variables::collect(&manifest("must = { required = true }"), &BTreeMap::new(), Path::new(""))
                .unwrap_err();
        assert!(error.to_string().contains("SPIN_VARIABLE_MUST"));
    }

    #[test]
    fn names_follow_the_rule_of_spin() {
        for good in ["a", "a1", "a_b"] {
            assert!(check_name(good).is_ok(), "{good}");
        }
        for bad in ["", "A", "1a", "a__b", "a_", "a-b", "_a"] {
            assert!(check_name(bad).is_err(), "{bad}");
        }
    }
}
