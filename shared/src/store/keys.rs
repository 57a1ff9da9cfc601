//! The single table: every entity, its key, its index entries, and the question each of them answers.
//!
//! | entity | pk | sk | asked for |
//! |---|---|---|---|
//! | settings | `SETTINGS` | `CURRENT` | with every decision that depends on policy |
//! | settings version | `SETTINGS` | `V#{version}` | what the settings were, newest last |
//! | helpdesk | `SETTINGS` | `HELPDESK` | questions, answers and contacts |
//! | product | `CATALOG` | `PRODUCT#{id}` | the whole catalogue in one query, or one product |
//! | stock | `CATALOG` | `STOCK#{id}` | together with the products; small and hot, so an item of its own |
//! | slug | `SLUG#{slug}` | `SLUG` | makes a product's address unique |
//! | product change | `PRODUCT_CHANGES#{id}` | `{at}#{id}` | what was changed about a product, newest last |
//! | stock change | `STOCK_CHANGE#{id}` | `STOCK_CHANGE` | the name of a change of stock, so that a repeat is recognised; thirty days |
//! | coupon | `COUPON#{code}` | `COUPON` | at checkout; `by_owner`: an affiliate's coupons, or the shop's own |
//! | coupon uses | `COUPON#{code}` | `CUSTOMER#{id}` | how often one customer uses a coupon that limits it |
//! | login | `LOGIN#{audience}#{email}` | `LOGIN` | by the address that somebody types; makes an address unique |
//! | throttle | `THROTTLE#{digest}` | `THROTTLE` | attempts of one account or address in a window (TTL) |
//! | holdings | `HOLDINGS#{digest}` | `HOLDINGS` | what unpaid orders from one network address hold, if nobody proved theirs (TTL) |
//! | session | `ACCOUNT#{account}` | `SESSION#{id}` | one device, or all devices of an account (TTL) |
//! | mailed link | `ACCOUNT#{account}` | `LINK#{purpose}` | the one that works of each purpose (TTL) |
//! | customer | `ACCOUNT#{account}` | `PROFILE` | by id |
//! | admin | `ACCOUNT#{account}` | `PROFILE` | by id; `by_owner`: all staff |
//! | first owner | `STAFF` | `FIRST_OWNER` | so that there is one |
//! | order | `ORDER#{id}` | `ORDER` | by id; `by_owner`: a customer's orders, newest first; `by_due`: unpaid past the deadline |
//! | payment attempt | `ORDER#{id}` | `ATTEMPT#{n}` | the attempts of an order |
//! | receipt | `ORDER#{id}` | `RECEIPT#{invoice}` | surplus money, once for an invoice |
//! | notice | `ORDER#{id}` | `NOTICE#{at}#{invoice}` | what the gateway told of an order (TTL) |
//! | refund | `ORDER#{id}` | `REFUND#{id}` | the refunds of an order; `by_due`: those that the gateway has, oldest first |
//! | order number | `ORDER_DAY#{day}` | `{number}` | makes a number unique; the orders of a day, for admins |
//! | affiliate | `AFFILIATE#{id}` | `PROFILE` | by id; `by_owner`: applications by status, oldest first (few writes, so one partition a status) |
//! | wallet | `AFFILIATE#{id}` | `WALLET` | before every change of an affiliate's money |
//! | payout account | `AFFILIATE#{id}` | `BANK` | by id; `by_owner`: accounts by verification status |
//! | upload | `UPLOAD#{id}` | `UPLOAD` | what became of a picture (TTL) |
//! | ktp image | `AFFILIATE#{id}` | `KTP#{upload}` | the cards of an affiliate, newest last; `by_due`: those whose time is over |
//! | ledger entry | `AFFILIATE#{id}` | `LEDGER#{n}` | the statement, in order; `n` is contiguous |
//! | checkpoint | `AFFILIATE#{id}` | `CHECKPOINT` | where the reconciliation goes on |
//! | commission | `AFFILIATE#{id}` | `COMMISSION#{placed at}#{order}` | an affiliate's commissions; `by_due`: what may mature, by shard; `by_owner`: what is held for a person |
//! | document link | `DOCUMENT_LINK#{hash}` | `LINK` | lets one admin read one identity card, once (TTL) |
//! | same account | `SAME_ACCOUNT#{hash}` | `{affiliate}` | who has the same bank account |
//! | same identity | `SAME_IDENTITY#{hash}` | `{affiliate}` | who showed an identity card with the same number |
//! | referral | `AFFILIATE#{id}` | `REFERRAL#{placed at}#{order}` | an affiliate's leads, paired with the commissions by order |
//! | daily stats | `AFFILIATE#{id}` | `DAY#{day}` | an affiliate's days, in order; counted from clicks and ledger |
//! | stats totals | `AFFILIATE#{id}` | `TOTALS` | the sum of an affiliate's days, however many there are |
//! | active day | `ACTIVE#{listed on}#{shard}` | `{affiliate}#{day}` | whose day is to be counted (TTL) |
//! | shop day | `SHOP` | `DAY#{day}` | what the shop sold on a day, for dashboard and reports |
//! | shop totals | `SHOP` | `TOTALS` | the sum of all days |
//! | standings | `SHOP` | `STANDINGS` | how the affiliates stand, together |
//! | shop mark | `SHOP_MARKS#{listed on}` | `{day}` | which days are to be counted again (TTL) |
//! | material | `MATERIALS` | `{id}` | banners and graphics for affiliates, in the order in which they came |
//! | job run | `JOBS` | `{name}` | up to when a schedule has done its work, and its last runs |
//! | job place | `JOBS` | `PLACE#{name}` | where a walk through long lists goes on |
//! | payout | `PAYOUT#{id}` | `PAYOUT` | by id; `by_owner`: an affiliate's payouts; `by_due`: the open ones, then the closed ones of a month |
//! | referral code | `CODE#{folded}` | `CODE` | by what a visitor typed; makes a code unique |
//! | click | `CLICKS#{affiliate}#{day}#{shard}` | `{id}` | the raw clicks of a day, over shards (TTL) |
//! | outbox | `OUTBOX#{shard}` | `{id}` | owed work that was not done at once |
//! | task | `TASKS` | `{id}` | what needs a person |
//! | audit | `AUDIT#{day}` | `{at}#{id}` | what admins did, by day |
//!
//! Indexes carry keys only and are sparse: an item is in one only while the question can be about it.

