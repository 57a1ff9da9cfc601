//! Affiliates see and change their own data.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), qutab::app::StartError> {
    qutab::runtime::start::serve_intake(affiliate_profile::group).await
}
