//! By hand, once: makes the first owner.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), qutab::app::StartError> {
    first_owner::start().await
}
