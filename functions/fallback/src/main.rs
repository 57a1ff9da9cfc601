//! Whatever no other route takes.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), qutab::app::StartError> {
    fallback::start().await
}
