//! Prints what every use case costs.
#![allow(clippy::print_stdout, reason = "printing is what it does")]

#[tokio::main(flavor = "current_thread")]
async fn main() {
    println!("{}", qutab_bench::table(&qutab_bench::measure().await));
}
