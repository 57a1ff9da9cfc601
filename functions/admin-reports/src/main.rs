//! Dashboard and reports of the shop.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), qutab::app::StartError> {
    qutab::runtime::start::serve(admin_reports::group).await
}
