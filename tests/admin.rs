//! What staff do, told through the API: the product's checklist, sections 7, 12, 14, 19, 21 and 22.

mod access;
mod jobs;
mod logins;
mod operations;
mod orders;
mod payouts;
mod reports;
mod reviews;
mod shop;
mod tables;
mod walks;
