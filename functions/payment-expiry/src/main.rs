//! Every five minutes: unpaid orders past their deadline.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), qutab::app::StartError> {
    payment_expiry::start().await
}
