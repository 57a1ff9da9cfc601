//! How each entity becomes an item and comes back: its kind, its key and its index entries.

use super::keys::{self, Key, attribute};
use crate::domain::{
    affiliate::{Affiliate, CodeOwner, PayoutAccount},
    attribution::NotAttributed,
    catalog::{Product, ProductChange, SlugOwner, Stock, StockChange},
    click::{Campaign, Looker},
    commission::{Commission, CommissionStatus},
    coupon::{Coupon, CouponUses},
    helpdesk::Helpdesk,
    holding::Holds,
    identity::{Customer, Login, MailedLink, Session},
    ids::{AdminId, AffiliateId, AuditId, ClickId, OrderId, ProductId},
    job::{Checkpoint, JobRuns, Place, Task},
    ktp::{DocumentLink, KtpImage},
    material::Material,
    money::Rupiah,
    order::{Order, OrderNumber},
    outbox::OutboxItem,
    payment::{Attempt, Notice, Receipt},
    payout::Payout,
    refund::{Refund, RefundStatus},
    settings::{Settings, SettingsVersion},
    shop_stats::{ShopDay, ShopMark, ShopTotals, Standings},
    staff::{Admin, FirstOwner},
    stats::{ActiveDay, DailyStats, StatsTotals},
    text::PersonName,
    time::Timestamp,
    upload::Upload,
    wallet::{LedgerEntry, Wallet},
};
use aws_sdk_dynamodb::types::AttributeValue;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use std::collections::HashMap;

pub type Item = HashMap<String, AttributeValue>;

/// A place in an index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    pub pk: String,
    pub sk: String,
}

impl Listed {
    fn new(pk: impl Into<String>, sk: impl Into<String>) -> Self {
        Self { pk: pk.into(), sk: sk.into() }
    }
}

/// Something that is kept as one item of the table.
pub trait Entity: Serialize + DeserializeOwned + Send + Sync {
    /// Written on every item and checked when it is read.
    const KIND: &'static str;

    fn key(&self) -> Key;

    /// Where `by_owner` lists it.
    fn owner(&self) -> Option<Listed> {
        None
    }

    /// Where `by_due` lists it.
    fn due(&self) -> Option<Listed> {
        None
    }

    /// After this moment DynamoDB may drop it.
    fn expires(&self) -> Option<Timestamp> {
        None
    }
}

/// An attributed sale as the affiliate sees it. What became of it follows from the commission and from `void`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Referral {
    pub affiliate: AffiliateId,
    pub order: OrderId,
    pub order_number: OrderNumber,
    /// Already masked: the affiliate's partition holds no customer's name.
    pub customer: String,
    pub total: Rupiah,
    pub placed_at: Timestamp,
    /// Keyed hash of the address and agent that it was placed from, another key every day.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub visitor: Option<String>,
    /// What was ordered, in words.
    #[serde(default)]
    pub items: String,
    /// Cancelled or expired before it was paid; or never a sale.
    pub void: bool,
    /// Why it earns nothing, whatever becomes of the order.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub flag: Option<NotAttributed>,
}

/// An affiliate has, or had, this bank account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SameAccount {
    /// Keyed: tells nothing without the vault.
    pub account_hash: String,
    pub affiliate: AffiliateId,
}

/// An affiliate showed, or once showed, an identity card with this number.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SameIdentity {
    /// Keyed: tells nothing without the vault.
    pub nik_hash: String,
    pub affiliate: AffiliateId,
}

/// One visit through `/r/{code}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Click {
    pub id: ClickId,
    pub affiliate: AffiliateId,
    pub code: String,
    pub at: Timestamp,
    /// Keyed hash of address and agent, another key every day.
    pub visitor: String,
    pub looker: Looker,
    /// The host of the page that led here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub referrer: Option<String>,
    #[serde(default, skip_serializing_if = "Campaign::is_empty")]
    pub campaign: Campaign,
    pub expires_at: Timestamp,
}

/// What unpaid orders that were placed from one network address hold together, of customers whose address of mail nobody
/// proved.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holdings {
    /// Where it is kept: `keys::holdings` of the address, which itself is kept nowhere.
    pub place: String,
    pub holds: Holds,
    pub expires_at: Timestamp,
}

/// What makes an order number unique, and lists a day's orders.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NumberedOrder {
    pub number: OrderNumber,
    pub order: OrderId,
    pub placed_at: Timestamp,
}

/// One action of an admin, or one movement of money that nobody decided.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditEntry {
    pub id: AuditId,
    pub at: Timestamp,
    /// Nobody, where the gateway or a schedule moved the money.
    pub admin: Option<AdminId>,
    /// From where, as the gateway saw it.
    #[serde(default)]
    pub address: Option<std::net::IpAddr>,
    pub action: String,
    pub subject: String,
    #[serde(default)]
    pub before: Option<String>,
    #[serde(default)]
    pub after: Option<String>,
}

