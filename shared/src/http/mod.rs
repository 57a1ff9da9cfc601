//! What every endpoint shares: routes with their access, access, problems, bodies, pages and cookies.

pub mod access;
pub mod answer;
pub mod cookies;
pub mod csv;
pub mod details;
pub mod form;
pub mod group;
pub mod items;
pub mod login;
pub mod page;
pub mod picture;
pub mod policy;
pub mod upload;

pub use access::{ActiveAffiliate, ActiveCustomer, AdminCaller, AffiliateToken, CustomerToken, Peer};
pub use form::{Change, Form, IdempotencyKey, StaffForm};
pub use group::{Access, Group, Route, Served};
pub use page::PageQuery;
