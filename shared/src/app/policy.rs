//! Settings, questions and contact: changed by staff, versioned, and in force at once.

use super::{
    App, FieldError, Problem,
    audit::{self, Reviewer},
};
use crate::{
    domain::{
        helpdesk::Helpdesk,
        settings::{Settings, SettingsVersion},
    },
    store::transaction::{Commit, Transaction},
};

/// Changes the settings that were seen as `version`. Orders that were placed keep what was frozen on them.
pub async fn change_settings(app: &App, by: Reviewer, version: u32, edit: impl FnOnce(Settings) -> Settings) -> Result<Settings, Problem> {
    let read = app.store.stored_settings().await?;
    let before = read.as_ref().map(|s| s.value.clone()).unwrap_or_default();
    let moved_on = || Problem::conflict("the settings have been changed meanwhile; look again");
    if before.version != version {
        return Err(moved_on());
    }
    let after = edit(before.clone()).following(&before, app.clock.now());
    let wrong: Vec<FieldError> =
        after.contradictions().into_iter().map(|(field, w)| FieldError { field: field.into(), code: w.code, message: w.message }).collect();
    if !wrong.is_empty() {
        return Err(Problem::fields(wrong));
    }
    let mut tx = Transaction::new();
    match &read {
        Some(read) => tx.save(read, &after, ()),
        None => tx.create(&after, ()),
    };
    tx.create(&SettingsVersion { version: after.version, settings: after.clone(), by: by.admin, at: app.clock.now() }, ());
    tx.create(&audit::entry(app, by, "settings.change", &format!("version {}", after.version), audit::whole(&before), audit::whole(&after)), ());
    match app.store.commit(tx).await? {
        Commit::Done => Ok(after),
        Commit::Lost(_) => Err(moved_on()),
    }
}

/// Changes the questions or the contact.
pub async fn change_helpdesk(app: &App, by: Reviewer, what: &str, edit: impl FnOnce(Helpdesk) -> Helpdesk) -> Result<Helpdesk, Problem> {
    let read = app.store.stored_helpdesk().await?;
    let before = read.as_ref().map(|h| h.value.clone()).unwrap_or_default();
    let after = edit(before.clone());
    let mut tx = Transaction::new();
    match &read {
        Some(read) => tx.save(read, &after, ()),
        None => tx.create(&after, ()),
    };
    tx.create(&audit::entry(app, by, "helpdesk.change", what, audit::whole(&before), audit::whole(&after)), ());
    match app.store.commit(tx).await? {
        Commit::Done => Ok(after),
        Commit::Lost(_) => Err(Problem::conflict("somebody else has just changed this; look again")),
    }
}
