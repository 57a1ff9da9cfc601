//! What is signed, sealed or hashed: access tokens, referral clicks, passwords, refresh secrets.

pub mod cursor;
pub mod link;
pub mod password;
pub mod referral;
pub mod refresh;
pub mod token;
pub mod totp;
pub mod vault;
