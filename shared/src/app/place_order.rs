//! Places an order: one read, one transaction that reserves everything, then the payment link.

use super::{
    Code, FieldError, Problem, ROUNDS, Shop,
    holding::{self, Asking, Holding},
    metrics::Metric,
    payment_link,
    pricing::{basket, price, subtotal},
    quote::Tries,
    sessions::OwnSession,
};
use crate::{
    domain::{
        Wrong,
        affiliate::{Affiliate, PayoutAccount},
        attribution::{Attribution, Buyer, Candidate, ClickProof, NotAttributed, Source, SpecialRule, attribute},
        catalog::Product,
        coupon::{Coupon, CouponCode, CouponUses, NotValid},
        holding::hours_to_pay,
        identity::Customer,
        ids::{AffiliateId, OrderId, ProductId},
        money::Rupiah,
        order::{CouponUse, Order, OrderNumber, OrderStatus, Recipient, WantedLine, names_fit},
        outbox::{OutboxItem, Work},
        payment::Attempt,
        settings::Settings,
        signal::Signal,
        text::Note,
        time::Timestamp,
    },
    store::{
        Found,
        catalog::{AVAILABLE, take_coupon},
        entity::{Holdings, NumberedOrder, Referral, Stored, masked},
        keys,
        transaction::{Commit, Transaction},
    },
};

/// What a customer asks for.
#[derive(Debug, Clone)]
pub struct Wanted {
    pub lines: Vec<WantedLine>,
    pub recipient: Recipient,
    pub note: Option<Note>,
    pub coupon: Option<CouponCode>,
    pub terms: String,
    /// What was signed for earlier clicks; the last one that still counts is the one.
    pub clicks: Vec<ClickProof>,
    /// Keyed hash of the address and agent that ask.
    pub visitor: Option<String>,
    /// From where it is asked for, as the gateway saw it.
    pub address: String,
    /// The Idempotency-Key, and the digest of the body that came with it.
    pub request: Option<(String, String)>,
}

