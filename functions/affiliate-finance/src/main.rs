//! Bank account, balance, commissions, ledger and payouts.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), qutab::app::StartError> {
    qutab::runtime::start::serve_intake(affiliate_finance::group).await
}
