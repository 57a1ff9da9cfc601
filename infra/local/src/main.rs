//! `cargo run`: the whole system on this machine. `cargo run -- demo`: the path of the money, walked over HTTP.
#![allow(clippy::print_stdout, reason = "a program that talks to a person")]

use qutab_local::{
    demo,
    system::{Options, System},
};
use std::{path::PathBuf, process::ExitCode};

const USAGE: &str = "\
cargo run -- [demo] [--port 3000] [--data .qutab] [--shop http://localhost:5173] [--whatsapp]

  (nothing)  starts the whole system; Ctrl-C ends it
  demo       walks the path of the money over HTTP, on the running system or on one of its own
  --port     the API's port; the next three are taken as well
  --data     where everything is kept between runs
  --whatsapp sends messages too, to a stand-in of the message service
  --shop     the address of a front end, for CORS and for links in mails";

struct Wanted {
    demo: bool,
    options: Options,
}

fn parse(mut arguments: impl Iterator<Item = String>) -> Result<Wanted, String> {
    let root = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."));
    let root = root.canonicalize().unwrap_or(root);
    let options = Options { port: 3000, data: root.join(".qutab"), shop: None, template: root.join("template.yaml"), whatsapp: false };
    let mut wanted = Wanted { demo: false, options };
    while let Some(argument) = arguments.next() {
        let mut value = || arguments.next().ok_or_else(|| format!("{argument} needs a value"));
        match argument.as_str() {
            "demo" => wanted.demo = true,
            "--whatsapp" => wanted.options.whatsapp = true,
            "--port" => {
                let port = value()?;
                wanted.options.port =
                    port.parse().ok().filter(|p| (1024..65_000).contains(p)).ok_or(format!("{port} is no port from 1024 to 64999"))?;
            }
            "--data" => wanted.options.data = value()?.into(),
            "--shop" => wanted.options.shop = Some(value()?.trim_end_matches('/').to_owned()),
            "--template" => wanted.options.template = value()?.into(),
            _ => return Err(format!("{argument} is not known\n\n{USAGE}")),
        }
    }
    Ok(wanted)
}

#[tokio::main]
async fn main() -> ExitCode {
    let outcome = match parse(std::env::args().skip(1)) {
        Ok(Wanted { demo: true, options }) => demo::run(options).await,
        Ok(Wanted { demo: false, options }) => serve(options).await,
        Err(message) => Err(message),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("{message}");
            ExitCode::FAILURE
        }
    }
}

async fn serve(options: Options) -> Result<(), String> {
    let system = System::start(options).await?;
    let options = &system.options;
    println!("\nQutab runs.\n");
    println!("  API and console  {}", options.api());
    println!("  payment gateway  {}", options.zendit());
    println!("  data and logs    {}\n", options.data.display());
    for (who, login) in system.logins() {
        println!("  {who:<19}{login}");
    }
    println!("\nCtrl-C ends everything; what is on disk stays.");
    tokio::signal::ctrl_c().await.map_err(|e| e.to_string())
}
