//! What an affiliate's links bring, and what to promote with.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), qutab::app::StartError> {
    qutab::runtime::start::serve(affiliate_dashboard::group).await
}
