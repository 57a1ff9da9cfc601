//! Draws a history from a seed.

use crate::plan::{AFFILIATES, Act, BUYERS, Back, Event, Fault, Mood, Odd, PRODUCTS, Plan, Policy, Step, Table};
use fastrand::Rng;

const SHORTEST: usize = 12;
const LONGEST: usize = 60;

struct Draw {
    random: Rng,
    crook: bool,
    orders: Vec<u32>,
    payouts: Vec<u32>,
    tables: Vec<u32>,
    theme: Theme,
}

/// What a history is mostly about: deep states are reached by its opening, and what happens then is drawn by its weights.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Theme {
    Shop,
    Payouts,
    Tables,
    Transfers,
    Refunds,
}

impl Theme {
    const ALL: [Self; 6] = [Self::Shop, Self::Shop, Self::Payouts, Self::Tables, Self::Transfers, Self::Refunds];

    /// Of a hundred steps, how many are customers', affiliates', staff's, about payouts, the gateway's and the machine's;
    /// the rest is odd.
    const fn weights(self) -> [u8; 6] {
        match self {
            Self::Shop => [42, 2, 12, 2, 16, 25],
            Self::Payouts => [16, 12, 16, 28, 10, 16],
            Self::Tables => [6, 12, 12, 48, 4, 16],
            Self::Transfers => [6, 12, 6, 20, 30, 25],
            Self::Refunds => [20, 2, 24, 2, 24, 27],
        }
    }
}

/// The history of a seed: always the same.
pub fn plan(seed: u64) -> Plan {
    let mut random = Rng::with_seed(seed ^ 0x5157_5441_4221);
    let one_in = |random: &mut Rng, n: u32| random.u32(..n) == 0;
    let table = Table {
        page: one_in(&mut random, 3).then(|| random.u8(1..4)),
        unread_every: one_in(&mut random, 4).then(|| random.u32(2..9)),
        throttled_every: one_in(&mut random, 5).then(|| random.u32(9..60)),
        collides_every: one_in(&mut random, 5).then(|| random.u32(3..20)),
        index_lag: one_in(&mut random, 4).then(|| random.u8(1..12)),
    };
    let (crook, theme) = (random.bool(), Theme::ALL[random.usize(..Theme::ALL.len())]);
    let count = random.usize(SHORTEST..LONGEST);
    let mut draw = Draw { random, crook, orders: Vec::new(), payouts: Vec::new(), tables: Vec::new(), theme };
    let mut events = Vec::new();
    // Most of what can go wrong needs an order, and much of it an affiliate who is owed something.
    let begin = draw.opening();
    for step in begin {
        draw.push(&mut events, step, None);
    }
    while events.len() < count {
        let step = draw.step();
        let fault = draw.fault();
        draw.push(&mut events, step, fault);
    }
    Plan { seed, table, crook, events }
}

impl Draw {
    fn push(&mut self, events: &mut Vec<Event>, step: Step, fault: Option<Fault>) {
        let id = u32::try_from(events.len()).unwrap() + 1;
        match step {
            Step::Order { .. } => self.orders.push(id),
            Step::AskPayout { .. } => self.payouts.push(id),
            Step::Export { .. } => self.tables.push(id),
            _ => {}
        }
        let after = if self.random.u8(..8) == 0 { self.random.u32(600..40_000) } else { self.random.u32(1..600) };
        events.push(Event { id, after, step, fault });
    }

