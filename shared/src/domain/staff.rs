//! Staff: who they are, what their role lets them do, and their second factor.

use super::{Wrong, contact::Email, ids::AdminId, text::PersonName, time::Timestamp};
use serde::{Deserialize, Serialize};

/// What a member of staff is here for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    Owner,
    Finance,
    Operations,
    Viewer,
}

macro_rules! permissions {
    ($($(#[$doc:meta])* $name:ident = $text:literal),+ $(,)?) => {
        /// One right; which role has it is in [`Role::may`].
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Permission { $($(#[$doc])* $name),+ }

        impl Permission {
            pub const ALL: &'static [Self] = &[$(Self::$name),+];

            /// What it allows, in the words of `docs/roles.md`.
            pub const fn as_str(self) -> &'static str { match self { $(Self::$name => $text),+ } }
        }
    };
}

permissions! {
    Read = "see applications, affiliates, orders, payouts, coupons, reports, tasks and jobs",
    ReviewAffiliates = "decide on applications; suspend, reinstate, change codes and rates",
    VerifyBankAccounts = "see whole account numbers and identity cards; verify bank accounts",
    RunOrders = "move orders on or cancel them",
    CloseTasks = "close tasks",
    Refund = "refund orders; decide on held commissions",
    PayOut = "process, pay, fail, reject and export payouts",
    EditShop = "products, stock, pictures, coupons, materials, questions and contact",
    EditPolicy = "settings",
    GiveMuch = "commissions above a fifth, discounts above a half",
    RunJobs = "run schedules by hand",
    ReadAudit = "read and export the audit log and the orders",
    ManageStaff = "invite staff, change roles, suspend",
}

impl Role {
    pub const ALL: &'static [Self] = &[Self::Owner, Self::Finance, Self::Operations, Self::Viewer];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Owner => "owner",
            Self::Finance => "finance",
            Self::Operations => "operations",
            Self::Viewer => "viewer",
        }
    }

    pub fn parse(text: &str) -> Result<Self, Wrong> {
        let known = Self::ALL.iter().copied().find(|r| r.as_str() == text);
        known.ok_or_else(|| Wrong::new("unknown_value", "must be one of owner, finance, operations, viewer"))
    }

    /// The table of rights: money is for finance, animals and people for operations, owners do both.
    pub const fn may(self, right: Permission) -> bool {
        use Permission::{CloseTasks, EditShop, PayOut, Read, ReadAudit, Refund, ReviewAffiliates, RunJobs, RunOrders, VerifyBankAccounts};
        match self {
            Self::Owner => true,
            Self::Finance => matches!(right, Read | VerifyBankAccounts | Refund | PayOut | CloseTasks | RunJobs | ReadAudit),
            Self::Operations => matches!(right, Read | ReviewAffiliates | RunOrders | CloseTasks | EditShop),
            Self::Viewer => matches!(right, Read),
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Admin {
    pub id: AdminId,
    pub name: PersonName,
    pub email: Email,
    pub role: Role,
    pub active: bool,
    pub created_at: Timestamp,
    /// When their role was changed last, or they were let in again.
    #[serde(default)]
    pub role_changed_at: Option<Timestamp>,
    #[serde(default)]
    pub second_factor: Option<SecondFactor>,
}

/// Codes of an authenticator app (TOTP), asked for at login once they were proved to work.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SecondFactor {
    /// What the codes are made from, sealed by the vault.
    pub sealed_secret: String,
    /// When a first code was right; until then nothing is asked for.
    #[serde(default)]
    pub confirmed_at: Option<Timestamp>,
    /// The time step of the last code that was taken: each code works once.
    pub last_step: u64,
    /// Hashes of the recovery codes that are left.
    pub recovery: Vec<String>,
    /// Names the use of the last code, so that whoever made it knows it again after a lost answer.
    #[serde(default)]
    pub last_use: String,
}

/// Whoever joined, or whose role changed, more recently is not one of the two people whom money needs: else one owner could
/// make the other.
const NEW_SECONDS: i64 = 86_400;

impl Admin {
    /// Whether they have been who they are for a day.
    pub fn is_established(&self, now: Timestamp) -> bool {
        now.since(self.created_at.max(self.role_changed_at.unwrap_or(self.created_at))) >= NEW_SECONDS
    }

    /// The second factor that a login must show.
    pub fn asks_for_code(&self) -> Option<&SecondFactor> {
        self.second_factor.as_ref().filter(|f| f.confirmed_at.is_some())
    }
}

/// There is, or was, a first owner: there is no second one without an invitation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FirstOwner {
    pub admin: AdminId,
    pub made_at: Timestamp,
}
