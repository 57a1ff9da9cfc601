//! Customers see, change and delete their own data.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), qutab::app::StartError> {
    qutab::runtime::start::serve(customer_profile::group).await
}
