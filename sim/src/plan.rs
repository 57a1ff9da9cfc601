//! A history as a list of events, with everything that is left to chance chosen before it begins: so it can be run again,
//! and shortened. An event names what it is about by the event that made it; what is missing makes it do nothing.

/// What goes wrong during a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The request of that number is cut: before it is sent, or before its answer arrives. `dies`: the process with it.
    Cut { at: u8, lost: bool, dies: bool },
    /// So many transactions collide.
    Collide(u8),
    /// A transaction is applied and said to be under way.
    UnderWay,
    /// This machine's clock is wrong by so many seconds.
    Clock(i8),
}

/// What a member of staff does to a payout.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Act {
    Process,
    Approve,
    Transfer,
    /// Transfers by hand, then records it.
    Pay,
    /// Records what nobody transferred.
    PayLying,
    Fail,
    Reject,
    Reverse,
    /// A table of two columns that no export made.
    Handmade,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Back {
    End,
    Undeliverable,
    Adjust(u32),
}

/// How the gateway behaves from now on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mood {
    Honest,
    Lag(u16),
    Busy(u16),
    Floats,
    Strange,
    Forgets,
    ValidatesFirst,
    RefusesRefunds,
    RefusesTransfers,
    RefusesForNow,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Odd {
    Work,
    OrderDue,
    RefundDue,
    PayoutOpen,
    CommissionDue,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Policy {
    GatewayPayouts(bool),
    NoMinimum,
    ShortHold,
    Second(u32),
}

/// People: buyers, affiliates and products by number; `staff` 0 is the owner, 1 finance.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    Order { buyer: u8, product: u8, quantity: u8, referred: Option<u8>, coupon: bool, twice: bool },
    Link { order: u32, key: u8 },
    Pay { order: u32, older: bool, method: u8, sum: Option<u32> },
    Check { order: u32 },
    Cancel { order: u32 },
    Rename { order: u32 },
    DeleteAccount { buyer: u8 },
    Click { affiliate: u8 },
    SaveBank { affiliate: u8, number: u32 },
    AskPayout { affiliate: u8, amount: Option<u32> },
    Suspend { affiliate: u8 },
    Reinstate { affiliate: u8 },
    Bank { affiliate: u8, verify: bool, staff: u8 },
    Advance { order: u32 },
    CancelByStaff { order: u32 },
    Refund { order: u32, back: Back, key: Option<u32> },
    TakeOver { order: u32 },
    Confirm { order: u32 },
    RefundReceipt { order: u32 },
    Payout { of: u32, act: Act, staff: u8 },
    Export { staff: u8 },
    Upload { table: u32, staff: u8 },
    Restock { product: u8, units: i8 },
    CouponOff,
    Policy(Policy),
    CloseTasks,
    BankTakes { table: u32, rows: u8 },
    BankReturns { number: u8 },
    Gateway(Mood),
    PayoutEnds { number: u8, status: u8 },
    RefundEnds { number: u8, status: u8 },
    Deliver { number: u8, twice: bool },
    Lose { number: u8 },
    Work { rounds: u8 },
    Expire,
    Mature,
    Sweep,
    Aggregate,
    Reconcile,
    Odd(Odd),
    Days(u8),
    MailDown(bool),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Event {
    pub id: u32,
    /// Seconds since the one before.
    pub after: u32,
    pub step: Step,
    pub fault: Option<Fault>,
}

/// What the table does by itself throughout.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Table {
    pub page: Option<u8>,
    pub unread_every: Option<u32>,
    pub throttled_every: Option<u32>,
    pub collides_every: Option<u32>,
    /// Indexes are behind by so many writes.
    pub index_lag: Option<u8>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    pub seed: u64,
    pub table: Table,
    /// The member of finance works against the shop.
    pub crook: bool,
    pub events: Vec<Event>,
}

pub const BUYERS: u8 = 3;
pub const AFFILIATES: u8 = 2;
pub const PRODUCTS: u8 = 3;