    fn opening(&mut self) -> Vec<Step> {
        let affiliate = self.random.u8(..AFFILIATES);
        let product = self.random.u8(..PRODUCTS);
        let order = Step::Order { buyer: self.random.u8(..BUYERS), product, quantity: 1, referred: Some(affiliate), coupon: false, twice: false };
        let policy = Step::Policy(Policy::GatewayPayouts(self.theme == Theme::Transfers || self.random.bool()));
        let pay = Step::Pay { order: 2, older: false, method: self.random.u8(..3), sum: None };
        let (deliver, work) = (Step::Deliver { number: 0, twice: false }, Step::Work { rounds: 3 });
        let advance = Step::Advance { order: 2 };
        let paid = vec![policy, order, pay, deliver, work];
        let career = [advance, advance, advance, Step::Days(35), Step::Mature, Step::AskPayout { affiliate, amount: None }];
        // The payout is the eleventh event.
        let act = |act, staff| Step::Payout { of: 11, act, staff };
        match self.theme {
            Theme::Shop => vec![self.order()],
            Theme::Refunds => [paid, vec![Step::Refund { order: 2, back: Back::End, key: None }]].concat(),
            Theme::Payouts => [paid, career.to_vec()].concat(),
            Theme::Tables => [paid, career.to_vec(), vec![act(Act::Process, 0), act(Act::Approve, 1)]].concat(),
            Theme::Transfers => [paid, career.to_vec(), vec![act(Act::Process, 0), act(Act::Approve, 1), act(Act::Transfer, 1)]].concat(),
        }
    }

    fn fault(&mut self) -> Option<Fault> {
        let r = &mut self.random;
        match r.u8(..100) {
            0..18 => Some(Fault::Cut { at: r.u8(..8), lost: r.bool(), dies: r.bool() }),
            18..21 => Some(Fault::Collide(r.u8(1..4))),
            21..23 => Some(Fault::UnderWay),
            23..26 => Some(Fault::Clock(r.i8(-5..6))),
            _ => None,
        }
    }

    fn of(&mut self, list: fn(&Self) -> &Vec<u32>) -> u32 {
        let count = list(self).len();
        if count == 0 {
            return 0;
        }
        let at = self.random.usize(..count);
        list(self)[at]
    }

    fn an_order(&mut self) -> u32 {
        self.of(|d| &d.orders)
    }

    fn order(&mut self) -> Step {
        let r = &mut self.random;
        Step::Order {
            buyer: r.u8(..BUYERS),
            product: r.u8(..PRODUCTS),
            quantity: r.u8(1..3),
            referred: (r.u8(..10) < 8).then(|| r.u8(..AFFILIATES)),
            coupon: r.u8(..3) == 0,
            twice: r.u8(..6) == 0,
        }
    }

    fn step(&mut self) -> Step {
        let [customers, affiliates, staff, money, gateway, machine] = self.theme.weights();
        let mut at = self.random.u8(..100);
        let mut below = |weight: u8| {
            let hit = at < weight;
            at = at.saturating_sub(weight);
            hit
        };
        if below(customers) {
            self.customers()
        } else if below(affiliates) {
            self.affiliates()
        } else if below(staff) {
            self.staff()
        } else if below(money) {
            self.money()
        } else if below(gateway) {
            self.gateway()
        } else if below(machine) {
            self.machine()
        } else {
            self.odd()
        }
    }

    fn customers(&mut self) -> Step {
        let order = self.an_order();
        match self.random.u8(..34) {
            0..8 => self.order(),
            8..12 => Step::Link { order, key: self.random.u8(..3) },
            12..22 => {
                let sum = (self.random.u8(..8) == 0).then(|| self.random.u32(1..5_000_000));
                Step::Pay { order, older: self.random.u8(..4) == 0, method: self.random.u8(..4), sum }
            }
            22..25 => Step::Check { order },
            25..29 => Step::Cancel { order },
            29..31 => Step::Rename { order },
            _ => Step::DeleteAccount { buyer: self.random.u8(..BUYERS) },
        }
    }

    fn affiliates(&mut self) -> Step {
        let affiliate = self.random.u8(..AFFILIATES);
        match self.random.u8(..8) {
            0 => Step::Click { affiliate },
            1..3 => Step::SaveBank { affiliate, number: self.random.u32(1..4) },
            _ => {
                let amount = self.random.bool().then(|| self.random.u32(0..1_500_000));
                Step::AskPayout { affiliate, amount }
            }
        }
    }

