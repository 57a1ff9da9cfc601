//! The path of the money, walked over HTTP like its real users would: affiliate, customer, staff, gateway, schedules.
//!
//! Every request that changes something carries an idempotency key and is repeated while the system is away, so the
//! walk survives a `kill -9` of the system in its middle.
#![allow(clippy::print_stdout, reason = "it tells a person what happens")]

mod affiliate;
mod caller;
mod customer;
mod staff;
mod steps;

use crate::system::{Options, System};
use caller::Caller;
use steps::Walk;

/// Walks on the running system, or on one of its own, whose data is thrown away first.
pub async fn run(options: Options) -> Result<(), String> {
    let caller = Caller::new(&options);
    let own = if caller.reachable().await {
        println!("Walking on the system at {}", options.api());
        None
    } else {
        let data = options.data.join("demo");
        let _ = std::fs::remove_dir_all(&data);
        let system = System::start(Options { data, ..options }).await?;
        println!("Walking on a system of its own");
        Some(system)
    };
    let mut walk = Walk::new(caller);
    walk.affiliate_applies().await?;
    walk.visitor_buys().await?;
    walk.customer_corrects_a_name_and_prints_the_receipt().await?;
    walk.affiliate_looks_at_the_dashboard().await?;
    walk.staff_look_after_the_shop().await?;
    walk.order_completes().await?;
    walk.commission_matures().await?;
    walk.payout_is_paid().await?;
    walk.pending_commission_is_voided().await?;
    walk.paid_commission_is_clawed_back().await?;
    walk.books_are_checked().await?;
    drop(own);
    Ok(())
}
