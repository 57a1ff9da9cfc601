//! Questions, answers and how to reach us.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), qutab::app::StartError> {
    qutab::runtime::start::serve(helpdesk::group).await
}
