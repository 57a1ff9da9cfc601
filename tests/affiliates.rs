//! What affiliates do, told through the API: the product's checklist, sections 6 to 16.

mod applications;
mod clicks;
mod earnings;
mod promoting;
mod signals;
mod statistics;
mod uploads;
