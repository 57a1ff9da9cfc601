//! The environment, parsed once at the start. Names are those of `template.yaml`.

use std::collections::HashMap;

/// A variable that is missing or wrong: the function does not start.
#[derive(Debug, thiserror::Error)]
#[error("environment variable {name}: {why}")]
pub struct BadEnvironment {
    pub name: &'static str,
    pub why: &'static str,
}

/// The names of all settings that a function may read; the template's are checked against it.
pub mod name {
    pub const STAGE: &str = "STAGE";
    pub const TABLE: &str = "TABLE_NAME";
    pub const PAYMENTS_QUEUE: &str = "PAYMENTS_QUEUE_URL";
    pub const NOTIFICATIONS_QUEUE: &str = "NOTIFICATIONS_QUEUE_URL";
    pub const SHOP_URL: &str = "SHOP_URL";
    pub const API_URL: &str = "API_URL";
    pub const COOKIE_DOMAIN: &str = "COOKIE_DOMAIN";
    pub const ALLOWED_ORIGINS: &str = "ALLOWED_ORIGINS";
    pub const LANDING_URL: &str = "LANDING_URL";
    pub const ZENDIT_URL: &str = "ZENDIT_URL";
    pub const ZENDIT_SECRET: &str = "ZENDIT_SECRET";
    pub const ZENDIT_WEBHOOK_TOKEN: &str = "ZENDIT_WEBHOOK_TOKEN";
    pub const TOKEN_SIGNING_KEY: &str = "TOKEN_SIGNING_KEY";
    pub const TOKEN_PUBLIC_KEYS: &str = "TOKEN_PUBLIC_KEYS";
    pub const REFERRAL_KEYS: &str = "REFERRAL_KEYS";
    pub const CURSOR_KEY: &str = "CURSOR_KEY";
    pub const MAIL_FROM: &str = "MAIL_FROM";
    pub const MEDIA_URL: &str = "MEDIA_URL";
    pub const MEDIA_BUCKET: &str = "MEDIA_BUCKET";
    pub const UPLOADS_QUEUE: &str = "UPLOADS_QUEUE_URL";
    pub const MEDIA_QUEUE: &str = "MEDIA_QUEUE_URL";
    pub const QUARANTINE_BUCKET: &str = "QUARANTINE_BUCKET";
    pub const DOCUMENTS_BUCKET: &str = "DOCUMENTS_BUCKET";
    pub const ARCHIVE_BUCKET: &str = "ARCHIVE_BUCKET";
    pub const VAULT_KEYS: &str = "VAULT_KEYS";
    pub const VAULT_FINDER: &str = "VAULT_FINDER";
    pub const WHATSAPP_URL: &str = "WHATSAPP_URL";
    pub const WHATSAPP_SENDER: &str = "WHATSAPP_SENDER";
    pub const WHATSAPP_TOKEN: &str = "WHATSAPP_TOKEN";

    pub const ALL: &[&str] = &[
        STAGE,
        TABLE,
        PAYMENTS_QUEUE,
        NOTIFICATIONS_QUEUE,
        SHOP_URL,
        API_URL,
        COOKIE_DOMAIN,
        ALLOWED_ORIGINS,
        LANDING_URL,
        ZENDIT_URL,
        ZENDIT_SECRET,
        ZENDIT_WEBHOOK_TOKEN,
        TOKEN_SIGNING_KEY,
        TOKEN_PUBLIC_KEYS,
        REFERRAL_KEYS,
        CURSOR_KEY,
        MAIL_FROM,
        MEDIA_URL,
        MEDIA_BUCKET,
        UPLOADS_QUEUE,
        MEDIA_QUEUE,
        QUARANTINE_BUCKET,
        DOCUMENTS_BUCKET,
        ARCHIVE_BUCKET,
        VAULT_KEYS,
        VAULT_FINDER,
        WHATSAPP_URL,
        WHATSAPP_SENDER,
        WHATSAPP_TOKEN,
    ];
}

/// The process's environment, or a test's.
#[derive(Debug, Clone, Default)]
pub struct Environment(HashMap<String, String>);

impl Environment {
    #[expect(clippy::disallowed_methods, reason = "the one place that reads the environment")]
    pub fn of_process() -> Self {
        Self(std::env::vars().collect())
    }

    pub fn of(pairs: impl IntoIterator<Item = (String, String)>) -> Self {
        Self(pairs.into_iter().collect())
    }

    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str).filter(|v| !v.is_empty())
    }

    pub fn need(&self, name: &'static str) -> Result<&str, BadEnvironment> {
        self.get(name).ok_or(BadEnvironment { name, why: "is not set" })
    }

    /// Values separated by commas.
    pub fn list(&self, name: &str) -> Vec<String> {
        self.get(name).unwrap_or_default().split(',').map(str::trim).filter(|v| !v.is_empty()).map(str::to_owned).collect()
    }

    /// The local stage: schedules may run as of any date, cookies work without TLS.
    pub fn is_local(&self) -> bool {
        self.get(name::STAGE) == Some("local")
    }

    pub fn is_production(&self) -> bool {
        self.get(name::STAGE) == Some("prod")
    }
}
