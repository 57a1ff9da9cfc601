//! Staff: the first owner, invitations, roles, suspension.

use super::{
    App, Code, Problem,
    audit::{self, Reviewer},
};
use crate::{
    domain::{
        contact::Email,
        identity::{Audience, LinkPurpose, Login},
        ids::{AdminId, SessionId},
        outbox::{OutboxItem, Work},
        settings::Settings,
        staff::{Admin, FirstOwner, Role},
        text::PersonName,
    },
    secrets::password::{self, Password},
    store::{
        entity::Stored,
        keys,
        transaction::{Commit, Transaction},
    },
};

/// Who is to join.
#[derive(Debug)]
pub struct Invited {
    pub name: PersonName,
    pub email: Email,
    pub role: Role,
}

/// The login of somebody who has not chosen a password yet: none fits it.
fn locked(app: &App, invited: &Invited, id: AdminId) -> Result<Login, Problem> {
    let nobody_knows = Password::random(&app.entropy);
    let password_hash = password::hash(&nobody_knows, &app.entropy)?;
    Ok(Login {
        audience: Audience::Admin,
        email: invited.email.clone(),
        account: id.to_string(),
        password_hash,
        created_at: app.clock.now(),
        vouched_until: None,
    })
}

fn joining(app: &App, invited: Invited, id: AdminId) -> (Admin, OutboxItem) {
    let now = app.clock.now();
    let work = Work::MailLink { audience: Audience::Admin, purpose: LinkPurpose::AcceptInvitation, email: invited.email.clone() };
    let Invited { name, email, role } = invited;
    (Admin { id, name, email, role, active: true, created_at: now, role_changed_at: None, second_factor: None }, OutboxItem::new(work, now))
}

/// Makes the first owner, who is mailed a link to choose a password. There is one in the life of a table.
pub async fn first_owner(app: &App, name: PersonName, email: Email) -> Result<Admin, Problem> {
    if !app.store.staff(1, None).await?.is_empty() {
        return Err(Problem::conflict("there is staff already: an owner invites others"));
    }
    let invited = Invited { name, email, role: Role::Owner };
    let id = AdminId::fresh(app.clock.now(), &app.entropy);
    let login = locked(app, &invited, id)?;
    let (admin, mail) = joining(app, invited, id);
    let mut tx = Transaction::new();
    tx.create(&FirstOwner { admin: id, made_at: admin.created_at }, ()).create(&login, ()).create(&admin, ()).put_same(&mail);
    if app.site.production && app.store.stored_settings().await?.is_none() {
        // Where it counts nobody works without a second factor, unless an owner decides otherwise.
        tx.create(&Settings { second_factor_required: true, ..Settings::default() }, ());
    }
    tx.create(&audit::caused(app, "staff.first_owner", &id.to_string(), "", admin.role.as_str()), ());
    match app.store.commit(tx).await? {
        Commit::Done => {
            app.queues.hand_on(&[mail]).await;
            Ok(admin)
        }
        Commit::Lost(_) => Err(Problem::conflict("there is an owner already")),
    }
}

/// Ends one of one's own sessions.
pub async fn leave(app: &App, by: Reviewer, session: SessionId) -> Result<(), Problem> {
    let account = by.admin.to_string();
    let mut tx = Transaction::new();
    tx.forget(&keys::session(&account, session)).create(&audit::entry(app, by, "staff.logout", &account, "", ""), ());
    match app.store.commit(tx).await? {
        Commit::Done => Ok(()),
        Commit::Lost(_) => Err(Problem::unavailable("a line of the audit log that was there already")),
    }
}

/// Who acts, as an owner of this very moment: the change is conditional on their staying one.
async fn owner(app: &App, by: Reviewer) -> Result<Stored<Admin>, Problem> {
    let actor = app.store.admin(by.admin).await?.filter(|a| a.value.active && a.value.role == Role::Owner);
    actor.ok_or_else(|| Problem::new(Code::NotAllowed))
}

/// Invites somebody, who is mailed a link to choose a password.
pub async fn invite(app: &App, by: Reviewer, invited: Invited) -> Result<Admin, Problem> {
    let actor = owner(app, by).await?;
    let id = AdminId::fresh(app.clock.now(), &app.entropy);
    let login = locked(app, &invited, id)?;
    let (admin, mail) = joining(app, invited, id);
    let mut tx = Transaction::new();
    tx.unchanged(&actor, ()).create(&login, ()).create(&admin, ()).put_same(&mail);
    tx.create(&audit::entry(app, by, "staff.invite", &id.to_string(), "", audit::whole(&described(&admin))), ());
    match app.store.commit(tx).await? {
        Commit::Done => {
            app.queues.hand_on(&[mail]).await;
            Ok(admin)
        }
        Commit::Lost(_) => Err(Problem::conflict("somebody with this address is staff already")),
    }
}

/// What may be changed about somebody; what is not given stays.
#[derive(Debug, Default, Clone)]
pub struct Changes {
    pub name: Option<PersonName>,
    pub role: Option<Role>,
    pub active: Option<bool>,
    /// Whoever lost both app and recovery codes enrols anew.
    pub forget_second_factor: bool,
}

/// Changes somebody else. Nobody changes their own rights, and whoever changes others' must be an owner at that very
/// moment: so one owner at least is always left.
pub async fn change(app: &App, by: Reviewer, id: AdminId, changes: Changes) -> Result<Admin, Problem> {
    if by.admin == id {
        return Err(Problem::conflict("nobody changes their own rights: ask another owner"));
    }
    let actor = owner(app, by).await?;
    let read = app.store.admin(id).await?.ok_or_else(|| Problem::new(Code::NotFound))?;
    let before = read.value.clone();
    let after = Admin {
        name: changes.name.unwrap_or(before.name),
        role: changes.role.unwrap_or(before.role),
        active: changes.active.unwrap_or(before.active),
        second_factor: before.second_factor.filter(|_| !changes.forget_second_factor),
        ..read.value.clone()
    };
    if after == read.value {
        return Ok(after);
    }
    let gains = after.role != read.value.role || (after.active && !read.value.active);
    let after = Admin { role_changed_at: if gains { Some(app.clock.now()) } else { after.role_changed_at }, ..after };
    let mut tx = Transaction::new();
    tx.save(&read, &after, ()).unchanged(&actor, ());
    let (was, is) = (audit::whole(&described(&read.value)), audit::whole(&described(&after)));
    tx.create(&audit::entry(app, by, "staff.change", &id.to_string(), was, is), ());
    let Commit::Done = app.store.commit(tx).await? else {
        return Err(Problem::conflict("somebody else has just changed this; look again"));
    };
    if !after.active {
        app.store.end_sessions(&id.to_string(), None).await?;
    }
    Ok(after)
}

fn described(admin: &Admin) -> serde_json::Value {
    serde_json::json!({ "name": admin.name, "role": admin.role, "active": admin.active, "second_factor": admin.asks_for_code().is_some() })
}