use crate::domain::{
    affiliate::ReferralCode,
    catalog::Slug,
    commission::Commission,
    contact::Email,
    coupon::CouponCode,
    identity::{Audience, LinkPurpose},
    ids::{AffiliateId, AuditId, ClickId, CustomerId, MaterialId, OrderId, OutboxId, PayoutId, ProductId, RefundId, SessionId, TaskId, UploadId},
    order::OrderNumber,
    time::{Day, Timestamp},
};

/// Names of the table's own attributes; everything else belongs to the entities.
pub mod attribute {
    pub const PK: &str = "pk";
    pub const SK: &str = "sk";
    pub const KIND: &str = "kind";
    /// Counts the writes of an aggregate: the condition of every save.
    pub const REVISION: &str = "rev";
    pub const OWNER_PK: &str = "owner_pk";
    pub const OWNER_SK: &str = "owner_sk";
    pub const DUE_PK: &str = "due_pk";
    pub const DUE_SK: &str = "due_sk";
    /// Seconds since 1970 after which DynamoDB removes the item.
    pub const TTL: &str = "ttl";

    pub const ALL: &[&str] = &[PK, SK, KIND, REVISION, OWNER_PK, OWNER_SK, DUE_PK, DUE_SK, TTL];
}

pub const BY_OWNER: &str = "by_owner";
pub const BY_DUE: &str = "by_due";

/// Partitions of every sharded key. Changing it strands what is in the old ones: drain first.
pub const SHARDS: u8 = 8;

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Key {
    pub pk: String,
    pub sk: String,
}

impl Key {
    fn new(pk: impl Into<String>, sk: impl Into<String>) -> Self {
        Self { pk: pk.into(), sk: sk.into() }
    }
}

