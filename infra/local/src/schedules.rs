//! EventBridge schedules of the template: `rate(...)`, and hourly or daily `cron(...)`, on time or by hand as of any date.

use crate::{
    lambda::{Failure, Fleet},
    template::{Schedule, Template},
};
use qutab::{domain::time::Timestamp, runtime::system_clock};
use serde_json::Value;
use std::{sync::Arc, time::Duration};

/// When a schedule runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum When {
    /// Every so many seconds.
    Every(i64),
    /// Every hour at this second of it.
    Hourly(i64),
    /// Daily at this second of the day, UTC.
    Daily(i64),
}

impl When {
    fn parse(expression: &str) -> Option<Self> {
        if let Some(rate) = expression.strip_prefix("rate(").and_then(|r| r.strip_suffix(')')) {
            let (count, unit) = rate.split_once(' ')?;
            let unit = match unit.trim_end_matches('s') {
                "minute" => 60,
                "hour" => 3_600,
                "day" => 86_400,
                _ => return None,
            };
            return count.parse().ok().filter(|c: &i64| *c > 0).map(|c| Self::Every(c * unit));
        }
        let fields: Vec<&str> = expression.strip_prefix("cron(")?.strip_suffix(')')?.split(' ').collect();
        match fields.as_slice() {
            [minute, "*", "*", "*", "?", "*"] | [minute, "*", "?", "*", "*", "*"] => {
                minute.parse().ok().filter(|m: &i64| (0..60).contains(m)).map(|m| Self::Hourly(m * 60))
            }
            [minute, hour, "*", "*", "?", "*"] | [minute, hour, "?", "*", "*", "*"] => {
                let (minute, hour): (i64, i64) = (minute.parse().ok()?, hour.parse().ok()?);
                ((0..60).contains(&minute) && (0..24).contains(&hour)).then_some(Self::Daily(hour * 3_600 + minute * 60))
            }
            _ => None,
        }
    }

    /// The first run after `now`.
    fn after(self, now: i64) -> i64 {
        match self {
            Self::Every(seconds) => (now.div_euclid(seconds) + 1) * seconds,
            Self::Hourly(second) => next(now, 3_600, second),
            Self::Daily(second) => next(now, 86_400, second),
        }
    }
}

/// The first moment after `now` that is `second` seconds into a period.
const fn next(now: i64, period: i64, second: i64) -> i64 {
    let this = now.div_euclid(period) * period + second;
    if this > now { this } else { this + period }
}

#[derive(Debug, Clone)]
pub struct Job {
    pub function: String,
    pub schedule: Schedule,
    when: When,
}

/// The schedules of the template; an expression that is not known here is an error.
pub fn of(template: &Template) -> Result<Vec<Job>, String> {
    let scheduled = template.functions.iter().filter_map(|f| f.schedule.clone().map(|s| (f, s)));
    scheduled
        .map(|(f, schedule)| {
            let when =
                When::parse(&schedule.expression).ok_or_else(|| format!("{}: cannot read the schedule {}", f.logical_id, schedule.expression))?;
            Ok(Job { function: f.package.clone(), schedule, when })
        })
        .collect()
}

impl Job {
    /// Runs the job as of a moment, and answers with what it said.
    pub async fn run(&self, fleet: &Fleet, at: Timestamp) -> Result<Value, Failure> {
        let input = self.schedule.input.replace("<aws.scheduler.scheduled-time>", &at.to_string());
        let event = serde_json::from_str(&input).map_err(|e| Failure::Failed(e.to_string()))?;
        fleet.invoke(&self.function, &event).await
    }

    /// Runs the job whenever it is due, for ever.
    pub async fn keep(self, fleet: Arc<Fleet>) {
        let clock = system_clock();
        loop {
            let due = self.when.after(clock.now().unix());
            let wait = u64::try_from(due - clock.now().unix()).unwrap_or_default();
            tokio::time::sleep(Duration::from_secs(wait)).await;
            if let Err(failure) = self.run(&fleet, Timestamp::from_unix(due)).await {
                eprintln!("schedule of {}: {failure:?}", self.function);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::When;

    #[test]
    fn expressions_say_when() {
        assert_eq!(When::parse("rate(5 minutes)").map(|w| w.after(301)), Some(600));
        assert_eq!(When::parse("cron(0 18 * * ? *)").map(|w| w.after(86_400)), Some(86_400 + 18 * 3_600));
        assert_eq!(When::parse("cron(0 18 * * ? *)").map(|w| w.after(18 * 3_600)), Some(86_400 + 18 * 3_600));
        assert_eq!(When::parse("cron(30 * * * ? *)").map(|w| w.after(1_799)), Some(1_800));
        assert_eq!(When::parse("cron(30 * * * ? *)").map(|w| w.after(1_800)), Some(5_400));
        for bad in ["rate(0 minutes)", "rate(5 moons)", "cron(0 25 * * ? *)", "cron(60 * * * ? *)", "cron(0 18 1 * ? *)", "daily"] {
            assert_eq!(When::parse(bad), None, "{bad}");
        }
    }
}