macro_rules! entities {
    ($($kind:literal $name:ty : |$e:ident| $key:expr $(, owner $owner:expr)? $(, due $due:expr)? $(, expires $expires:expr)? ;)+) => {
        /// Every kind of item that the table holds.
        pub const KINDS: &[&str] = &[$($kind),+];
        $(impl Entity for $name {
            const KIND: &'static str = $kind;
            fn key(&self) -> Key { let $e = self; $key }
            $(fn owner(&self) -> Option<Listed> { let $e = self; $owner })?
            $(fn due(&self) -> Option<Listed> { let $e = self; $due })?
            $(fn expires(&self) -> Option<Timestamp> { let $e = self; Some($expires) })?
        })+
    };
}

entities! {
    "settings" Settings: |_s| keys::settings();
    "settings_version" SettingsVersion: |v| keys::settings_version(v.version);
    "helpdesk" Helpdesk: |_h| keys::helpdesk();
    "product" Product: |p| keys::product(p.id);
    "slug" SlugOwner: |s| keys::slug(&s.slug);
    "product_change" ProductChange: |c| keys::product_change(c.product, c.at, c.id);
    "stock_change" StockChange: |c| keys::stock_change(c.id), expires c.expires_at;
    "stock" Stock: |s| keys::stock(s.product);
    "coupon" Coupon: |c| keys::coupon(&c.code),
        owner Some(Listed::new(c.affiliate.map_or_else(|| keys::SHOP_COUPONS.into(), keys::affiliate_coupons), keys::timed(c.valid_from, &c.code)));
    "coupon_uses" CouponUses: |u| keys::coupon_uses(&u.code, u.customer);
    "login" Login: |l| keys::login(l.audience, &l.email);
    "session" Session: |s| keys::session(&s.account, s.id), expires s.expires_at;
    "mailed_link" MailedLink: |l| keys::mailed_link(&l.account, l.purpose), expires l.expires_at;
    "customer" Customer: |c| keys::profile(&c.id.to_string());
    "admin" Admin: |a| keys::profile(&a.id.to_string()), owner Some(Listed::new(keys::STAFF, keys::timed(a.created_at, a.id)));
    "holdings" Holdings: |h| Key { pk: h.place.clone(), sk: "HOLDINGS".into() }, expires h.expires_at;
    "first_owner" FirstOwner: |_o| keys::first_owner();
    "order" Order: |o| keys::order(o.id),
        owner Some(Listed::new(keys::customer_orders(o.customer), keys::timed(o.placed_at, o.id))),
        due o.is_payable().then(|| Listed::new(keys::unpaid(o.id), keys::timed(o.pay_by, o.id)));
    "attempt" Attempt: |a| keys::attempt(a.order, a.number);
    "notice" Notice: |n| keys::notice(n.order, n.at, &n.invoice), expires n.expires_at;
    "receipt" Receipt: |r| keys::receipt(r.order, &r.paid.invoice);
    "refund" Refund: |r| keys::refund(r.order, r.id),
        due (r.status == RefundStatus::Sent).then(|| Listed::new(keys::REFUNDS_SENT, keys::timed(r.updated_at, r.id)));
    "order_number" NumberedOrder: |n| keys::order_number(n.placed_at, &n.number);
    "affiliate" Affiliate: |a| keys::affiliate(a.id),
        owner Some(Listed::new(keys::applications(a.status.as_str()), keys::timed(a.applied_at, a.id)));
    "wallet" Wallet: |w| keys::wallet(w.affiliate);
    "payout_account" PayoutAccount: |b| keys::payout_account(b.affiliate),
        owner Some(Listed::new(keys::payout_accounts(b.status.as_str()), keys::timed(b.changed_at, b.affiliate)));
    "upload" Upload: |u| keys::upload(u.id), expires u.expires_at;
    "ktp_image" KtpImage: |k| keys::ktp(k.affiliate, k.upload),
        due k.deleted_at.is_none().then(|| Listed::new(keys::KTP_RETENTION, keys::timed(k.delete_at, k.upload)));
    "document_link" DocumentLink: |l| keys::document_link(&l.secret_hash), expires l.expires_at;
    "same_account" SameAccount: |s| keys::same_account(&s.account_hash, s.affiliate);
    "same_identity" SameIdentity: |s| keys::same_identity(&s.nik_hash, s.affiliate);
    "ledger_entry" LedgerEntry: |l| keys::ledger(l.affiliate, l.number);
    "checkpoint" Checkpoint: |c| keys::checkpoint(c.affiliate);
    "commission" Commission: |c| keys::commission(c.affiliate, c.placed_at, c.order),
        owner (c.status == CommissionStatus::Held).then(|| Listed::new(keys::HELD, keys::timed(c.paid_at, c.order))),
        due c.due_at.filter(|_| c.status == CommissionStatus::Pending)
            .map(|at| Listed::new(keys::maturing(c), keys::timed(at, c.order)));
    "referral" Referral: |r| keys::referral(r.affiliate, r.placed_at, r.order);
    "payout" Payout: |p| keys::payout(p.id),
        owner Some(Listed::new(keys::affiliate_payouts(p.affiliate), keys::timed(p.requested_at, p.id))),
        due Some(Listed::new(
            if p.status.is_open() { keys::OPEN_PAYOUTS.into() } else { keys::closed_payouts(p.requested_at.day()) },
            keys::timed(p.requested_at, p.id),
        ));
    "referral_code" CodeOwner: |c| keys::code(&c.code);
    "daily_stats" DailyStats: |d| keys::daily_stats(d.affiliate, d.day);
    "stats_totals" StatsTotals: |t| keys::stats_totals(t.affiliate);
    "active_day" ActiveDay: |a| keys::active_day(a.listed_on, a.affiliate, a.day), expires a.expires_at;
    "shop_day" ShopDay: |d| keys::shop_day(d.day);
    "shop_totals" ShopTotals: |_t| keys::shop_totals();
    "standings" Standings: |_s| keys::standings();
    "shop_mark" ShopMark: |m| keys::shop_mark(m.listed_on, m.day), expires m.expires_at;
    "material" Material: |m| keys::material(m.id);
    "job_run" JobRuns: |j| keys::job_run(&j.name);
    "job_place" Place: |p| keys::place(&p.name);
    "click" Click: |c| keys::click(c.affiliate, c.at, c.id), expires c.expires_at;
    "outbox" OutboxItem: |o| keys::outbox(o.id);
    "task" Task: |t| keys::task(t.id);
    "audit" AuditEntry: |a| keys::audit(a.at, a.id);
}

