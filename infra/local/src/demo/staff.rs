//! What staff do besides the path of the money: a coupon, the numbers, a schedule's preview, the trace of it all.

use super::steps::{Step, Walk, rupiah, text};
use http::Method;
use qutab::runtime::system_clock;
use serde_json::json;

impl Walk {
    pub async fn staff_look_after_the_shop(&mut self) -> Step {
        let code = format!("STAF-{}", self.tag.to_uppercase().chars().take(8).collect::<String>());
        let (ops, finance) = (self.staff("ops").await?, self.staff("finance").await?);
        let until = system_clock().now().plus_days(30);
        let coupon = json!({ "code": code, "discount": { "kind": "percent", "rate": 500, "cap": 100_000 }, "valid_until": until, "limit": 10 });
        // 409: the walk came by before.
        self.caller.call(Method::POST, "/api/admin/coupons", &ops, "", Some(&coupon)).await?;
        self.say(&format!("staff make the coupon {code}"));
        self.caller.schedule("aggregation", &system_clock().now().day().to_string()).await?;
        let seen = self.caller.get("/api/admin/dashboard", &finance).await?;
        println!("     today: {} orders, {} paid, {}", seen["today"]["orders"], seen["today"]["paid_orders"], rupiah(&seen["today"], "revenue"));
        println!("     by status: {}; payouts waiting: {}", seen["orders_by_status"], seen["payouts_waiting"]["count"]);
        let preview = self.caller.post("/api/admin/jobs/maturation/run", &finance, "", &json!({ "dry_run": true })).await?;
        println!("     a maturation now would move {} commissions", preview["report"]["commissions"]);
        let audit = self.caller.get("/api/admin/audit-log?limit=3", &finance).await?;
        for entry in audit["items"].as_array().into_iter().flatten() {
            println!("     audit log: {} {} {}", text(entry, "at"), text(entry, "action"), text(entry, "subject"));
        }
        if seen["today"]["paid_orders"] == 0 { Err("the sale is not on the dashboard".into()) } else { Ok(()) }
    }
}
