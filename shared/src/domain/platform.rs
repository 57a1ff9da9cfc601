//! Social networks, and what a link to a profile on each looks like.

use super::Wrong;
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Platform {
    Instagram,
    Tiktok,
    Youtube,
    Facebook,
}

/// First segments that are pages of Instagram or Facebook and nobody's profile.
const NO_PROFILES: &[&str] = &[
    "p",
    "reel",
    "reels",
    "explore",
    "accounts",
    "stories",
    "tv",
    "about",
    "login",
    "watch",
    "groups",
    "events",
    "marketplace",
    "share",
    "sharer",
    "hashtag",
    "photo",
    "video",
    "videos",
    "pages",
    "help",
    "settings",
    "privacy",
];

impl Platform {
    pub const ALL: &'static [Self] = &[Self::Instagram, Self::Tiktok, Self::Youtube, Self::Facebook];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Instagram => "instagram",
            Self::Tiktok => "tiktok",
            Self::Youtube => "youtube",
            Self::Facebook => "facebook",
        }
    }

    pub fn parse(text: &str) -> Result<Self, Wrong> {
        let found = Self::ALL.iter().copied().find(|p| p.as_str() == text);
        found.ok_or_else(|| Wrong::new("unknown_value", "must be one of instagram, tiktok, youtube, facebook"))
    }

    const fn hosts(self) -> &'static [&'static str] {
        match self {
            Self::Instagram => &["instagram.com"],
            Self::Tiktok => &["tiktok.com"],
            Self::Youtube => &["youtube.com"],
            Self::Facebook => &["facebook.com", "fb.com"],
        }
    }

    /// A link to somebody's profile on this platform, in its plain form: without `www.`, query and trailing slash.
    pub fn profile(self, link: &str) -> Result<String, Wrong> {
        let wrong = || Wrong::new("bad_profile_link", format!("must be a profile address on {}", self.as_str()));
        let link = link.trim();
        let rest = link.strip_prefix("https://").or_else(|| link.strip_prefix("http://")).unwrap_or(link);
        let (host, path) = rest.split_once('/').filter(|_| link.len() <= 200).ok_or_else(wrong)?;
        let host = host.to_ascii_lowercase();
        let host = ["www.", "m.", "web.", "id-id."].iter().find_map(|p| host.strip_prefix(p)).unwrap_or(&host);
        if !self.hosts().contains(&host) {
            return Err(wrong());
        }
        let (path, query) = path.split_once('?').unwrap_or((path, ""));
        let segments: Vec<&str> = path.trim_end_matches('/').split('/').collect();
        let name = self.name(&segments, query).ok_or_else(wrong)?;
        Ok(format!("https://{}/{name}", self.hosts()[0]))
    }

    /// The path of a profile, if these segments are one.
    fn name(self, segments: &[&str], query: &str) -> Option<String> {
        let plain = |text: &str, extra: &str, most: usize| {
            (1..=most).contains(&text.len()) && text.chars().all(|c| c.is_ascii_alphanumeric() || extra.contains(c))
        };
        let person = |name: &str, extra: &str, most: usize| plain(name, extra, most) && !NO_PROFILES.contains(&name.to_ascii_lowercase().as_str());
        let named = match (self, segments) {
            (Self::Instagram, [name]) => person(name, "._", 30),
            (Self::Tiktok, [name]) => name.strip_prefix('@').is_some_and(|n| plain(n, "._", 24)),
            (Self::Youtube, [name]) => name.strip_prefix('@').is_some_and(|n| plain(n, "._-", 30)),
            (Self::Youtube, ["channel", id]) => id.starts_with("UC") && id.len() == 24 && plain(id, "_-", 24),
            (Self::Youtube, ["c" | "user", name]) => plain(name, "._-", 60),
            (Self::Facebook, ["profile.php"]) => {
                let id = query.split('&').find_map(|pair| pair.strip_prefix("id="))?;
                return (plain(id, "", 20) && id.bytes().all(|b| b.is_ascii_digit())).then(|| format!("profile.php?id={id}"));
            }
            (Self::Facebook, [name]) => person(name, ".", 50) && name.len() >= 5,
            _ => false,
        };
        named.then(|| segments.join("/"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn profiles_are_taken_in_every_usual_spelling() {
        for (platform, link, plain) in [
            (Platform::Instagram, "https://www.instagram.com/rina.w_1/", "https://instagram.com/rina.w_1"),
            (Platform::Instagram, "instagram.com/rina?igsh=abc", "https://instagram.com/rina"),
            (Platform::Tiktok, "https://www.tiktok.com/@rina.w", "https://tiktok.com/@rina.w"),
            (Platform::Youtube, "https://youtube.com/@rina-w", "https://youtube.com/@rina-w"),
            (Platform::Youtube, "https://m.youtube.com/channel/UCabcdefghijklmnopqrstuv", "https://youtube.com/channel/UCabcdefghijklmnopqrstuv"),
            (Platform::Facebook, "https://web.facebook.com/rina.wulandari", "https://facebook.com/rina.wulandari"),
            (Platform::Facebook, "https://www.facebook.com/profile.php?id=100012345", "https://facebook.com/profile.php?id=100012345"),
        ] {
            assert_eq!(platform.profile(link).unwrap(), plain);
        }
    }

    #[test]
    fn what_is_nobodys_profile_is_refused() {
        for (platform, link) in [
            (Platform::Instagram, "https://instagram.com/p/Cabc"),
            (Platform::Instagram, "https://instagram.com/explore"),
            (Platform::Instagram, "https://instagram.com.evil.test/rina"),
            (Platform::Instagram, "https://evil.test/instagram.com/rina"),
            (Platform::Instagram, "https://instagram.com/"),
            (Platform::Instagram, "javascript:alert(1)//instagram.com/rina"),
            (Platform::Tiktok, "https://tiktok.com/rina"),
            (Platform::Tiktok, "https://instagram.com/rina"),
            (Platform::Youtube, "https://youtube.com/watch?v=abc"),
            (Platform::Youtube, "https://youtu.be/abc"),
            (Platform::Facebook, "https://facebook.com/groups"),
            (Platform::Facebook, "https://facebook.com/profile.php?id=<script>"),
        ] {
            assert!(platform.profile(link).is_err(), "{link}");
        }
    }
}
