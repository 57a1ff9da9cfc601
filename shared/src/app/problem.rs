//! Errors named by meaning. The table of codes and statuses is here, and nowhere else; `http::answer` writes them down.

use crate::{
    domain::{Wrong, commission::NotVoidable, coupon::NotValid, money::Overflow, order::NotRefundable, payout::Refusal},
    gateway::GatewayError,
    store::{StoreError, entity::Corrupt},
};
use http::StatusCode;
use serde::Serialize;

macro_rules! codes {
    ($($name:ident = $code:literal, $status:ident, $title:literal;)+) => {
        /// Every error code with its status.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Code { $($name),+ }

        impl Code {
            pub const ALL: &'static [Self] = &[$(Self::$name),+];
            pub const fn as_str(self) -> &'static str { match self { $(Self::$name => $code),+ } }
            pub const fn status(self) -> StatusCode { match self { $(Self::$name => StatusCode::$status),+ } }
            pub const fn title(self) -> &'static str { match self { $(Self::$name => $title),+ } }
        }
    };
}

codes! {
    Malformed = "malformed", BAD_REQUEST, "The request cannot be read";
    NotLoggedIn = "not_logged_in", UNAUTHORIZED, "Log in first";
    WrongCredentials = "wrong_credentials", UNAUTHORIZED, "The e-mail address or the password is wrong";
    SecondFactorRequired = "second_factor_required", UNAUTHORIZED, "A code of the authenticator app is needed";
    SecondFactorWrong = "second_factor_wrong", UNAUTHORIZED, "The code is wrong or was used before";
    LinkRefused = "link_refused", UNPROCESSABLE_ENTITY, "The link is wrong, used or too old";
    NotAllowed = "not_allowed", FORBIDDEN, "You may not do this";
    SecondFactorMissing = "second_factor_missing", FORBIDDEN, "Set up an authenticator app first";
    NotFound = "not_found", NOT_FOUND, "There is no such thing";
    MethodNotAllowed = "method_not_allowed", METHOD_NOT_ALLOWED, "This address does not take that method";
    Conflict = "conflict", CONFLICT, "This does not fit the present state";
    IdempotencyMismatch = "idempotency_mismatch", CONFLICT, "This Idempotency-Key was used for another request";
    OutOfStock = "out_of_stock", CONFLICT, "Not enough is left";
    CouponRefused = "coupon_refused", UNPROCESSABLE_ENTITY, "The coupon does not apply";
    NotEligible = "payout_not_eligible", CONFLICT, "No payout can be requested now";
    Busy = "busy", CONFLICT, "Somebody is changing this at the same moment: try again";
    TooLarge = "too_large", PAYLOAD_TOO_LARGE, "The body is too large";
    WrongMediaType = "wrong_media_type", UNSUPPORTED_MEDIA_TYPE, "Send application/json";
    Invalid = "invalid_fields", UNPROCESSABLE_ENTITY, "Some fields are wrong";
    TooMany = "too_many_requests", TOO_MANY_REQUESTS, "Too many attempts";
    Unavailable = "temporarily_unavailable", SERVICE_UNAVAILABLE, "Try again in a moment";
    Internal = "internal", INTERNAL_SERVER_ERROR, "Something went wrong on our side";
}

/// One wrong field.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FieldError {
    pub field: String,
    pub code: &'static str,
    pub message: String,
}

/// An error answer. `logged` is for our logs only and never leaves.
#[derive(Debug)]
pub struct Problem {
    pub code: Code,
    pub detail: Option<String>,
    pub errors: Vec<FieldError>,
    pub retry_after: Option<i64>,
    pub(crate) logged: Option<String>,
    /// The row that could not be read, where that is all that is wrong.
    pub(crate) odd: Option<Box<Corrupt>>,
}

impl Problem {
    pub const fn new(code: Code) -> Self {
        Self { code, detail: None, errors: Vec::new(), retry_after: None, logged: None, odd: None }
    }

    pub fn detail(mut self, detail: impl Into<String>) -> Self {
        self.detail = Some(detail.into());
        self
    }

