//! Applications, affiliates and their bank accounts.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), qutab::app::StartError> {
    qutab::runtime::start::serve(admin_affiliates::group).await
}
