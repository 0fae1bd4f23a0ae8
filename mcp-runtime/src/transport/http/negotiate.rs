//! Media types of requests and answers.
//!
//! Takes: `Content-Type` and `Accept`. Gives: whether they will do. Knows: RFC 9110 §8.3 and §12.5.1. Must not know: why
//! JSON.

use http::HeaderValue;

/// Whether a `Content-Type` is JSON in UTF-8: `application/json`, in any case, with any parameters but another charset.
pub(super) fn is_json(content_type: &HeaderValue) -> bool {
    // What nearly all clients send needs no reading.
    if content_type.as_bytes() == b"application/json" {
        return true;
    }
    let content_type = content_type.to_str().unwrap_or_default();
    let mut parts = content_type.split(';');
    let essence = parts.next().unwrap_or_default().trim();
    essence.eq_ignore_ascii_case("application/json")
        && parts.filter_map(|parameter| parameter.split_once('=')).all(|(name, value)| {
            !name.trim().eq_ignore_ascii_case("charset") || value.trim().trim_matches('"').eq_ignore_ascii_case("utf-8")
        })
}

/// What a client can read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Accepted {
    /// `application/json` is acceptable.
    pub(super) json: bool,
    /// `text/event-stream` is acceptable.
    pub(super) events: bool,
    /// `text/event-stream` is acceptable by a name that means it, not by `*/*` alone: many simple clients send `*/*` and
    /// then read JSON.
    pub(super) streams: bool,
}

impl Accepted {
    /// What a client can read that did not say: anything.
    pub(super) const ANYTHING: Self = Self { json: true, events: true, streams: false };

    /// Reads the value of the only `Accept` header.
    pub(super) fn read_one(value: &HeaderValue) -> Self {
        // What nearly all clients send needs no reading.
        let usual: [&[u8]; 2] = [b"application/json, text/event-stream", b"text/event-stream, application/json"];
        if usual.contains(&value.as_bytes()) {
            return Self { json: true, events: true, streams: true };
        }
        Self::read([value.to_str().unwrap_or_default()].into_iter())
    }

    /// Reads the values of all `Accept` headers; the most specific range that matches decides.
    pub(super) fn read<'a>(values: impl Iterator<Item = &'a str>) -> Self {
        let mut json = Best::default();
        let mut events = Best::default();
        for range in values.flat_map(|value| value.split(',')) {
            let mut parts = range.split(';');
            let name = parts.next().unwrap_or_default().trim();
            let quality = parts
                .filter_map(|parameter| parameter.split_once('='))
                .find(|(name, _)| name.trim().eq_ignore_ascii_case("q"))
                .map_or(1.0, |(_, value)| value.trim().parse::<f32>().unwrap_or(0.0));
            if name == "*/*" {
                json.consider(1, quality);
                events.consider(1, quality);
            } else if name.eq_ignore_ascii_case("application/json") {
                json.consider(3, quality);
            } else if name.eq_ignore_ascii_case("text/event-stream") {
                events.consider(3, quality);
            } else if name.eq_ignore_ascii_case("application/*") {
                json.consider(2, quality);
            } else if name.eq_ignore_ascii_case("text/*") {
                events.consider(2, quality);
            }
        }
        Self {
            json: json.acceptable(),
            events: events.acceptable(),
            streams: events.acceptable() && events.specificity > 1,
        }
    }
}

#[derive(Default)]
struct Best {
    specificity: u8,
    quality: f32,
}

impl Best {
    fn consider(&mut self, specificity: u8, quality: f32) {
        if specificity > self.specificity || specificity == self.specificity && quality > self.quality {
            *self = Self { specificity, quality };
        }
    }

    fn acceptable(&self) -> bool {
        self.quality > 0.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn accepted(value: &str) -> (bool, bool, bool) {
        let Accepted { json, events, streams } = Accepted::read_one(&HeaderValue::from_str(value).unwrap());
        (json, events, streams)
    }

    #[test]
    fn only_json_in_utf8_is_json() {
        for good in [
            "application/json",
            "Application/JSON",
            "application/json; charset=utf-8",
            "application/json;charset=\"UTF-8\"",
            "application/json; profile=x; version=1",
        ] {
            assert!(is_json(&HeaderValue::from_static(good)), "{good}");
        }
        for bad in [
            "",
            "text/plain",
            "text/plain; a=application/json",
            "application/json; charset=utf-16",
            "application/jsonp",
            "application/x-www-form-urlencoded",
            "multipart/form-data; boundary=x",
            "application/json, text/plain",
        ] {
            assert!(!is_json(&HeaderValue::from_static(bad)), "{bad}");
        }
    }

    #[test]
    fn the_most_specific_range_decides() {
        assert_eq!(accepted("application/json, text/event-stream"), (true, true, true));
        assert_eq!(accepted("APPLICATION/json;q=0.1,TEXT/Event-Stream"), (true, true, true));
        assert_eq!(accepted("application/json;q=0, */*"), (false, true, false));
        assert_eq!(accepted("*/*;q=0, text/event-stream"), (false, true, true));
        assert_eq!(accepted("application/*"), (true, false, false));
        assert_eq!(accepted("text/*;q=0.5"), (false, true, true));
        assert_eq!(accepted("*/*"), (true, true, false));
        assert_eq!(accepted("text/html"), (false, false, false));
        assert_eq!(accepted("application/json;q=0"), (false, false, false));
        assert_eq!(accepted(""), (false, false, false));
    }

    #[test]
    fn a_quality_that_is_no_number_is_no_quality() {
        assert_eq!(accepted("application/json;q=NaN"), (false, false, false));
        assert_eq!(accepted("application/json;q=high"), (false, false, false));
    }
}
