//! From a path to the component that answers it, and the `spin-*` headers that tell the component how.

use http::HeaderValue;
use http::header::{HeaderMap, HeaderName};

/// One piece of a pattern between two slashes.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Segment {
    Literal(String),
    Parameter(String),
}

/// A parsed pattern.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Pattern {
    raw: String,
    segments: Vec<Segment>,
    /// Whether anything may follow (`/...` or `/*`).
    open: bool,
}

/// What a path matched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Match<'a, T> {
    /// The target that was registered with the pattern.
    pub target: &'a T,
    pattern: &'a Pattern,
    parameters: Vec<(&'a str, String)>,
    rest: String,
}

/// All routes of an application.
#[derive(Debug, Clone)]
pub struct Routes<T>(Vec<(Pattern, T)>);

impl<T> Default for Routes<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T> Routes<T> {
    /// Adds `route`; a pattern that is already there is replaced, as on Spin. Returns whether it was.
    pub fn add(&mut self, route: &str, target: T) -> bool {
        let pattern = Pattern::parse(route);
        let before = self.0.len();
        self.0.retain(|(known, _)| known.segments != pattern.segments || known.open != pattern.open);
        let replaced = self.0.len() < before;
        self.0.push((pattern, target));
        replaced
    }

    /// Finds the best route for a raw path: an exact one before one with parameters before an open one, longer first.
    pub fn find(&self, path: &str) -> Option<Match<'_, T>> {
        let hits = self.0.iter().filter_map(|(pattern, target)| {
            let (parameters, rest) = pattern.match_path(path)?;
            Some(Match { target, pattern, parameters, rest })
        });
        hits.max_by_key(|hit| {
            let literals = |s: &Segment| matches!(s, Segment::Literal(_));
            (
                !hit.pattern.open,
                hit.pattern.segments.len(),
                hit.pattern.segments.iter().filter(|s| literals(s)).count(),
            )
        })
    }
}

impl Pattern {
    fn parse(route: &str) -> Self {
        let trimmed = route.trim_start_matches('/').trim_end_matches('/');
        let (body, open) = match trimmed.strip_suffix("...").or_else(|| trimmed.strip_suffix('*')) {
            Some(body) => (body.trim_end_matches('/'), true),
            None => (trimmed, false),
        };
        let segments = if body.is_empty() { Vec::new() } else { body.split('/').map(segment).collect() };
        Self { raw: route.to_owned(), segments, open }
    }

    fn match_path(&self, path: &str) -> Option<(Vec<(&str, String)>, String)> {
        let mut rest = Some(path.trim_start_matches('/').trim_end_matches('/')).filter(|p| !p.is_empty());
        let mut parameters = Vec::new();
        for segment in &self.segments {
            let (head, tail) = match rest?.split_once('/') {
                Some((head, tail)) => (head, Some(tail)),
                None => (rest?, None),
            };
            match segment {
                Segment::Literal(text) if text == head => {}
                Segment::Literal(_) => return None,
                Segment::Parameter(name) => parameters.push((name.as_str(), head.to_owned())),
            }
            rest = tail;
        }
        match rest {
            None if !self.open => Some((parameters, String::new())),
            Some(_) if !self.open => None,
            _ => Some((parameters, self.path_after(path))),
        }
    }

    /// What follows the fixed part, with its leading slash and a trailing one as received.
    fn path_after(&self, path: &str) -> String {
        let mut rest = path;
        for _ in &self.segments {
            let inner = rest.strip_prefix('/').unwrap_or(rest);
            rest = inner.find('/').map_or("", |at| inner.get(at..).unwrap_or(""));
        }
        rest.to_owned()
    }
}

fn segment(text: &str) -> Segment {
    match text.strip_prefix(':') {
        Some(name) => Segment::Parameter(name.to_owned()),
        None => Segment::Literal(text.to_owned()),
    }
}

