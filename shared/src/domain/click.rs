//! A visit through an affiliate's link: who looks, where from, and where to.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Who looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Looker {
    Person,
    /// An agent that says itself that nobody is looking.
    Bot,
    /// A browser that loads what somebody may look at next.
    Prefetch,
}

/// Parts of agents' names that no person's browser has.
const BOTS: &[&str] =
    &["bot", "crawler", "spider", "preview", "facebookexternalhit", "whatsapp", "telegram", "curl/", "wget/", "python-", "headless", "lighthouse"];

impl Looker {
    /// From the agent's name, and from what the browser says that it loads the page for.
    pub fn of(agent: &str, purpose: Option<&str>) -> Self {
        let agent = agent.to_ascii_lowercase();
        if agent.is_empty() || BOTS.iter().any(|b| agent.contains(b)) {
            Self::Bot
        } else if purpose.is_some_and(|p| p.to_ascii_lowercase().contains("prefetch") || p.to_ascii_lowercase().contains("prerender")) {
            Self::Prefetch
        } else {
            Self::Person
        }
    }
}

/// The parameters by which campaigns are told apart.
const UTM: [&str; 5] = ["utm_source", "utm_medium", "utm_campaign", "utm_term", "utm_content"];
/// Longest value that is kept of one.
const LONGEST: usize = 64;

/// The campaign that a visit came from; values are letters, digits and a few signs, so that they are safe anywhere.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Campaign(BTreeMap<String, String>);

impl Campaign {
    pub fn of<'a>(query: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        let plain = |text: &str| text.chars().filter(|c| c.is_ascii_alphanumeric() || "-_.+ ".contains(*c)).take(LONGEST).collect::<String>();
        let known = query.into_iter().filter(|(name, _)| UTM.contains(name)).map(|(name, value)| (name.to_owned(), plain(value)));
        Self(known.filter(|(_, value)| !value.is_empty()).collect())
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// As it goes on to the landing page.
    pub fn query(&self) -> String {
        let pairs: Vec<String> = self.0.iter().map(|(name, value)| format!("&{name}={}", value.replace('+', "%2B").replace(' ', "+"))).collect();
        pairs.concat()
    }
}

/// A path on the landing host: begins with one slash, and holds nothing that a browser could take for another host.
pub fn landing_path(text: &str) -> Option<&str> {
    let plain = |c: char| c.is_ascii_alphanumeric() || "/-_.~".contains(c);
    let fits = text.len() <= 200 && text.starts_with('/') && !text.contains("//") && !text.contains("/.") && text.chars().all(plain);
    fits.then_some(text)
}

/// Only the host of a referring page is kept.
pub fn host_of(referrer: &str) -> Option<String> {
    let rest = referrer.strip_prefix("https://").or_else(|| referrer.strip_prefix("http://"))?;
    let host = rest.split(['/', '?', '#', ':']).next()?;
    let plain = !host.is_empty() && host.len() <= 100 && host.chars().all(|c| c.is_ascii_alphanumeric() || ".-".contains(c));
    plain.then(|| host.to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_paths_of_ours_are_followed() {
        for path in ["/", "/produk/sapi-limosin", "/promo_2027/a.b"] {
            assert_eq!(landing_path(path), Some(path));
        }
        for path in [
            "",
            "produk",
            "//evil.test",
            "/\\evil.test",
            "https://evil.test",
            "/a//evil.test",
            "/../x",
            "/a?b",
            "/a#b",
            "/%2f%2fevil.test",
            "/@evil.test",
        ] {
            assert_eq!(landing_path(path), None, "{path}");
        }
    }

    #[test]
    fn campaigns_keep_what_is_known_and_plain() {
        let campaign = Campaign::of([("utm_source", "ig story"), ("utm_medium", "<b>x&y=z"), ("utm_weird", "x"), ("utm_term", "")]);
        assert_eq!(campaign.query(), "&utm_medium=bxyz&utm_source=ig+story");
    }

    #[test]
    fn lookers_are_told_apart() {
        assert_eq!(Looker::of("Mozilla/5.0 (iPhone)", None), Looker::Person);
        assert_eq!(Looker::of("Mozilla/5.0 (iPhone)", Some("prefetch;prerender")), Looker::Prefetch);
        assert_eq!(Looker::of("WhatsApp/2.23", None), Looker::Bot);
        assert_eq!(Looker::of("", None), Looker::Bot);
    }
}
