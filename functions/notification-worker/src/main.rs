//! Sends owed mail, and sweeps the outbox.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), qutab::app::StartError> {
    notification_worker::start().await
}
