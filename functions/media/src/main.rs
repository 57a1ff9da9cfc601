//! Looks at uploaded pictures, and can do nothing else.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), qutab::app::StartError> {
    media::start().await
}
