//! What an affiliate looks at: numbers, leads, the link.

use super::steps::{Step, Walk, rupiah, text};
use qutab::runtime::system_clock;

impl Walk {
    pub async fn affiliate_looks_at_the_dashboard(&mut self) -> Step {
        self.caller.schedule("aggregation", &system_clock().now().day().to_string()).await?;
        let token = self.promoter().await?;
        let seen = self.caller.get("/api/affiliate/dashboard/summary", &token).await?;
        self.say(&format!(
            "the affiliate's dashboard, as of {}: {} clicks, {} sales, {} earned",
            text(&seen, "as_of"),
            seen["clicks"],
            seen["conversions"],
            rupiah(&seen, "commission")
        ));
        let leads = self.caller.get("/api/affiliate/referrals", &token).await?;
        let lead = &leads["items"][0];
        println!("     lead {}: {}, {} for {}", text(lead, "order_number"), text(lead, "status"), text(lead, "items"), text(lead, "customer"));
        let drawn = self.caller.file("/api/affiliate/referral-link/qr", &token).await?;
        println!("     the link as a QR code: {} bytes of SVG", drawn.len());
        if seen["conversions"] == 0 { Err("the sale was not counted".into()) } else { Ok(()) }
    }
}
