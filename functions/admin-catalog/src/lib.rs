//! What the shop offers: products with stock and pictures, coupons, and materials for affiliates.

mod coupons;
mod materials;
mod pictures;
mod products;

use qutab::{
    app::uploads::Intake,
    domain::staff::Permission,
    http::{Access, Group},
};

const EDIT: Permission = Permission::EditShop;

pub fn group(intake: Intake) -> Group {
    let (read, edit) = (Access::Admin(Permission::Read), Access::Admin(EDIT));
    Group::named("admin-catalog")
        .get("/api/admin/products", read, products::list)
        .post("/api/admin/products", edit, products::create)
        .get("/api/admin/products/{id}", read, products::one)
        .patch("/api/admin/products/{id}", edit, products::update)
        .delete("/api/admin/products/{id}", edit, products::archive)
        .post("/api/admin/products/{id}/stock", edit, products::restock)
        .get("/api/admin/products/{id}/history", read, products::history)
        .post("/api/admin/products/{id}/images", edit, pictures::open)
        .put("/api/admin/products/{id}/images", edit, pictures::arrange)
        .post("/api/admin/products/{id}/images/{upload_id}/complete", edit, pictures::complete)
        .get("/api/admin/coupons", read, coupons::list)
        .post("/api/admin/coupons", edit, coupons::create)
        .get("/api/admin/coupons/{code}", read, coupons::one)
        .post("/api/admin/coupons/{code}/deactivate", edit, coupons::deactivate)
        .get("/api/admin/materials", read, materials::list)
        .post("/api/admin/materials", edit, materials::open)
        .post("/api/admin/materials/{upload_id}/complete", edit, materials::complete)
        .delete("/api/admin/materials/{id}", edit, materials::delete)
        .build(intake)
}
