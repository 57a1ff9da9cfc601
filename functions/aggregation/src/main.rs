//! Every five minutes: the affiliates' days are counted.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), qutab::app::StartError> {
    aggregation::start().await
}
