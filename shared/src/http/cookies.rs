//! The two cookies: the refresh token of an audience, and the referral.

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

fn secure(site: &Site) -> &'static str {
    // Browsers take no Secure cookie over plain http from 127.0.0.1; nowhere else is it left out.
    if site.local { "" } else { "; Secure" }
}

pub fn set_refresh(site: &Site, audience: Audience, token: &str, seconds: i64) -> Option<HeaderValue> {
    let (name, path) = refresh(audience);
    HeaderValue::from_str(&format!("{name}={token}; Path={path}; Max-Age={seconds}; HttpOnly; SameSite=Strict{}", secure(site))).ok()
}

pub fn clear_refresh(site: &Site, audience: Audience) -> Option<HeaderValue> {
    set_refresh(site, audience, "", 0)
}

pub fn set_referral(site: &Site, token: &str, seconds: i64) -> Option<HeaderValue> {
    let domain = site.cookie_domain.as_ref().map(|d| format!("; Domain={d}")).unwrap_or_default();
    HeaderValue::from_str(&format!("{REFERRAL}={token}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Lax{domain}{}", secure(site))).ok()
}

pub fn read_refresh(headers: &HeaderMap, audience: Audience) -> Option<&str> {
    read(headers, refresh(audience).0)
}

/// The value of a cookie; a header that is not text is no cookie.
pub fn read<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let pairs = headers.get_all(header::COOKIE).iter().filter_map(|v| v.to_str().ok()).flat_map(|v| v.split(';'));
    pairs.filter_map(|pair| pair.trim().split_once('=')).find(|(n, v)| *n == name && !v.is_empty()).map(|(_, v)| v)
}
