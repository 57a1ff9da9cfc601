//! Identity cards, shown to who verifies bank accounts.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), qutab::app::StartError> {
    qutab::runtime::start::serve_with(|wiring| wiring.reading_room(qutab::runtime::system_clock()), admin_documents::group).await
}
