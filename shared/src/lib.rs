//! The library that every function of Qurban Tanpa Batas shares.
//!
//! Data flows one way: a function parses a request (`http`, `events`), a use case (`app`) reads what it needs,
//! lets the pure `domain` decide, and writes through `store` under conditions. See `docs/ARCHITECTURE.md`.

pub mod app;
pub mod domain;
pub mod events;
pub mod files;
pub mod gateway;
pub mod http;
pub mod https;
pub mod mail;
pub mod pdf;
pub mod runtime;
pub mod secrets;
pub mod store;
pub mod whatsapp;
