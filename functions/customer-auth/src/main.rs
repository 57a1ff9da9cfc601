//! Customers register, log in, stay logged in and log out.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), qutab::app::StartError> {
    qutab::runtime::start::serve(customer_auth::group).await
}
