//! Reads the audit log: by day, newest first, and only what is sought.

use super::{App, Problem};
use crate::{
    domain::{ids::AdminId, time::Day},
    store::{Page, Position, entity::AuditEntry, keys, listing::Days},
};

/// What is looked for; nothing given: everything.
#[derive(Debug, Clone)]
pub struct Sought {
    pub from: Day,
    pub to: Day,
    pub admin: Option<AdminId>,
    /// `payout` finds `payout.decide`.
    pub action: Option<String>,
    pub subject: Option<String>,
}

impl Sought {
    fn is(&self, entry: &AuditEntry) -> bool {
        self.admin.is_none_or(|a| entry.admin == Some(a))
            && self.action.as_ref().is_none_or(|a| entry.action.starts_with(a.as_str()))
            && self.subject.as_ref().is_none_or(|s| entry.subject.contains(s.as_str()))
    }
}

/// Most pages that are read to fill one page of what is sought.
const PAGES: usize = 10;

pub async fn find(app: &App, sought: &Sought, limit: usize, mut after: Option<Position>) -> Result<Page<AuditEntry>, Problem> {
    let mut items = Page::new(Vec::new(), None);
    for _ in 0..PAGES {
        let days = Days { from: sought.from, to: sought.to, limit: limit - items.len(), after };
        let page = app.store.by_day::<AuditEntry>(&days, keys::audit_day).await?;
        items = page.map(|e| e.value).filter(|e| sought.is(e)).behind(items);
        after = items.next().cloned();
        if after.is_none() || items.len() >= limit {
            break;
        }
    }
    Ok(items)
}
