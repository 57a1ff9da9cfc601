//! Affiliates apply, log in and see their status.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), qutab::app::StartError> {
    qutab::runtime::start::serve(affiliate_auth::group).await
}
