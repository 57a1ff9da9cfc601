//! Prints what every use case costs; with `clicks 1000 1000000`, what an affiliate's pages cost after so many clicks; with
//! `release`, what each function's zip weighs and how fast it starts; with `histories`, what the simulation finds; with
//! `bugs`, which of the seeded bugs are found.
#![allow(clippy::print_stdout, reason = "printing is what it does")]

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.first().map(String::as_str) {
        Some("histories") => std::process::exit(qutab_bench::histories::run(&arguments[1..], &|line| println!("{line}"))),
        Some("bugs") => std::process::exit(qutab_bench::bugs::run(&arguments[1..], &|line| println!("{line}"))),
        _ => tables(arguments),
    }
}

#[tokio::main(flavor = "current_thread")]
async fn tables(arguments: Vec<String>) {
    let mut arguments = arguments.into_iter();
    match arguments.next().as_deref() {
        Some("clicks") => println!("{}", qutab_bench::clicks::table(&arguments.filter_map(|n| n.parse().ok()).collect::<Vec<_>>()).await),
        Some("release") => println!("{}", qutab_bench::release::table("template.yaml".as_ref(), "target".as_ref(), &arguments.collect::<Vec<_>>())),
        _ => println!("{}", qutab_bench::table(&qutab_bench::measure().await)),
    }
}
