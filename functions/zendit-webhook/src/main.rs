//! Takes the gateway's notices: verify, enqueue, answer.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), qutab::app::StartError> {
    zendit_webhook::start().await
}
