//! Daily: commissions past their hold become available.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), qutab::app::StartError> {
    maturation::start().await
}
