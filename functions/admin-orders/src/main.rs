//! Orders, their progress and refunds.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), qutab::app::StartError> {
    qutab::runtime::start::serve_shop(admin_orders::group).await
}
