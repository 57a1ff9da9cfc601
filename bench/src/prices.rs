//! The modelled price of a use case, from public list prices (us-east-1, on demand, November 2026; Jakarta is about a
//! seventh dearer). Free tiers, data transfer, mail, logs and the payment gateway are left out.

use qutab_local::wire::Traffic;

/// US dollars for one write or read request unit.
const WRITE_UNIT: f64 = 0.625e-6;
const READ_UNIT: f64 = 0.125e-6;
/// One request to the HTTP API; one Lambda invocation; one SQS request.
const API_REQUEST: f64 = 1.0e-6;
const INVOCATION: f64 = 0.2e-6;
const QUEUE_REQUEST: f64 = 0.4e-6;
/// One gigabyte-second on arm64.
const GB_SECOND: f64 = 0.000_013_333_4;
/// Modelled time: what a function needs itself, and what it waits for one answer.
const OWN_SECONDS: f64 = 0.002;
const TRIP_SECONDS: f64 = 0.005;
/// The payment gateway takes its time.
const GATEWAY_SECONDS: f64 = 0.3;

/// How a use case is invoked.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Invoked {
    /// Memory in gigabytes, as the template sets it.
    pub memory: f64,
    /// Requests through the HTTP API.
    pub requests: f64,
    /// Seconds of computing that dominate, such as argon2.
    pub computing: f64,
}

/// US dollars for one run of a use case.
pub fn price(traffic: Traffic, invoked: Invoked) -> f64 {
    let trips = f64::from(traffic.dynamo_trips + traffic.queue_trips + traffic.mail_trips);
    let seconds = OWN_SECONDS + invoked.computing + trips * TRIP_SECONDS + f64::from(traffic.gateway_trips) * GATEWAY_SECONDS;
    traffic.write_units * WRITE_UNIT
        + traffic.read_units * READ_UNIT
        + f64::from(traffic.queue_trips) * QUEUE_REQUEST
        + invoked.requests * API_REQUEST
        + INVOCATION
        + seconds * invoked.memory * GB_SECOND
}
