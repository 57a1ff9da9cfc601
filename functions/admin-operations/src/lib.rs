//! Running the shop: staff, and commissions that need a person.

mod signals;
mod staff;

use qutab::{
    app::App,
    domain::staff::Permission,
    http::{Access, Group},
};

pub fn group(app: App) -> Group {
    let (read, refund, people) = (Access::Admin(Permission::Read), Access::Admin(Permission::Refund), Access::Admin(Permission::ManageStaff));
    Group::named("admin-operations")
        .get("/api/admin/signals", read, signals::list)
        .post("/api/admin/signals/{id}/release", refund, signals::release)
        .post("/api/admin/signals/{id}/void", refund, signals::void)
        .get("/api/admin/staff", people, staff::list)
        .post("/api/admin/staff", people, staff::invite)
        .patch("/api/admin/staff/{id}", people, staff::change)
        .build(app)
}
