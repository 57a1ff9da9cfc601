//! Scheduled events: "now" is the event's own time, so that a late run does what the punctual one would have done.

use crate::domain::time::{Clock, Timestamp};
use serde::Deserialize;

/// The event of an EventBridge schedule, as the template shapes it.
#[derive(Debug, Clone, Deserialize)]
pub struct Scheduled {
    pub time: Timestamp,
}

/// A schedule that says it is later than it can be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the schedule's time {0} lies in the future")]
pub struct TooEarly(pub Timestamp);

impl Scheduled {
    /// The moment as of which the job runs. On one's own machine any date goes; elsewhere at most five minutes ahead.
    pub fn now(&self, clock: &Clock, local: bool) -> Result<Timestamp, TooEarly> {
        if !local && self.time > clock.now().plus_seconds(300) { Err(TooEarly(self.time)) } else { Ok(self.time) }
    }
}
