//! What customers do, told through the API: the product's checklist, sections 1 to 5, 14, 15 and 20.

mod accounts;
mod coupons;
mod guesses;
mod helpdesk;
mod holdings;
mod letters;
mod orders;
mod payments;
mod phones;
mod products;
mod profile;
mod receipts;
mod returns;
mod texts;
mod tokens;
