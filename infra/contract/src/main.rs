//! Writes the OpenAPI document; with `examples RECORD` chooses its examples anew first.
#![allow(clippy::print_stdout, reason = "says what it wrote")]

use qutab_contract::{ContractError, document, file};
use qutab_tests::World;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), ContractError> {
    let world = World::new().await;
    let mut arguments = std::env::args().skip(1);
    if let (Some("examples"), Some(record)) = (arguments.next().as_deref(), arguments.next()) {
        qutab_contract::choose(world.groups(), record.as_ref())?;
    }
    let document = document(world.groups())?;
    let text = serde_json::to_string_pretty(&document).map_err(|e| ContractError::Json(file(), e))?;
    std::fs::write(file(), text + "\n").map_err(|e| ContractError::File(file(), e))?;
    println!("wrote {}", file().display());
    Ok(())
}
