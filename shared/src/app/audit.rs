//! The trace of what staff did: written in the transaction of what was done.

use super::App;
use crate::{
    domain::ids::{AdminId, AuditId},
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
        admin: by.admin,
        address: by.address,
        action: action.into(),
        subject: subject.into(),
        before: Some(before.to_string()).filter(|t| !t.is_empty()),
        after: Some(after.to_string()).filter(|t| !t.is_empty()),
    }
}

/// A whole value, for lines that show one.
pub fn whole<T: Serialize>(value: &T) -> String {
    serde_json::to_string(value).unwrap_or_default()
}
