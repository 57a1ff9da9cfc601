//! Does the work of the payments queue.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), qutab::app::StartError> {
    commission_worker::start().await
}
