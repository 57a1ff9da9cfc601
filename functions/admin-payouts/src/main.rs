//! Payout requests and what became of them.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), qutab::app::StartError> {
    qutab::runtime::start::serve_intake(admin_payouts::group).await
}