    fn staff(&mut self) -> Step {
        let (order, affiliate) = (self.an_order(), self.random.u8(..AFFILIATES));
        match self.random.u8(..26) {
            0..8 => Step::Advance { order },
            8 => Step::CancelByStaff { order },
            9..12 => {
                let key = (self.random.u8(..6) == 0).then(|| self.an_order());
                Step::Refund { order, back: Back::Adjust(self.random.u32(1..4_000_000)), key }
            }
            12..14 => Step::Refund { order, back: if self.random.bool() { Back::End } else { Back::Undeliverable }, key: None },
            14 => Step::TakeOver { order },
            15 => Step::Confirm { order },
            16 => Step::RefundReceipt { order },
            17 => Step::Suspend { affiliate },
            18 => Step::Reinstate { affiliate },
            19..22 => Step::Bank { affiliate, verify: self.random.u8(..4) > 0, staff: self.random.u8(..2) },
            22 => Step::Restock { product: self.random.u8(..PRODUCTS), units: self.random.i8(-3..4) },
            23 => Step::CouponOff,
            24 => Step::CloseTasks,
            _ => Step::Policy(match self.random.u8(..5) {
                0 => Policy::NoMinimum,
                1 => Policy::ShortHold,
                2 => Policy::Second(self.random.u32(0..1_000_000)),
                on => Policy::GatewayPayouts(on == 3),
            }),
        }
    }

    fn money(&mut self) -> Step {
        let staff = self.random.u8(..2);
        match self.random.u8(..16) {
            0..3 => Step::Export { staff },
            3..5 => Step::BankTakes { table: self.of(|d| &d.tables), rows: self.random.u8(..) },
            5 => Step::BankReturns { number: self.random.u8(..4) },
            6..8 => Step::Upload { table: self.of(|d| &d.tables), staff },
            _ => {
                let of = self.of(|d| &d.payouts);
                let act = match self.random.u8(..if self.crook { 14 } else { 11 }) {
                    0..4 => Act::Process,
                    4..6 => Act::Approve,
                    6..8 => Act::Transfer,
                    8 => Act::Pay,
                    9 => Act::Fail,
                    10 => Act::Reject,
                    11 => Act::Reverse,
                    12 => Act::Handmade,
                    _ => Act::PayLying,
                };
                // Only the crook does what an honest colleague has no reason to do.
                let staff = if matches!(act, Act::Reverse | Act::Handmade | Act::PayLying) { 1 } else { staff };
                Step::Payout { of, act, staff }
            }
        }
    }

    fn gateway(&mut self) -> Step {
        let number = self.random.u8(..3);
        match self.random.u8(..20) {
            0..9 => Step::Deliver { number: self.random.u8(..4), twice: self.random.u8(..4) == 0 },
            9 => Step::Lose { number: self.random.u8(..4) },
            10..12 => Step::PayoutEnds { number, status: self.random.u8(..3) },
            12..14 => Step::RefundEnds { number, status: self.random.u8(..2) },
            14 => Step::Gateway(Mood::Honest),
            _ => Step::Gateway(match self.random.u8(..10) {
                0..3 => Mood::Lag(self.random.u16(30..5_000)),
                3 => Mood::Busy([429, 500, 503][self.random.usize(..3)]),
                4 => Mood::Floats,
                5 => Mood::Strange,
                6 => Mood::Forgets,
                7 => [Mood::ValidatesFirst, Mood::RefusesForNow][self.random.usize(..2)],
                8 => Mood::RefusesRefunds,
                _ => Mood::RefusesTransfers,
            }),
        }
    }

    fn machine(&mut self) -> Step {
        match self.random.u8(..24) {
            0..10 => Step::Work { rounds: self.random.u8(1..4) },
            10..13 => Step::Expire,
            13..15 => Step::Mature,
            15..17 => Step::Sweep,
            17 => Step::Aggregate,
            18 => Step::Reconcile,
            _ => Step::Days(if self.theme == Theme::Shop { self.random.u8(1..4) } else { self.random.u8(1..40) }),
        }
    }

    fn odd(&mut self) -> Step {
        match self.random.u8(..8) {
            0 => Step::Odd(Odd::Work),
            1 => Step::Odd(Odd::OrderDue),
            2 => Step::Odd(Odd::RefundDue),
            3 => Step::Odd(Odd::PayoutOpen),
            4 => Step::Odd(Odd::CommissionDue),
            number => Step::MailDown(number == 5),
        }
    }
}