/// The order as it was placed, with its payment link if the gateway gave one in time.
#[derive(Debug)]
pub struct Placed {
    pub order: Order,
    pub payment_url: Option<String>,
    /// It had been placed before, by the same request.
    pub replayed: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Lost {
    OrderExists,
    Number,
    Stock(ProductId),
    Coupon,
    CouponUses,
    Customer,
    Address,
}

/// Everything that placing an order rests on, as read in one round trip.
struct Basis {
    settings: Settings,
    customer: Stored<Customer>,
    /// What is held from the same network address, for a customer whose address of mail is not proved.
    address: Option<Stored<Holdings>>,
    /// The last click that still counts.
    click: Option<ClickProof>,
    products: Vec<Product>,
    coupon: Option<Coupon>,
    /// How often this customer uses the coupon already.
    uses: Option<Stored<CouponUses>>,
    affiliate: Option<(Affiliate, Option<PayoutAccount>)>,
}

pub async fn place_order(shop: &Shop, caller: &OwnSession, wanted: Wanted) -> Result<Placed, Problem> {
    if wanted.coupon.is_none() {
        return place(shop, caller, &wanted, None).await;
    }
    let tries = Tries::of(caller.customer(), &wanted.address, shop.app.clock.now());
    let placed = place(shop, caller, &wanted, Some(&tries)).await;
    // Whatever is wrong with the rest, the answer may tell of the code.
    if placed.as_ref().is_err_and(|problem| problem.code.status().is_client_error() && problem.code != Code::TooMany) {
        tries.failed(&shop.app).await?;
    }
    placed
}

async fn place(shop: &Shop, caller: &OwnSession, wanted: &Wanted, tries: Option<&Tries>) -> Result<Placed, Problem> {
    let customer = caller.customer();
    let app = &shop.app;
    let now = app.clock.now();
    let id = match &wanted.request {
        Some((key, _)) => OrderId::named(&[&customer.to_string(), key]),
        None => OrderId::fresh(now, &app.entropy),
    };
    for _ in 0..ROUNDS {
        let basis = match read(shop, caller, id, wanted, tries).await? {
            Read::Basis(basis) => basis,
            Read::Placed(customer) => return replay(shop, id, wanted, &customer).await,
        };
        let order = decide(&basis, id, wanted, OrderNumber::generate(now, &app.entropy), now)?;
        let asking = Asking { customer: &basis.customer.value, address: basis.address.as_ref(), place: &wanted.address, settings: &basis.settings };
        let holding = holding::hold(app, &asking, &order, now).await?;
        let free = order.total == Rupiah::ZERO;
        let attempt = (!free).then(|| payment_link::first_attempt(&order, now));
        let settle = free.then(|| OutboxItem::new(Work::SettleFreeOrder { order: id }, now));
        let owed = settle.unwrap_or_else(|| OutboxItem::new(Work::MailOrderPlaced { order: id }, now));
        let tx = write(&basis, &order, &holding, attempt.as_ref(), &owed, wanted.visitor.as_ref());
        match app.store.commit(tx).await? {
            Commit::Done => {
                Metric::OrdersPlaced.one();
                let payment_url = match attempt {
                    Some(attempt) => link(shop, &order, attempt, &basis.customer.value).await?,
                    None => None,
                };
                // After the link, so that the mail can carry it.
                app.queues.hand_on(&[owed]).await;
                return Ok(Placed { order, payment_url, replayed: false });
            }
            Commit::Lost(lost) if lost.contains(&Lost::OrderExists) => return replay(shop, id, wanted, &basis.customer.value).await,
            Commit::Lost(lost) => refused(&basis, &lost)?,
        }
    }
    Err(Problem::unavailable("placing the order kept colliding"))
}

/// What was read: what a new order rests on, or that this very request has placed it already, and for whom.
enum Read {
    Basis(Box<Basis>),
    Placed(Customer),
}

async fn read(shop: &Shop, caller: &OwnSession, order: OrderId, wanted: &Wanted, tries: Option<&Tries>) -> Result<Read, Problem> {
    let (id, now) = (caller.customer(), shop.app.clock.now());
    let address_key = keys::holdings(&wanted.address);
    let (customer_key, order_key) = (keys::profile(&id.to_string()), keys::order(order));
    let mut wants = vec![keys::settings(), customer_key.clone(), caller.key(), address_key.clone()];
    wants.extend(tries.iter().flat_map(|t| t.keys()));
    wants.extend(wanted.request.as_ref().map(|_| order_key.clone()));
    wants.extend(wanted.lines.iter().map(|l| keys::product(l.product)));
    wants.extend(wanted.coupon.iter().flat_map(|code| [keys::coupon(code), keys::coupon_uses(code, id)]));
    wants.extend(wanted.clicks.iter().flat_map(|c| [keys::affiliate(c.affiliate), keys::payout_account(c.affiliate)]));
    let mut found = shop.app.store.get_many(wants).await?;
    caller.lives(&mut found, now)?;
    let settings = found.take::<Settings>(&keys::settings())?.map(|s| s.value).unwrap_or_default();
    let customer = found.take::<Customer>(&customer_key)?.ok_or_else(|| Problem::new(Code::NotLoggedIn))?;
    if found.take::<Order>(&order_key)?.is_some() {
        return Ok(Read::Placed(customer.value));
    }
    if let Some(tries) = tries {
        tries.left(&found)?;
    }
    let address = found.take::<Holdings>(&address_key)?;
    let click = wanted.clicks.iter().filter(|c| c.counts(now, settings.referral_days)).max_by_key(|c| c.at).cloned();
    let (coupon, uses) = match &wanted.coupon {
        Some(code) => {
            let coupon = found.take::<Coupon>(&keys::coupon(code))?.ok_or(NotValid::Unknown)?.value;
            (Some(coupon), found.take::<CouponUses>(&keys::coupon_uses(code, id))?)
        }
        None => (None, None),
    };
    let mut products = Vec::new();
    for line in &wanted.lines {
        products.extend(found.take::<Product>(&keys::product(line.product))?.map(|p| p.value));
    }
    let owner = coupon.as_ref().and_then(|c| c.affiliate);
    let affiliate = match (owner, &click) {
        // The coupon's owner comes before the click's; usually they are the same and already read.
        (Some(id), click) if click.as_ref().is_none_or(|c| c.affiliate != id) => {
            let mut more = shop.app.store.get_many([keys::affiliate(id), keys::payout_account(id)]).await?;
            take_affiliate(&mut more, id)?
        }
        (Some(id), _) => take_affiliate(&mut found, id)?,
        (None, Some(click)) => take_affiliate(&mut found, click.affiliate)?,
        (None, None) => None,
    };
    Ok(Read::Basis(Box::new(Basis { settings, customer, address, click, products, coupon, uses, affiliate })))
}

fn take_affiliate(found: &mut Found, id: AffiliateId) -> Result<Option<(Affiliate, Option<PayoutAccount>)>, Problem> {
    let affiliate = found.take::<Affiliate>(&keys::affiliate(id))?;
    let bank = found.take::<PayoutAccount>(&keys::payout_account(id))?;
    Ok(affiliate.map(|a| (a.value, bank.map(|b| b.value))))
}

/// The order, from what was asked for and what was read. No I/O.
fn decide(basis: &Basis, id: OrderId, wanted: &Wanted, number: OrderNumber, now: Timestamp) -> Result<Order, Problem> {
    let (customer, settings) = (&basis.customer.value, &basis.settings);
    if wanted.terms != settings.terms_version {
        let wrong = Wrong::new("outdated", format!("the terms in force are {}", settings.terms_version));
        return Err(Problem::field("terms_version", wrong));
    }
    let sold = |product: &Product| settings.sells(product.season, now.day());
    let lines = price(&basis.products, &wanted.lines, sold, |line, product| line.clone().priced(product))?;
    names_fit(&lines).map_err(|wrong| Problem::field("items", wrong))?;
    let subtotal = subtotal(&lines)?;
    let coupon = match &basis.coupon {
        Some(coupon) => {
            let used = basis.uses.as_ref().map_or(0, |u| u.value.used);
            let discount = coupon.discount_on(&basket(&basis.products, &lines)?, used, now)??;
            Some(CouponUse { code: coupon.code.clone(), discount, per_customer: coupon.per_customer })
        }
        None => None,
    };
    let discount = coupon.as_ref().map_or(Rupiah::ZERO, |c| c.discount);
    let (attribution, signals, flag) = match attribution(basis) {
        Some(Ok((attribution, signals))) => (Some(attribution), signals, None),
        Some(Err(why)) => (None, Vec::new(), Some(why)),
        None => (None, Vec::new(), None),
    };
    Ok(Order {
        id,
        number,
        customer: customer.id,
        status: OrderStatus::Pending,
        lines,
        recipient: wanted.recipient.clone(),
        note: wanted.note.clone(),
        terms: wanted.terms.clone(),
        season: basis.products.iter().map(|p| p.season).min().unwrap_or_default(),
        coupon,
        attribution,
        flag,
        signals,
        subtotal,
        total: subtotal.minus(discount)?,
        placed_at: now,
        pay_by: now.plus_seconds(i64::from(hours_to_pay(customer.verified_at.is_some(), settings)) * 3600),
        quiet: !holding::may_tell(customer, now),
        attempts: u32::from(subtotal > discount),
        paid: None,
        refunded: Rupiah::ZERO,
        history: Vec::new(),
        photos: Vec::new(),
        request: wanted.request.as_ref().map(|(_, digest)| digest.clone()),
    })
}

fn attribution(basis: &Basis) -> Option<Result<(Attribution, Vec<Signal>), NotAttributed>> {
    let (affiliate, bank) = basis.affiliate.as_ref()?;
    let by_coupon = basis.coupon.as_ref().and_then(|c| c.affiliate) == Some(affiliate.id);
    let click = basis.click.as_ref().filter(|c| c.affiliate == affiliate.id);
    if !by_coupon && click.is_none() {
        return None;
    }
    let special = basis.products.iter().filter_map(|p| p.commission.map(|rule| SpecialRule { product: p.id, rule })).collect();
    let candidate = Candidate {
        special,
        affiliate,
        bank: bank.as_ref().map(|b| &b.account),
        source: if by_coupon { Source::Coupon } else { Source::Link },
        click,
    };
    let customer = &basis.customer.value;
    let buyer = Buyer { name: &customer.name, email: &customer.email, phone: &customer.phone, former_phones: &customer.former_phones };
    Some(attribute(&candidate, &buyer, &basis.settings))
}

fn write(
    basis: &Basis,
    order: &Order,
    holding: &Holding,
    attempt: Option<&Attempt>,
    owed: &OutboxItem,
    visitor: Option<&String>,
) -> Transaction<Lost> {
    let mut tx = Transaction::new();
    tx.create(order, Lost::OrderExists);
    // Relies on the account as well: it is not deleted meanwhile.
    tx.save(&basis.customer, &holding.customer, Lost::Customer);
    match (&basis.address, &holding.address) {
        (Some(read), Some(after)) => tx.save(read, after, Lost::Address),
        (None, Some(after)) => tx.create(after, Lost::Address),
        (_, None) => &mut tx,
    };
    tx.create(&NumberedOrder { number: order.number.clone(), order: order.id, placed_at: order.placed_at }, Lost::Number);
    for line in &order.lines {
        tx.take(&keys::stock(line.product), AVAILABLE, line.quantity, Lost::Stock(line.product));
    }
    if let Some(coupon) = &order.coupon {
        take_coupon(&mut tx, coupon, order.customer, basis.uses.as_ref(), Lost::Coupon, Lost::CouponUses);
    }
    if let Some(attempt) = attempt {
        tx.create(attempt, Lost::OrderExists);
    }
    tx.put_same(owed);
    // Whoever brought an order that is theirs themselves is told so; a suspended affiliate sees no orders.
    let flag = order.flag.filter(|why| *why == NotAttributed::SelfReferral);
    let flagged = flag.and(basis.affiliate.as_ref()).map(|(affiliate, _)| affiliate.id);
    if let Some(affiliate) = order.attribution.as_ref().map(|a| a.affiliate).or(flagged) {
        let referral = Referral {
            affiliate,
            order: order.id,
            order_number: order.number.clone(),
            customer: masked(&basis.customer.value.name),
            total: order.total,
            placed_at: order.placed_at,
            visitor: visitor.cloned(),
            items: order.in_words(),
            void: flag.is_some(),
            flag,
        };
        tx.create(&referral, Lost::OrderExists);
    }
    tx
}

/// What a lost condition means. What somebody else wrote meanwhile (a number, an account, a customer's use of a coupon) is
/// read and decided again.
fn refused(basis: &Basis, lost: &[Lost]) -> Result<(), Problem> {
    let sold_out: Vec<FieldError> = lost
        .iter()
        .filter_map(|l| if let Lost::Stock(id) = l { basis.products.iter().find(|p| p.id == *id) } else { None })
        .map(|p| FieldError { field: "items".into(), code: "out_of_stock", message: format!("not enough of {} is left", p.name) })
        .collect();
    if !sold_out.is_empty() {
        return Err(Problem { errors: sold_out, ..Problem::new(Code::OutOfStock) });
    }
    if lost.contains(&Lost::Coupon) { Err(NotValid::UsedUp.into()) } else { Ok(()) }
}

/// The same Idempotency-Key came before: the same body gets the same answer, another one is refused.
async fn replay(shop: &Shop, id: OrderId, wanted: &Wanted, customer: &Customer) -> Result<Placed, Problem> {
    let (order, attempt) = shop.app.store.order_and_attempt(id, 1).await?;
    let stored = order.ok_or_else(|| Problem::unavailable("an order that exists was not found"))?;
    let order = stored.value.clone();
    if order.request.as_ref() != wanted.request.as_ref().map(|(_, digest)| digest) {
        return Err(Problem::new(Code::IdempotencyMismatch));
    }
    let payment_url = match attempt {
        Some(Stored { value: Attempt { invoice: Some(link), .. }, .. }) => Some(link.url),
        // The first request got no further than the transaction: its link is made now.
        Some(_) if order.is_payable() => payment_link::ensure_link(shop, &stored, customer).await.ok().map(|l| l.url),
        _ => None,
    };
    Ok(Placed { order, payment_url, replayed: true })
}

/// The link of a new order. The order stands without it: `POST /api/orders/{id}/payments` makes one later.
async fn link(shop: &Shop, order: &Order, attempt: Attempt, customer: &Customer) -> Result<Option<String>, Problem> {
    match payment_link::create_link(shop, order, Stored { value: attempt, revision: 1 }, customer).await {
        Ok(link) => Ok(Some(link.url)),
        Err(problem) => {
            tracing::warn!(order = %order.id, code = problem.code.as_str(), "order placed without a payment link");
            Ok(None)
        }
    }
}