fn shard(text: &str) -> u8 {
    text.bytes().fold(0_u8, |sum, b| sum.wrapping_mul(31).wrapping_add(b)) % SHARDS
}

pub fn settings() -> Key {
    Key::new("SETTINGS", "CURRENT")
}
pub const SETTINGS: &str = "SETTINGS";
pub const VERSION_PREFIX: &str = "V#";
pub fn settings_version(version: u32) -> Key {
    Key::new(SETTINGS, format!("{VERSION_PREFIX}{version:06}"))
}
pub fn helpdesk() -> Key {
    Key::new("SETTINGS", "HELPDESK")
}
pub const CATALOG: &str = "CATALOG";
pub fn product(id: ProductId) -> Key {
    Key::new(CATALOG, format!("PRODUCT#{id}"))
}
pub fn stock(id: ProductId) -> Key {
    Key::new(CATALOG, format!("STOCK#{id}"))
}
pub fn slug(slug: &Slug) -> Key {
    Key::new(format!("SLUG#{}", slug.as_str()), "SLUG")
}
pub fn product_changes(id: ProductId) -> String {
    format!("PRODUCT_CHANGES#{id}")
}
pub fn product_change(id: ProductId, at: Timestamp, change: AuditId) -> Key {
    Key::new(product_changes(id), timed(at, change))
}
pub fn stock_change(change: AuditId) -> Key {
    Key::new(format!("STOCK_CHANGE#{change}"), "STOCK_CHANGE")
}
pub fn coupon(code: &CouponCode) -> Key {
    Key::new(format!("COUPON#{code}"), "COUPON")
}
pub const SHOP_COUPONS: &str = "COUPONS";
pub fn affiliate_coupons(id: AffiliateId) -> String {
    format!("AFFILIATE_COUPONS#{id}")
}
pub fn coupon_uses(code: &CouponCode, customer: CustomerId) -> Key {
    Key::new(format!("COUPON#{code}"), format!("CUSTOMER#{customer}"))
}
pub fn login(audience: Audience, email: &Email) -> Key {
    Key::new(format!("LOGIN#{}#{}", audience.as_str(), email.login_key()), "LOGIN")
}
/// What is counted may name a person or an address: only its digest is kept.
pub fn throttle(what: &str) -> Key {
    Key::new(format!("THROTTLE#{}", digest(what)), "THROTTLE")
}
/// What is held from a network address; only its digest is kept.
pub fn holdings(address: &str) -> Key {
    Key::new(format!("HOLDINGS#{}", digest(address)), "HOLDINGS")
}
/// Stands for something that is not to be read.
pub fn digest(what: &str) -> String {
    let digest = ring::digest::digest(&ring::digest::SHA256, what.as_bytes());
    data_encoding::BASE64URL_NOPAD.encode(digest.as_ref().get(..16).unwrap_or_default())
}
pub fn account(id: &str) -> String {
    format!("ACCOUNT#{id}")
}
pub fn mailed_link(account: &str, purpose: LinkPurpose) -> Key {
    Key::new(self::account(account), format!("LINK#{}", purpose.as_str()))
}
pub fn session(account_id: &str, id: SessionId) -> Key {
    Key::new(account(account_id), format!("SESSION#{id}"))
}
pub const SESSION_PREFIX: &str = "SESSION#";
pub fn profile(account_id: &str) -> Key {
    Key::new(account(account_id), "PROFILE")
}
pub const STAFF: &str = "STAFF";
pub fn first_owner() -> Key {
    Key::new(STAFF, "FIRST_OWNER")
}
pub fn order_pk(id: OrderId) -> String {
    format!("ORDER#{id}")
}
pub fn order(id: OrderId) -> Key {
    Key::new(order_pk(id), "ORDER")
}
pub fn attempt(id: OrderId, number: u32) -> Key {
    Key::new(order_pk(id), format!("ATTEMPT#{number:03}"))
}
pub fn receipt(id: OrderId, invoice: &str) -> Key {
    Key::new(order_pk(id), format!("RECEIPT#{invoice}"))
}
pub const NOTICE_PREFIX: &str = "NOTICE#";
pub fn notice(id: OrderId, at: Timestamp, invoice: &str) -> Key {
    Key::new(order_pk(id), format!("{NOTICE_PREFIX}{at}#{invoice}"))
}
pub const RECEIPT_PREFIX: &str = "RECEIPT#";
pub const ATTEMPT_PREFIX: &str = "ATTEMPT#";
pub fn refund(id: OrderId, refund: RefundId) -> Key {
    Key::new(order_pk(id), format!("REFUND#{refund}"))
}
pub const REFUNDS_SENT: &str = "REFUNDS_SENT";
pub const REFUND_PREFIX: &str = "REFUND#";
pub fn order_day(day: Day) -> String {
    format!("ORDER_DAY#{day}")
}
pub fn order_number(placed: Timestamp, number: &OrderNumber) -> Key {
    Key::new(order_day(placed.day()), number.as_str())
}
pub fn customer_orders(id: CustomerId) -> String {
    format!("CUSTOMER_ORDERS#{id}")
}
pub fn unpaid(id: OrderId) -> String {
    unpaid_shard(shard(&id.to_string()))
}
pub fn unpaid_shard(shard: u8) -> String {
    format!("UNPAID#{shard}")
}
pub fn affiliate_pk(id: AffiliateId) -> String {
    format!("AFFILIATE#{id}")
}
pub fn affiliate(id: AffiliateId) -> Key {
    Key::new(affiliate_pk(id), "PROFILE")
}
pub fn applications(status: &str) -> String {
    format!("APPLICATIONS#{status}")
}
pub fn wallet(id: AffiliateId) -> Key {
    Key::new(affiliate_pk(id), "WALLET")
}
pub fn payout_account(id: AffiliateId) -> Key {
    Key::new(affiliate_pk(id), "BANK")
}
pub fn payout_accounts(status: &str) -> String {
    format!("PAYOUT_ACCOUNTS#{status}")
}
pub const LEDGER_PREFIX: &str = "LEDGER#";
pub fn ledger(id: AffiliateId, number: u64) -> Key {
    Key::new(affiliate_pk(id), format!("{LEDGER_PREFIX}{number:012}"))
}
pub fn checkpoint(id: AffiliateId) -> Key {
    Key::new(affiliate_pk(id), "CHECKPOINT")
}
pub const COMMISSION_PREFIX: &str = "COMMISSION#";
/// `placed_at` is the order's: it never changes, so a commission is still one for an order, and the list is in time.
pub fn commission(id: AffiliateId, placed_at: Timestamp, order: OrderId) -> Key {
    Key::new(affiliate_pk(id), format!("{COMMISSION_PREFIX}{placed_at}#{order}"))
}
pub fn maturing(commission: &Commission) -> String {
    maturing_shard(shard(&commission.affiliate.to_string()))
}
pub fn maturing_shard(shard: u8) -> String {
    format!("MATURING#{shard}")
}
pub const REFERRAL_PREFIX: &str = "REFERRAL#";
pub fn referral(id: AffiliateId, placed_at: Timestamp, order: OrderId) -> Key {
    Key::new(affiliate_pk(id), format!("{REFERRAL_PREFIX}{placed_at}#{order}"))
}
pub fn upload(id: UploadId) -> Key {
    Key::new(format!("UPLOAD#{id}"), "UPLOAD")
}
pub fn document_link(hash: &str) -> Key {
    Key::new(format!("DOCUMENT_LINK#{hash}"), "LINK")
}
pub const HELD: &str = "HELD";
pub fn same_accounts(hash: &str) -> String {
    format!("SAME_ACCOUNT#{hash}")
}
pub fn same_account(hash: &str, id: AffiliateId) -> Key {
    Key::new(same_accounts(hash), id.to_string())
}
pub fn same_identities(hash: &str) -> String {
    format!("SAME_IDENTITY#{hash}")
}
pub fn same_identity(hash: &str, id: AffiliateId) -> Key {
    Key::new(same_identities(hash), id.to_string())
}
pub const KTP_PREFIX: &str = "KTP#";
pub fn ktp(id: AffiliateId, upload: UploadId) -> Key {
    Key::new(affiliate_pk(id), format!("{KTP_PREFIX}{upload}"))
}
pub const KTP_RETENTION: &str = "KTP_RETENTION";
pub fn payout(id: PayoutId) -> Key {
    Key::new(format!("PAYOUT#{id}"), "PAYOUT")
}
pub fn affiliate_payouts(id: AffiliateId) -> String {
    format!("AFFILIATE_PAYOUTS#{id}")
}
pub const OPEN_PAYOUTS: &str = "PAYOUTS#open";
pub fn closed_payouts(day: Day) -> String {
    let day = day.to_string();
    format!("PAYOUTS#{}", day.get(..7).unwrap_or(&day))
}
pub fn code(code: &ReferralCode) -> Key {
    Key::new(format!("CODE#{}", code.folded()), "CODE")
}
pub fn click(affiliate: AffiliateId, at: Timestamp, id: ClickId) -> Key {
    let id = id.to_string();
    Key::new(clicks(affiliate, at.day(), shard(&id)), id)
}
pub fn clicks(affiliate: AffiliateId, day: Day, shard: u8) -> String {
    format!("CLICKS#{affiliate}#{day}#{shard}")
}
pub fn daily_stats(affiliate: AffiliateId, day: Day) -> Key {
    Key::new(affiliate_pk(affiliate), format!("DAY#{day}"))
}
pub fn stats_totals(affiliate: AffiliateId) -> Key {
    Key::new(affiliate_pk(affiliate), "TOTALS")
}
pub fn active_day(listed_on: Day, affiliate: AffiliateId, day: Day) -> Key {
    let id = affiliate.to_string();
    Key::new(active_days(listed_on, shard(&id)), format!("{id}#{day}"))
}
pub fn active_days(listed_on: Day, shard: u8) -> String {
    format!("ACTIVE#{listed_on}#{shard}")
}
pub const SHOP: &str = "SHOP";
pub fn shop_day(day: Day) -> Key {
    Key::new(SHOP, format!("{DAY_PREFIX}{day}"))
}
pub fn shop_totals() -> Key {
    Key::new(SHOP, "TOTALS")
}
pub fn standings() -> Key {
    Key::new(SHOP, "STANDINGS")
}
pub fn shop_marks(listed_on: Day) -> String {
    format!("SHOP_MARKS#{listed_on}")
}
pub fn shop_mark(listed_on: Day, day: Day) -> Key {
    Key::new(shop_marks(listed_on), day.to_string())
}
pub const MATERIALS: &str = "MATERIALS";
pub fn material(id: MaterialId) -> Key {
    Key::new(MATERIALS, id.to_string())
}
pub fn job_run(name: &str) -> Key {
    Key::new("JOBS", name)
}
pub fn place(name: &str) -> Key {
    Key::new("JOBS", format!("PLACE#{name}"))
}
pub const DAY_PREFIX: &str = "DAY#";
/// Whose partition a key is in.
pub fn affiliate_of(key: &Key) -> Option<AffiliateId> {
    AffiliateId::parse(key.pk.strip_prefix("AFFILIATE#")?)
}
pub fn outbox(id: OutboxId) -> Key {
    let id = id.to_string();
    Key::new(outbox_shard(shard(&id)), id)
}
pub fn outbox_shard(shard: u8) -> String {
    format!("OUTBOX#{shard}")
}
pub const TASKS: &str = "TASKS";
pub fn task(id: TaskId) -> Key {
    Key::new(TASKS, id.to_string())
}
pub fn audit_day(day: Day) -> String {
    format!("AUDIT#{day}")
}
pub fn audit(at: Timestamp, id: AuditId) -> Key {
    Key::new(audit_day(at.day()), format!("{at}#{id}"))
}

/// An id followed by the moment it belongs to, so that an index sorts by time and stays unique.
pub fn timed(at: Timestamp, id: impl std::fmt::Display) -> String {
    format!("{at}#{id}")
}

/// Everything up to and including `at` in an index sorted by [`timed`].
pub fn until(at: Timestamp) -> String {
    format!("{at}#~")
}
