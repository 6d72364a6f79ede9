//! The parts of a path that a function may look at.

use percent_encoding::percent_decode_str;

/// Where every function has its address; its name follows.
const FUNCTIONS: [&str; 2] = ["functions", "v1"];

/// The parts that follow the function's name, decoded. On other addresses (`/api/workflows/:id/execute`), where the
/// name is not a part, those that are ids: anything but words of lower-case letters and hyphens.
///
/// `None` for a path that no function has: an empty part in the middle, a broken or unprintable character.
pub(crate) fn tail(path: &str) -> Option<Vec<String>> {
    let path = path.strip_prefix('/').unwrap_or(path);
    let path = path.strip_suffix('/').unwrap_or(path);
    let mut parts = Vec::new();
    for part in path.split('/').filter(|_| !path.is_empty()) {
        let decoded = percent_decode_str(part).decode_utf8().ok()?;
        if decoded.is_empty() || decoded.chars().any(char::is_control) || matches!(&*decoded, "." | "..") {
            return None;
        }
        parts.push(decoded.into_owned());
    }
    let tail = match parts.as_slice() {
        [first, second, _, rest @ ..] if [first, second] == FUNCTIONS => rest.to_vec(),
        all => all.iter().filter(|part| !is_word(part)).cloned().collect(),
    };
    Some(tail)
}

fn is_word(part: &str) -> bool {
    part.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-')
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn parts(path: &str) -> Option<String> {
        tail(path).map(|parts| parts.join("|"))
    }

    #[test]
    fn what_follows_the_name_is_the_tail() {
        assert_eq!(parts("/functions/v1/health").as_deref(), Some(""));
        assert_eq!(parts("/functions/v1/health/").as_deref(), Some(""));
        assert_eq!(parts("/functions/v1/webhook-receive/6f1d/x").as_deref(), Some("6f1d|x"));
        assert_eq!(parts("/functions/v1/workflows/a%2Fb%20c").as_deref(), Some("a/b c"));
    }

    #[test]
    fn elsewhere_ids_are_the_tail() {
        assert_eq!(
            parts("/api/sync/status/6f1de0a4-6a1f-4b9f-9d3e-2b1c0a9d8e7f").as_deref(),
            Some("6f1de0a4-6a1f-4b9f-9d3e-2b1c0a9d8e7f")
        );
        assert_eq!(parts("/api/workflows/1kFMr3sXJz/execute").as_deref(), Some("1kFMr3sXJz"));
        assert_eq!(parts("/api/workflows/data-sync").as_deref(), Some(""));
        assert_eq!(parts("/health").as_deref(), Some(""));
        assert_eq!(parts("/").as_deref(), Some(""));
    }

    #[test]
    fn a_path_that_nobody_has_is_none() {
        for path in [
            "/functions/v1/x//y",
            "//functions/v1/x",
            "/functions/v1/x/%00",
            "/functions/v1/x/%ff",
            "/functions/v1/x/a%0Ab",
            "/functions/v1/x/..",
            "/functions/v1/x/%2e%2e/y",
        ] {
            assert_eq!(tail(path), None, "{path}");
        }
    }

    proptest! {
        #[test]
        fn any_path_is_read_or_refused(path in ".{0,60}") {
            let _ = tail(&path);
        }
    }
}
