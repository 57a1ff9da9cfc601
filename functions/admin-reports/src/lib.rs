//! The shop in numbers: from what was counted by day, so that an answer costs the same for ten orders as for ten thousand.

mod dashboard;
mod reports;

use qutab::{
    app::App,
    domain::staff::Permission,
    http::{Access, Group},
};

pub fn group(app: App) -> Group {
    let read = Access::Admin(Permission::Read);
    Group::named("admin-reports")
        .get("/api/admin/dashboard", read, dashboard::dashboard)
        .get("/api/admin/reports/sales", read, reports::sales)
        .get("/api/admin/reports/products", read, reports::products)
        .get("/api/admin/reports/affiliates", read, reports::affiliates)
        .get("/api/admin/reports/commissions", read, reports::commissions)
        .build(app)
}