    pub fn conflict(detail: impl Into<String>) -> Self {
        Self::new(Code::Conflict).detail(detail)
    }

    pub fn fields(errors: Vec<FieldError>) -> Self {
        Self { errors, ..Self::new(Code::Invalid) }
    }

    pub fn field(field: &str, wrong: Wrong) -> Self {
        Self::fields(vec![FieldError { field: field.into(), code: wrong.code, message: wrong.message }])
    }

    pub fn too_many(seconds: i64) -> Self {
        Self { retry_after: Some(seconds), ..Self::new(Code::TooMany) }
    }

    /// What went wrong, for a log line.
    pub fn cause(&self) -> &str {
        self.logged.as_deref().unwrap_or(self.code.as_str())
    }

    /// A fault of ours: callers learn nothing of it, the log does.
    pub fn internal(cause: impl std::fmt::Display) -> Self {
        Self { logged: Some(cause.to_string()), ..Self::new(Code::Internal) }
    }

    /// Others kept writing in between. No fault of ours: it is answered with 409 and noted without an alarm. Work that was
    /// owed is tried again, as after every other problem than a conflict.
    pub fn busy(cause: impl std::fmt::Display) -> Self {
        Self { logged: Some(cause.to_string()), retry_after: Some(1), ..Self::new(Code::Busy) }
    }

    pub fn unavailable(cause: impl std::fmt::Display) -> Self {
        Self { logged: Some(cause.to_string()), retry_after: Some(2), ..Self::new(Code::Unavailable) }
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Unavailable(_) => Self::unavailable(error),
            StoreError::Astray => Self::field("cursor", Wrong::new("bad_cursor", "is not a cursor of this list")),
            StoreError::Corrupt(corrupt) => Self { odd: Some(Box::new(corrupt.clone())), ..Self::internal(corrupt) },
            StoreError::Refused(_) => Self::internal(error),
        }
    }
}

impl From<GatewayError> for Problem {
    fn from(error: GatewayError) -> Self {
        Self::unavailable(error)
    }
}

impl From<crate::events::QueueError> for Problem {
    fn from(error: crate::events::QueueError) -> Self {
        Self::unavailable(error)
    }
}

/// No amount that a caller may name comes near the limits of a sum: books that do not add up are a fault of ours. Work on
/// settled money that ends so is tried again and becomes a task, and is never taken for done.
impl From<Overflow> for Problem {
    fn from(error: Overflow) -> Self {
        Self::internal(error)
    }
}

impl From<crate::domain::Forbidden> for Problem {
    fn from(step: crate::domain::Forbidden) -> Self {
        Self::conflict(step.to_string())
    }
}

impl From<crate::secrets::password::BadHash> for Problem {
    fn from(error: crate::secrets::password::BadHash) -> Self {
        Self::internal(error)
    }
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::SecondPerson | Refusal::NotTheSecondPerson | Refusal::NewColleague | Refusal::OwnTransfer => {
                Self::new(Code::NotAllowed).detail(refusal.to_string())
            }
            Refusal::Overflow(error) => error.into(),
            _ => Self::conflict(refusal.to_string()),
        }
    }
}

impl From<NotRefundable> for Problem {
    fn from(error: NotRefundable) -> Self {
        match error {
            NotRefundable::Overflow(error) => error.into(),
            NotRefundable::Step(_) | NotRefundable::NotPaid | NotRefundable::TooMuch => Self::conflict(error.to_string()),
        }
    }
}

impl From<NotVoidable> for Problem {
    fn from(error: NotVoidable) -> Self {
        match error {
            NotVoidable::Overflow(error) => error.into(),
            NotVoidable::Step(step) => step.into(),
        }
    }
}

impl From<NotValid> for Problem {
    fn from(reason: NotValid) -> Self {
        let error = FieldError { field: "coupon".into(), code: reason.code(), message: reason.to_string() };
        Self { errors: vec![error], ..Self::new(Code::CouponRefused) }
    }
}
