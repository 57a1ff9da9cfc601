//! The trace of what staff did: written in the transaction of what was done.

use super::App;
use crate::{
    domain::{
        ids::{AdminId, AuditId},
        wallet::{Balance, LedgerEntry},
    },
    store::entity::AuditEntry,
};
use serde::Serialize;
use std::{fmt::Display, net::IpAddr};

/// Who acts, and from where.
#[derive(Debug, Clone, Copy)]
pub struct Reviewer {
    pub admin: AdminId,
    pub address: Option<IpAddr>,
}

/// One line: what was done to what, and how that was before and after.
pub fn entry(app: &App, by: Reviewer, action: &str, subject: &str, before: impl Display, after: impl Display) -> AuditEntry {
    let now = app.clock.now();
    AuditEntry {
        id: AuditId::fresh(now, &app.entropy),
        at: now,
        admin: Some(by.admin),
        address: by.address,
        action: action.into(),
        subject: subject.into(),
        before: Some(before.to_string()).filter(|t| !t.is_empty()),
        after: Some(after.to_string()).filter(|t| !t.is_empty()),
    }
}

/// A line about what the gateway or a schedule caused.
pub fn caused(app: &App, action: &str, subject: &str, before: impl Display, after: impl Display) -> AuditEntry {
    let now = app.clock.now();
    let text = |value: String| Some(value).filter(|t| !t.is_empty());
    AuditEntry {
        id: AuditId::fresh(now, &app.entropy),
        at: now,
        admin: None,
        address: None,
        action: action.into(),
        subject: subject.into(),
        before: text(before.to_string()),
        after: text(after.to_string()),
    }
}

/// The line of an entry of an affiliate's ledger: named by it, so that writing it again changes nothing. The nightly
/// recount writes them, and so costs the payments nothing.
pub fn movement(entry: &LedgerEntry, before: &Balance, after: &Balance) -> AuditEntry {
    let affiliate = entry.affiliate.to_string();
    AuditEntry {
        id: AuditId::named(&[&affiliate, &entry.number.to_string()]),
        at: entry.at,
        admin: None,
        address: None,
        action: format!("ledger.{}", entry.cause.name()),
        subject: affiliate,
        before: Some(whole(before)),
        after: Some(whole(&serde_json::json!({ "number": entry.number, "cause": entry.cause, "balance": after }))),
    }
}

/// A whole value, for lines that show one.
pub fn whole<T: Serialize>(value: &T) -> String {
    serde_json::to_string(value).unwrap_or_default()
}
