//! What the business is measured by. A use case says that something happened, once it is written; `runtime::telemetry`
//! publishes it. Nothing is decided by these numbers: after a crash one may be missing.

/// Marks the events that are metrics.
pub const TARGET: &str = "qutab::metric";

macro_rules! metrics {
    ($($(#[doc = $doc:literal])* $name:ident: $unit:literal;)+) => {
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Metric { $($(#[doc = $doc])* $name),+ }

        impl Metric {
            pub const ALL: &'static [Self] = &[$(Self::$name),+];
            pub const fn as_str(self) -> &'static str { match self { $(Self::$name => stringify!($name)),+ } }
            /// CloudWatch's name of the unit.
            pub const fn unit(self) -> &'static str { match self { $(Self::$name => $unit),+ } }
        }
    };
}

metrics! {
    /// Orders placed; a replayed request is none.
    OrdersPlaced: "Count";
    OrdersPaid: "Count";
    CommissionsEarned: "Count";
    CommissionsMatured: "Count";
    PayoutsRequested: "Count";
    PayoutsPaid: "Count";
    /// Payouts that failed, or came back after they were paid.
    PayoutAnomalies: "Count";
    /// The gateway, the bank or a person says something about money that our books contradict.
    MoneyContradictions: "Count";
    /// Refunds and transfers that the gateway has had for days without saying what became of them.
    MoneyUnsettled: "Count";
    /// From the payment at the gateway to the paid order here.
    WebhookLagSeconds: "Seconds";
    /// Accounts that were guessed at more often in an hour than anybody mistypes.
    AccountsBesieged: "Count";
    /// Notices without the gateway's token.
    WebhookRefused: "Count";
    /// Rows that this version cannot read, when they are first met.
    OddRows: "Count";
    /// Wallets that are not the sum of their ledger.
    ReconciliationDifferences: "Count";
}

impl Metric {
    pub fn add(self, value: i64) {
        tracing::info!(target: TARGET, metric = self.as_str(), value);
    }

    pub fn one(self) {
        self.add(1);
    }
}
