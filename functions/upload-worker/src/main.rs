//! Sends uploads to be looked at, and keeps what came of it.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), qutab::app::StartError> {
    upload_worker::start().await
}
