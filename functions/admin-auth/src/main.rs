//! Staff log in.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), qutab::app::StartError> {
    qutab::runtime::start::serve(admin_auth::group).await
}
