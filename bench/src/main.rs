//! Prints what every use case costs; with `clicks 1000 1000000`, what an affiliate's pages cost after so many clicks; with
//! `release`, what each function's zip weighs and how fast it starts.
#![allow(clippy::print_stdout, reason = "printing is what it does")]

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let mut arguments = std::env::args().skip(1);
    match arguments.next().as_deref() {
        Some("clicks") => println!("{}", qutab_bench::clicks::table(&arguments.filter_map(|n| n.parse().ok()).collect::<Vec<_>>()).await),
        Some("release") => println!("{}", qutab_bench::release::table("template.yaml".as_ref(), "target".as_ref(), &arguments.collect::<Vec<_>>())),
        _ => println!("{}", qutab_bench::table(&qutab_bench::measure().await)),
    }
}
