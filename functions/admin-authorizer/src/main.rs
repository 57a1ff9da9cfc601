//! Lets staff through to the admin routes.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), qutab::app::StartError> {
    admin_authorizer::start().await
}
