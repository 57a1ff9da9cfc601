//! Products, coupons and materials.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), qutab::app::StartError> {
    qutab::runtime::start::serve_intake(admin_catalog::group).await
}
