//! Daily: clicks whose retention is over go to the archive.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), qutab::app::StartError> {
    click_archive::start().await
}
