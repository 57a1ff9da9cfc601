//! The cookies: the refresh token of an audience, the device that it knows, and the referral.

use crate::app::Site;
use crate::domain::identity::Audience;
use http::{HeaderMap, HeaderValue, header};

pub const REFERRAL: &str = "qutab_ref";

/// Name and path of the refresh cookie: each audience has its own, so that logins do not meet.
const fn refresh(audience: Audience) -> (&'static str, &'static str) {
    match audience {
        Audience::Customer => ("qutab_refresh", "/api/auth"),
        Audience::Affiliate => ("qutab_affiliate_refresh", "/api/affiliate/auth"),
        Audience::Admin => ("qutab_admin_refresh", "/api/admin/auth"),
    }
}

/// Name and path of the cookie that says that somebody logged in here before.
const fn device(audience: Audience) -> (&'static str, &'static str) {
    match audience {
        Audience::Customer => ("qutab_device", "/api/auth/login"),
        Audience::Affiliate => ("qutab_affiliate_device", "/api/affiliate/auth/login"),
        Audience::Admin => ("qutab_admin_device", "/api/admin/auth/login"),
    }
}

/// With this prefix browsers take a cookie over TLS only, so that no page without it can put one beside ours.
fn prefix(site: &Site) -> &'static str {
    if site.local { "" } else { "__Secure-" }
}

fn secure(site: &Site) -> &'static str {
    // Browsers take no Secure cookie over plain http from 127.0.0.1; nowhere else is it left out.
    if site.local { "" } else { "; Secure" }
}

pub fn set_refresh(site: &Site, audience: Audience, token: &str, seconds: i64) -> Option<HeaderValue> {
    set_strict(site, refresh(audience), token, seconds)
}

pub fn set_device(site: &Site, audience: Audience, token: &str, seconds: i64) -> Option<HeaderValue> {
    set_strict(site, device(audience), token, seconds)
}

fn set_strict(site: &Site, (name, path): (&str, &str), token: &str, seconds: i64) -> Option<HeaderValue> {
    let prefix = prefix(site);
    HeaderValue::from_str(&format!("{prefix}{name}={token}; Path={path}; Max-Age={seconds}; HttpOnly; SameSite=Strict{}", secure(site))).ok()
}

pub fn clear_refresh(site: &Site, audience: Audience) -> Option<HeaderValue> {
    set_refresh(site, audience, "", 0)
}

pub fn set_referral(site: &Site, token: &str, seconds: i64) -> Option<HeaderValue> {
    let domain = site.cookie_domain.as_ref().map(|d| format!("; Domain={d}")).unwrap_or_default();
    HeaderValue::from_str(&format!("{REFERRAL}={token}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Lax{domain}{}", secure(site))).ok()
}

pub fn read_refresh<'a>(site: &Site, headers: &'a HeaderMap, audience: Audience) -> Option<&'a str> {
    read(headers, &format!("{}{}", prefix(site), refresh(audience).0))
}

pub fn read_device<'a>(site: &Site, headers: &'a HeaderMap, audience: Audience) -> Option<&'a str> {
    read(headers, &format!("{}{}", prefix(site), device(audience).0))
}

/// The value of a cookie; a header that is not text is no cookie. A name that comes twice is none: a page of a sibling
/// domain may have put its own beside ours, and nothing says which is which.
pub fn read<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let pairs = headers.get_all(header::COOKIE).iter().filter_map(|v| v.to_str().ok()).flat_map(|v| v.split(';'));
    let mut ours = pairs.filter_map(|pair| pair.trim().split_once('=')).filter(|(n, _)| *n == name).map(|(_, v)| v);
    ours.next().filter(|v| !v.is_empty() && ours.next().is_none())
}
