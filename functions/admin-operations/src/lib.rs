//! Running the shop: staff, settings, questions and contact, held commissions, tasks, and the audit log.

mod helpdesk;
mod settings;
mod signals;
mod staff;
mod tasks;
mod trace;

use qutab::{
    app::App,
    domain::staff::Permission,
    http::{Access, Group},
};

pub fn group(app: App) -> Group {
    let may = Access::Admin;
    let (read, people) = (may(Permission::Read), may(Permission::ManageStaff));
    Group::named("admin-operations")
        .get("/api/admin/signals", read, signals::list)
        .post("/api/admin/signals/{id}/release", may(Permission::Refund), signals::release)
        .post("/api/admin/signals/{id}/void", may(Permission::Refund), signals::void)
        .get("/api/admin/staff", people, staff::list)
        .post("/api/admin/staff", people, staff::invite)
        .patch("/api/admin/staff/{id}", people, staff::change)
        .get("/api/admin/settings", read, settings::read)
        .put("/api/admin/settings", may(Permission::EditPolicy), settings::change)
        .get("/api/admin/settings/versions", read, settings::versions)
        .get("/api/admin/faq", read, helpdesk::read_faq)
        .put("/api/admin/faq", may(Permission::EditShop), helpdesk::change_faq)
        .get("/api/admin/contact", read, helpdesk::read_contact)
        .put("/api/admin/contact", may(Permission::EditShop), helpdesk::change_contact)
        .get("/api/admin/audit-log", may(Permission::ReadAudit), trace::list)
        .get("/api/admin/audit-log/export.csv", may(Permission::ReadAudit), trace::export)
        .get("/api/admin/tasks", read, tasks::list)
        .post("/api/admin/tasks/{id}/close", may(Permission::CloseTasks), tasks::close)
        .get("/api/admin/ledger/reconciliation", read, tasks::reconciliation)
        .build(app)
}
