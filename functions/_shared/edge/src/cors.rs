//! Which pages may read our answers (<https://fetch.spec.whatwg.org/#http-cors-protocol>).

/// What the browser may send: the list of supabase-js and what we read beyond it.
const REQUEST_HEADERS: &str = "authorization, x-client-info, apikey, content-type, x-retry-count, traceparent, \
                               tracestate, baggage, x-region, idempotency-key, if-match, prefer, x-request-id";
/// What a page may read beside the body.
const RESPONSE_HEADERS: &str = "x-request-id, retry-after, sb-error-code, idempotent-replayed, location, etag, \
                                content-disposition, x-export-manifest";
const METHODS: &str = "GET, POST, PUT, PATCH, DELETE, OPTIONS";
/// Two hours, the most that Chromium remembers.
const MAX_AGE: &str = "7200";

/// The origins that may read our answers: all (`*`, the default), or those of a list separated by commas or spaces.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Origins {
    All,
    Listed(Vec<String>),
}

impl Origins {
    pub(crate) fn parse(setting: Option<&str>) -> Self {
        let listed: Vec<String> = setting
            .unwrap_or("*")
            .split([',', ' ', '\n'])
            .map(|origin| origin.trim().trim_end_matches('/').to_owned())
            .filter(|origin| !origin.is_empty())
            .collect();
        if listed.iter().any(|origin| origin == "*") { Self::All } else { Self::Listed(listed) }
    }

    /// The headers of every answer. Cookies play no part, so `*` gives nothing away: who calls is in `authorization`.
    pub(crate) fn headers(&self, origin: Option<&str>) -> Vec<(&'static str, String)> {
        let allowed = match (self, origin) {
            (Self::All, _) => Some("*"),
            (Self::Listed(list), Some(origin)) if list.iter().any(|known| known == origin) => Some(origin),
            (Self::Listed(_), _) => None,
        };
        let mut headers = vec![("vary", "Origin".to_owned())];
        if let Some(allowed) = allowed {
            headers.push(("access-control-allow-origin", allowed.to_owned()));
            headers.push(("access-control-expose-headers", RESPONSE_HEADERS.to_owned()));
        }
        headers
    }
}

/// What a preflight is answered with, beyond the headers of every answer.
pub(crate) fn preflight() -> [(&'static str, &'static str); 3] {
    [
        ("access-control-allow-methods", METHODS),
        ("access-control-allow-headers", REQUEST_HEADERS),
        ("access-control-max-age", MAX_AGE),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allowed(setting: Option<&str>, origin: Option<&str>) -> Option<String> {
        let headers = Origins::parse(setting).headers(origin);
        assert!(headers.contains(&("vary", "Origin".to_owned())));
        headers.into_iter().find(|(name, _)| *name == "access-control-allow-origin").map(|(_, value)| value)
    }

    #[test]
    fn by_default_every_origin_may_read_and_none_is_echoed() {
        assert_eq!(allowed(None, Some("https://a.example")).as_deref(), Some("*"));
        assert_eq!(allowed(Some("*"), Some("null")).as_deref(), Some("*"));
    }

    #[test]
    fn of_a_list_only_the_exact_origin_is_echoed() {
        let list = Some("https://a.example, https://b.example/");
        assert_eq!(allowed(list, Some("https://a.example")).as_deref(), Some("https://a.example"));
        assert_eq!(allowed(list, Some("https://b.example")).as_deref(), Some("https://b.example"));
        for other in [
            "https://a.example.evil",
            "http://a.example",
            "https://A.example",
            "null",
            "",
            "*",
            "https://a.example/",
        ] {
            assert_eq!(allowed(list, Some(other)), None, "{other}");
        }
        assert_eq!(allowed(list, None), None);
    }

    #[test]
    fn every_header_that_the_clients_send_passes_the_preflight() {
        let [_, (_, headers), _] = preflight();
        for header in [
            "authorization",
            "apikey",
            "content-type",
            "x-client-info",
            "x-region",
            "idempotency-key",
            "if-match",
            "prefer",
        ] {
            assert!(headers.split(", ").any(|known| known == header), "{header}");
        }
    }
}
