//! Daily: pictures of identity cards whose time is over are removed.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), qutab::app::StartError> {
    ktp_retention::start().await
}
