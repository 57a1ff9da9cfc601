//! Daily: recounts the ledgers.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), qutab::app::StartError> {
    reconciliation::start().await
}
