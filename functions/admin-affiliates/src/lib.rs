//! Applications, affiliates and their bank accounts.

mod affiliates;
mod applications;
mod bank_accounts;

use qutab::{
    app::{App, Code, Problem},
    domain::{ids::AffiliateId, staff::Permission},
    http::{Access, Group},
};

const READ: Access = Access::Admin(Permission::Read);
const REVIEW: Permission = Permission::ReviewAffiliates;
const VERIFY: Permission = Permission::VerifyBankAccounts;

pub fn group(app: App) -> Group {
    let (review, verify) = (Access::Admin(REVIEW), Access::Admin(VERIFY));
    Group::named("admin-affiliates")
        .get("/api/admin/applications", READ, applications::list)
        .get("/api/admin/applications/{id}", READ, applications::one)
        .post("/api/admin/applications/{id}/approve", review, applications::approve)
        .post("/api/admin/applications/{id}/reject", review, applications::reject)
        .get("/api/admin/affiliates", READ, affiliates::list)
        .get("/api/admin/affiliates/{id}", READ, affiliates::one)
        .post("/api/admin/affiliates/{id}/suspend", review, affiliates::suspend)
        .post("/api/admin/affiliates/{id}/reinstate", review, affiliates::reinstate)
        .put("/api/admin/affiliates/{id}/code", review, affiliates::change_code)
        .put("/api/admin/affiliates/{id}/commission", review, affiliates::set_commission)
        .get("/api/admin/bank-accounts", READ, bank_accounts::list)
        .get("/api/admin/bank-accounts/{id}", verify, bank_accounts::one)
        .post("/api/admin/bank-accounts/{id}/verify", verify, bank_accounts::verify)
        .post("/api/admin/bank-accounts/{id}/reject", verify, bank_accounts::reject)
        .build(app)
}

fn id(text: &str) -> Result<AffiliateId, Problem> {
    AffiliateId::parse(text).ok_or_else(|| Problem::new(Code::NotFound))
}
