//! What an affiliate says of themselves, in a body.

use super::Form;
use crate::domain::{
    Wrong,
    affiliate::Details,
    contact::Phone,
    identity::Language,
    platform::Platform,
    text::{Motivation, PersonName, Place},
};
use std::collections::BTreeMap;

/// All of it, as an application needs it.
pub fn details(form: &mut Form) -> Option<Details> {
    let (first_name, last_name) = (form.text("first_name", PersonName::parse), form.text("last_name", PersonName::parse));
    let (whatsapp, city) = (form.text("whatsapp", Phone::parse), form.text("city", Place::parse));
    let (primary_platform, reason) = (form.text("primary_platform", Platform::parse), form.text("reason", Motivation::parse));
    let language = form.maybe_text("language", Language::parse).unwrap_or(Language::Id);
    let social = form.object("social", |links| Some(profiles(links)));
    if let (Some(platform), Some(social)) = (primary_platform, &social)
        && !social.contains_key(&platform)
    {
        form.wrong("social", Wrong::new("required", format!("needs the link of {}", platform.as_str())));
    }
    Some(Details {
        first_name: first_name?,
        last_name: last_name?,
        whatsapp: whatsapp?,
        city: city?,
        social: social?,
        primary_platform: primary_platform?,
        reason: reason?,
        language,
    })
}

/// Links to profiles, by platform.
pub fn profiles(links: &mut Form) -> BTreeMap<Platform, String> {
    let mut social = BTreeMap::new();
    for platform in Platform::ALL {
        social.extend(links.maybe_text(platform.as_str(), |link| platform.profile(link)).map(|link| (*platform, link)));
    }
    social
}
