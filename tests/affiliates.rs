//! What affiliates do, told through the API: the product's checklist, sections 6 to 16.

mod applications;
mod clicks;
mod earnings;
mod promoting;
mod season;
mod signals;
mod statistics;
mod uploads;
