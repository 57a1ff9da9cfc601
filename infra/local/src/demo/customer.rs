//! What a customer does besides paying: proves the address, tries a coupon, corrects a name, prints the receipt.

use super::steps::{Step, Walk, rupiah, text};
use crate::seed;
use http::Method;
use serde_json::{Value, json};

impl Walk {
    /// The link in the mail, followed.
    pub(super) async fn customer_proves_the_address(&mut self) -> Step {
        let marker = "/verify-email?token=";
        let email = self.customer_email.clone();
        let of_us = |m: &Value| m["to"] == email.as_str() && m["text"].as_str().is_some_and(|t| t.contains(marker));
        let mails = self.until("/_local/mails", "", |mails| mails.as_array().is_some_and(|all| all.iter().any(&of_us))).await?;
        let mail = mails.as_array().and_then(|all| all.iter().rev().find(|m| of_us(m)).cloned()).unwrap_or_default();
        let token = text(&mail, "text").split_once(marker).and_then(|(_, rest)| rest.split_whitespace().next().map(str::to_owned));
        // A repetition after a lost answer finds the link used up.
        self.caller.call(Method::POST, "/api/auth/verify-email", "", "", Some(&json!({ "token": token }))).await?;
        let profile = self.caller.get("/api/profile", &self.customer().await?).await?;
        self.say(&format!("proves the address by the mailed link: verified {}", profile["email_verified"]));
        if profile["email_verified"] == true { Ok(()) } else { Err("the address was not verified".into()) }
    }

    pub(super) async fn customer_tries_a_coupon(&mut self) -> Step {
        let items = json!([{ "product_id": seed::product_id("sapi-limosin"), "quantity": 1 }]);
        let buyer = self.customer().await?;
        let quote = self.caller.post("/api/coupons/validate", &buyer, "", &json!({ "code": "BERKAH10", "items": items })).await?;
        let unknown = self.caller.post("/api/coupons/validate", &buyer, "", &json!({ "code": "TIADA", "items": items })).await?;
        self.say(&format!("asks about coupons: BERKAH10 takes off {}; TIADA is {}", rupiah(&quote, "discount"), text(&unknown["reason"], "code")));
        Ok(())
    }

    pub async fn customer_corrects_a_name_and_prints_the_receipt(&mut self) -> Step {
        let (buyer, path) = (self.customer().await?, format!("/api/orders/{}", self.sold));
        let names = json!([{ "name": "Budi Santoso", "father": "Harjo" }, { "name": "Sri Rahayu", "father": "Harjo" }]);
        let body = json!({ "items": [{ "product_id": seed::product_id("sapi-limosin"), "shohibul": names }] });
        let (status, order) = self.caller.call(Method::PATCH, &format!("{path}/names"), &buyer, "", Some(&body)).await?;
        let count = order["items"][0]["shohibul"].as_array().map_or(0, Vec::len);
        self.say(&format!("adds a name to the order: {status}, {count} shohibul"));
        let file = self.caller.file(&format!("{path}/receipt"), &buyer).await?;
        self.say(&format!("prints the receipt: a PDF of {} bytes", file.len()));
        if file.starts_with(b"%PDF") { Ok(()) } else { Err("the receipt is no PDF".into()) }
    }
}
