//! All tests, one binary: stories, faults, races, contract.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout, clippy::similar_names)]

mod admin;
mod affiliates;
mod contract;
mod counts;
mod customers;
mod faults;
mod garbage;
mod grants;
mod histories;
mod house;
mod messages;
mod money;
mod money_path;
mod openapi;
mod properties;
mod races;
mod security;
mod supply;
mod system;
mod table;
mod template;
