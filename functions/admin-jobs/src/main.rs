//! Schedules by hand.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), qutab::app::StartError> {
    qutab::runtime::start::serve_with(|wiring| wiring.workshop(qutab::runtime::system_clock()), admin_jobs::group).await
}
