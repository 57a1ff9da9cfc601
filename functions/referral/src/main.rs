//! /r/{code}: logs the click, sets the cookie, redirects.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), qutab::app::StartError> {
    qutab::runtime::start::serve(referral::group).await
}