impl<T> Match<'_, T> {
    /// Appends the host's headers. They are *appended*, so a client's own header of the same name stays in front of
    /// them and a component that takes the first value can be deceived; it must take the last.
    pub fn append_headers(&self, headers: &mut HeaderMap, full_url: &str, client: &str) {
        let raw = self.pattern.raw.as_str();
        let component_route = raw.strip_suffix("/...").or_else(|| raw.strip_suffix("/*")).unwrap_or(raw);
        let fixed = [
            ("spin-full-url", full_url),
            ("spin-path-info", &self.rest),
            ("spin-matched-route", raw),
            ("spin-raw-component-route", raw),
            ("spin-component-route", component_route),
            ("spin-base-path", "/"),
            ("spin-client-addr", client),
        ];
        for (name, value) in fixed {
            append(headers, name, value);
        }
        for (name, value) in &self.parameters {
            append(headers, &format!("spin-path-match-{}", name.replace('_', "-").to_lowercase()), value);
        }
    }
}

fn append(headers: &mut HeaderMap, name: &str, value: &str) {
    if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::try_from(value)) {
        headers.append(name, value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn routes(patterns: &[&str]) -> Routes<String> {
        let mut routes = Routes::default();
        for pattern in patterns {
            routes.add(pattern, (*pattern).to_owned());
        }
        routes
    }

    fn hit(routes: &Routes<String>, path: &str) -> Option<String> {
        routes.find(path).map(|found| found.target.clone())
    }

    #[test]
    fn an_exact_route_also_matches_with_a_trailing_slash_and_nothing_longer() {
        let routes = routes(&["/x"]);
        assert_eq!(hit(&routes, "/x").as_deref(), Some("/x"));
        assert_eq!(hit(&routes, "/x/").as_deref(), Some("/x"));
        assert_eq!(hit(&routes, "/x/y"), None);
        assert_eq!(hit(&routes, "/X"), None);
    }

    #[test]
    fn an_open_route_matches_itself_and_everything_below() {
        let routes = routes(&["/x/...", "/"]);
        for path in ["/x", "/x/", "/x/y", "/x/y/z"] {
            assert_eq!(hit(&routes, path).as_deref(), Some("/x/..."), "{path}");
        }
        assert_eq!(hit(&routes, "/xy"), None);
        assert_eq!(hit(&routes, "/").as_deref(), Some("/"));
    }

    #[test]
    fn exact_beats_open_and_the_longer_prefix_wins() {
        let routes = routes(&["/...", "/a/...", "/a/b/...", "/a/b", "/a/:id"]);
        assert_eq!(hit(&routes, "/a/b").as_deref(), Some("/a/b"));
        assert_eq!(hit(&routes, "/a/c").as_deref(), Some("/a/:id"));
        assert_eq!(hit(&routes, "/a/b/c").as_deref(), Some("/a/b/..."));
        assert_eq!(hit(&routes, "/a/c/d").as_deref(), Some("/a/..."));
        assert_eq!(hit(&routes, "/z").as_deref(), Some("/..."));
    }

    #[test]
    fn a_parameter_takes_one_segment_even_an_empty_one() {
        let routes = routes(&["/p/:item_name/x/b"]);
        let found = routes.find("/p/%41b/x/b").unwrap();
        let mut headers = HeaderMap::new();
        found.append_headers(&mut headers, "http://h/p/%41b/x/b", "127.0.0.1:9");
        assert_eq!(headers["spin-path-match-item-name"], "%41b");
        assert!(routes.find("/p//x/b").is_some());
        assert!(routes.find("/p/a/b/x/b").is_none());
    }

    #[test]
    fn the_later_of_two_equal_routes_wins() {
        let mut routes = Routes::default();
        assert!(!routes.add("/x", 1));
        assert!(routes.add("/x/", 2));
        assert_eq!(routes.find("/x").map(|found| *found.target), Some(2));
    }

    #[test]
    fn host_headers_come_after_the_forged_ones() {
        let routes = routes(&["/x/..."]);
        let mut headers = HeaderMap::new();
        headers.insert("spin-client-addr", HeaderValue::from_static("6.6.6.6:1"));
        routes.find("/x/y/z").unwrap().append_headers(&mut headers, "http://h/x/y/z", "127.0.0.1:9");
        let all: Vec<_> = headers.get_all("spin-client-addr").iter().collect();
        assert_eq!(all, ["6.6.6.6:1", "127.0.0.1:9"]);
        assert_eq!(headers["spin-path-info"], "/y/z");
        assert_eq!(headers["spin-component-route"], "/x");
        assert_eq!(headers["spin-matched-route"], "/x/...");
    }
}
