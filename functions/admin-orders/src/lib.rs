//! Orders: found, moved on, cancelled, refunded.

mod find;
mod progress;
mod refunds;
mod view;

use qutab::{
    app::{Code, Counter, Problem},
    domain::{ids::OrderId, staff::Permission},
    http::{Access, Group},
};

pub fn group(counter: Counter) -> Group {
    let (read, export) = (Access::Admin(Permission::Read), Access::Admin(Permission::ReadAudit));
    let (run, refund) = (Access::Admin(Permission::RunOrders), Access::Admin(Permission::Refund));
    Group::named("admin-orders")
        .get("/api/admin/orders", read, find::list)
        .get("/api/admin/orders/export.csv", export, find::export)
        .get("/api/admin/orders/{id}", read, find::one)
        .post("/api/admin/orders/bulk-status", run, progress::advance_many)
        .post("/api/admin/orders/{id}/status", run, progress::advance)
        .post("/api/admin/orders/{id}/photos", run, progress::open_photo)
        .post("/api/admin/orders/{id}/photos/{upload_id}/complete", run, progress::complete_photo)
        .post("/api/admin/orders/{id}/cancel", run, progress::cancel)
        .post("/api/admin/orders/{id}/refund", refund, refunds::open)
        .post("/api/admin/orders/{id}/refunds/{refund_id}/take-over", refund, refunds::take_over)
        .post("/api/admin/orders/{id}/refunds/{refund_id}/confirm", refund, refunds::confirm)
        .post("/api/admin/orders/{id}/refunds/{refund_id}/proof", refund, refunds::open_proof)
        .post("/api/admin/orders/{id}/refunds/{refund_id}/proof/{upload_id}/complete", refund, refunds::complete_proof)
        .post("/api/admin/orders/{id}/receipts/{invoice}/refund", refund, refunds::of_receipt)
        .build(counter)
}

fn id(text: &str) -> Result<OrderId, Problem> {
    OrderId::parse(text).ok_or_else(|| Problem::new(Code::NotFound))
}
