//! Where the process meets its surroundings: the environment, the system's clock and entropy, the clients and the logs.
//! The only room that reads any of them.

pub mod clients;
pub mod config;
pub mod start;
pub mod telemetry;
mod wired;

use crate::domain::time::{Clock, Entropy, Timestamp};

/// The system's clock.
pub fn system_clock() -> Clock {
    #[expect(clippy::disallowed_methods, reason = "the one place that reads the system's clock")]
    Clock::new(|| Timestamp::from_unix(jiff::Timestamp::now().as_second()))
}

/// The system's entropy. Without it nothing that is made here would be safe, so the process ends.
pub fn system_entropy() -> Entropy {
    use ring::rand::SecureRandom;
    #[expect(clippy::disallowed_methods, reason = "the one place that reads the system's entropy")]
    let random = ring::rand::SystemRandom::new();
    Entropy::new(move |bytes| {
        if random.fill(bytes).is_err() {
            std::process::abort();
        }
    })
}