/// An entity as it was read, with the revision that a save must still find.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stored<T> {
    pub value: T,
    pub revision: u64,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("item {digest} is not a readable {kind}: {why}")]
pub struct Corrupt {
    pub kind: &'static str,
    /// Of its key, which may name a person.
    pub digest: String,
    pub why: String,
}

/// The item for `entity` in its `revision`-th writing.
pub fn encode<E: Entity>(entity: &E, revision: u64) -> Result<Item, Corrupt> {
    let key = entity.key();
    let mut item: Item = serde_dynamo::to_item(entity).map_err(|e| corrupt::<E>(&key, &e.to_string()))?;
    if let Some(taken) = attribute::ALL.iter().find(|name| item.contains_key(**name)) {
        return Err(corrupt::<E>(&key, &format!("{taken} is the table's own attribute")));
    }
    let mut set = |name: &str, value: AttributeValue| item.insert(name.into(), value);
    set(attribute::KIND, AttributeValue::S(E::KIND.into()));
    set(attribute::REVISION, AttributeValue::N(revision.to_string()));
    if let Some(listed) = entity.owner() {
        set(attribute::OWNER_PK, AttributeValue::S(listed.pk));
        set(attribute::OWNER_SK, AttributeValue::S(listed.sk));
    }
    if let Some(listed) = entity.due() {
        set(attribute::DUE_PK, AttributeValue::S(listed.pk));
        set(attribute::DUE_SK, AttributeValue::S(listed.sk));
    }
    if let Some(at) = entity.expires() {
        set(attribute::TTL, AttributeValue::N(at.unix().to_string()));
    }
    set(attribute::PK, AttributeValue::S(key.pk));
    set(attribute::SK, AttributeValue::S(key.sk));
    Ok(item)
}

/// The entity that `item` holds; an item of another kind or shape is an error, never a panic.
pub fn decode<E: Entity>(item: Item) -> Result<Stored<E>, Corrupt> {
    let key = key_of(&item);
    let text = |name: &str| item.get(name).and_then(|v| v.as_s().ok()).cloned();
    if text(attribute::KIND).as_deref() != Some(E::KIND) {
        return Err(corrupt::<E>(&key, "another kind"));
    }
    let revision = item.get(attribute::REVISION).and_then(|v| v.as_n().ok()).and_then(|n| n.parse().ok());
    let revision = revision.ok_or_else(|| corrupt::<E>(&key, "no revision"))?;
    let value = serde_dynamo::from_item(item).map_err(|e| corrupt::<E>(&key, &e.to_string()))?;
    Ok(Stored { value, revision })
}

/// The key of any item of the table; empty where it has none.
pub fn key_of(item: &Item) -> Key {
    let text = |name: &str| item.get(name).and_then(|v| v.as_s().ok()).cloned().unwrap_or_default();
    Key { pk: text(attribute::PK), sk: text(attribute::SK) }
}

pub fn kind_of(item: &Item) -> Option<&str> {
    item.get(attribute::KIND).and_then(|v| v.as_s().ok()).map(String::as_str)
}

fn corrupt<E: Entity>(key: &Key, why: &str) -> Corrupt {
    // What was found may be somebody's: only what was expected is told.
    let why = why.split('"').next().unwrap_or_default().to_owned();
    Corrupt { kind: E::KIND, digest: keys::digest(&format!("{}/{}", key.pk, key.sk)), why }
}

/// Names the person for an affiliate's eyes.
pub fn masked(name: &PersonName) -> String {
    crate::domain::text::mask_name(name.as_str())
}

/// Ids that come back from a key.
pub fn order_of(sk: &str) -> Option<OrderId> {
    sk.rsplit_once('#').and_then(|(_, id)| OrderId::parse(id))
}

pub fn product_of(sk: &str) -> Option<ProductId> {
    sk.rsplit_once('#').and_then(|(_, id)| ProductId::parse(id))
}
