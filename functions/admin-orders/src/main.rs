//! Orders: found, moved on, cancelled, refunded.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), qutab::app::StartError> {
    qutab::runtime::start::serve_with(|wiring| wiring.counter(qutab::runtime::system_clock()), admin_orders::group).await
}
