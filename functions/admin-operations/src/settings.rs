//! Policies: seen, changed, and what they were.

use axum::{Json, extract::State};
use qutab::{
    app::{App, Problem, policy as policies},
    domain::{
        Wrong,
        money::Rupiah,
        settings::{CommissionRule, MonthWindow, RefundTier, Season, SelfReferral, Settings, SignalRules},
        staff::Permission,
        text::TermsVersion,
        time::Day,
    },
    http::{AdminCaller, Change, Form, PageQuery, StaffForm, page::Listed, policy},
};
use serde_json::{Value, json};

const EDIT: Permission = Permission::EditPolicy;
/// The highest minimum of a payout; the lowest is one rupiah, for a payout of nothing is none.
const MOST_MINIMUM: i64 = 1_000_000_000_000;
/// Most tiers and seasons.
const MOST: usize = 20;

pub async fn read(State(app): State<App>, caller: AdminCaller) -> Result<Json<Value>, Problem> {
    caller.may(Permission::Read)?;
    Ok(Json(view(&app.store.settings().await?)))
}

pub async fn versions(State(app): State<App>, caller: AdminCaller, page: PageQuery) -> Result<Json<Listed<Value>>, Problem> {
    caller.may(Permission::Read)?;
    let found = app.store.settings_versions(page.limit, page.after.clone()).await?;
    let view = |v: &qutab::domain::settings::SettingsVersion| json!({ "version": v.version, "at": v.at, "by": v.by, "settings": view(&v.settings) });
    Ok(Json(page.answer(found.map(|v| view(&v.value)))))
}

fn small(form: &mut Form, field: &str, range: std::ops::RangeInclusive<i64>) -> Option<u16> {
    form.maybe_integer(field, range).and_then(|n| u16::try_from(n).ok())
}

fn count(form: &mut Form, field: &str, range: std::ops::RangeInclusive<i64>) -> Option<u32> {
    form.integer(field, range).and_then(|n| u32::try_from(n).ok())
}

fn self_referral(form: &mut Form) -> Option<SelfReferral> {
    match form.text("kind", |kind| Ok(kind.to_owned()))?.as_str() {
        "block" => Some(SelfReferral::Block),
        "allow" => Some(SelfReferral::Allow),
        "reduced" => policy::rate(form, "rate").map(|rate| SelfReferral::Reduced { rate }),
        _ => {
            form.wrong("kind", Wrong::new("unknown_value", "must be one of block, reduced, allow"));
            None
        }
    }
}

fn window(form: &mut Form) -> Option<MonthWindow> {
    let day = |form: &mut Form, field: &str| form.integer(field, 1..=31).and_then(|n| u8::try_from(n).ok());
    let (first_day, last_day) = (day(form, "first_day"), day(form, "last_day"));
    Some(MonthWindow { first_day: first_day?, last_day: last_day? })
}

fn tier(form: &mut Form) -> Option<RefundTier> {
    let (at_least_days, rate) = (form.integer("at_least_days", -400..=400), policy::rate(form, "rate"));
    Some(RefundTier { at_least_days: at_least_days?, rate: rate? })
}

fn season(form: &mut Form) -> Option<Season> {
    let year = form.integer("year", 1_400..=1_600).and_then(|n| u16::try_from(n).ok());
    let eid = form.text("eid", |text| Day::parse(text).ok_or_else(|| Wrong::new("bad_day", "must be YYYY-MM-DD")));
    Some(Season { year: year?, eid: eid? })
}

fn signals(form: &mut Form) -> Option<SignalRules> {
    let (orders, clicks) = (count(form, "orders_of_one_visitor", 2..=1_000), count(form, "flood_clicks", 10..=10_000_000));
    Some(SignalRules { orders_of_one_visitor: orders?, flood_clicks: clicks? })
}

/// What a body changes.
struct Edit {
    commission: Option<CommissionRule>,
    hold_days: Option<u16>,
    minimum_payout: Option<Rupiah>,
    second_person_above: Option<Rupiah>,
    second_factor_required: Option<bool>,
    withholding: Option<qutab::domain::money::BasisPoints>,
    gateway_payouts: Option<bool>,
    /// Taken away: payouts on every day.
    payout_window: Change<MonthWindow>,
    self_referral: Option<SelfReferral>,
    referral_days: Option<u16>,
    access_minutes: Option<u16>,
    refresh_days: Option<u16>,
    payment_hours: Option<u16>,
    unpaid_animals: Option<u32>,
    click_retention_days: Option<u16>,
    ktp_retention_days: Option<u16>,
    signals: Option<SignalRules>,
    refund_tiers: Option<Vec<RefundTier>>,
    seasons: Option<Vec<Season>>,
    terms_version: Option<TermsVersion>,
    names_days_before_eid: Option<i64>,
}

fn given<T>(form: &mut Form, field: &str, read: impl FnOnce(&mut Form, &str) -> Option<T>) -> Option<T> {
    if form.has(field) { read(form, field) } else { None }
}

fn edit(form: &mut Form) -> Edit {
    Edit {
        commission: given(form, "commission_rule", |f, n| f.object(n, policy::commission)),
        hold_days: small(form, "hold_days", 0..=365),
        minimum_payout: form.maybe_integer("minimum_payout", 1..=MOST_MINIMUM).map(Rupiah::new),
        second_person_above: policy::maybe_rupiah(form, "second_person_above"),
        second_factor_required: form.maybe_flag("second_factor_required"),
        withholding: given(form, "withholding_rate", policy::rate),
        gateway_payouts: form.maybe_flag("gateway_payouts"),
        payout_window: form.change("payout_window", window),
        self_referral: given(form, "self_referral", |f, n| f.object(n, self_referral)),
        referral_days: small(form, "referral_days", 1..=365),
        // A suspension is noticed everywhere when the access token ends, so it ends soon.
        access_minutes: small(form, "access_minutes", 5..=60),
        refresh_days: small(form, "refresh_days", 1..=90),
        payment_hours: small(form, "payment_hours", 1..=168),
        unpaid_animals: form.maybe_integer("unpaid_animals", 1..=2_000).and_then(|n| u32::try_from(n).ok()),
        // Days are counted from clicks for sixty days, so clicks stay longer.
        click_retention_days: small(form, "click_retention_days", 61..=365),
        ktp_retention_days: small(form, "ktp_retention_days", 1..=120),
        signals: given(form, "signals", |f, n| f.object(n, signals)),
        refund_tiers: given(form, "refund_tiers", |f, n| f.list(n, 1..=MOST, tier)),
        seasons: given(form, "seasons", |f, n| f.list(n, 1..=MOST, season)),
        terms_version: form.maybe_text("terms_version", TermsVersion::parse),
        names_days_before_eid: form.maybe_integer("names_days_before_eid", 0..=60),
    }
}

/// What is named changes, the rest stays. `version` is the one that was seen: nobody writes over somebody else's change.
pub async fn change(State(app): State<App>, caller: AdminCaller, StaffForm(mut form): StaffForm) -> Result<Json<Value>, Problem> {
    let by = caller.may(EDIT)?.into();
    let version = count(&mut form, "version", 1..=1_000_000);
    let e = edit(&mut form);
    form.checked()?;
    let Some(version) = version else { return Err(form.problem()) };
    let changed = policies::change_settings(&app, by, version, |s| Settings {
        commission: e.commission.unwrap_or(s.commission),
        hold_days: e.hold_days.unwrap_or(s.hold_days),
        minimum_payout: e.minimum_payout.unwrap_or(s.minimum_payout),
        second_person_above: e.second_person_above.unwrap_or(s.second_person_above),
        second_factor_required: e.second_factor_required.unwrap_or(s.second_factor_required),
        earlier_limit: s.earlier_limit,
        withholding: e.withholding.unwrap_or(s.withholding),
        gateway_payouts: e.gateway_payouts.unwrap_or(s.gateway_payouts),
        payout_window: e.payout_window.over(s.payout_window),
        self_referral: e.self_referral.unwrap_or(s.self_referral),
        referral_days: e.referral_days.unwrap_or(s.referral_days),
        access_minutes: e.access_minutes.unwrap_or(s.access_minutes),
        refresh_days: e.refresh_days.unwrap_or(s.refresh_days),
        payment_hours: e.payment_hours.unwrap_or(s.payment_hours),
        unpaid_animals: e.unpaid_animals.unwrap_or(s.unpaid_animals),
        click_retention_days: e.click_retention_days.unwrap_or(s.click_retention_days),
        ktp_retention_days: e.ktp_retention_days.unwrap_or(s.ktp_retention_days),
        signals: e.signals.unwrap_or(s.signals),
        refund_tiers: e.refund_tiers.unwrap_or(s.refund_tiers),
        seasons: e.seasons.unwrap_or(s.seasons),
        terms_version: e.terms_version.map_or(s.terms_version, |t| t.as_str().to_owned()),
        names_days_before_eid: e.names_days_before_eid.unwrap_or(s.names_days_before_eid),
        version: s.version,
    });
    Ok(Json(view(&changed.await?)))
}

/// In the words in which it is changed.
fn view(s: &Settings) -> Value {
    json!({
        "version": s.version,
        "commission_rule": s.commission,
        "hold_days": s.hold_days,
        "minimum_payout": s.minimum_payout,
        "second_person_above": s.second_person_above,
        "earlier_limit": s.earlier_limit,
        "second_factor_required": s.second_factor_required,
        "withholding_rate": s.withholding,
        "gateway_payouts": s.gateway_payouts,
        "payout_window": s.payout_window,
        "self_referral": s.self_referral,
        "referral_days": s.referral_days,
        "access_minutes": s.access_minutes,
        "refresh_days": s.refresh_days,
        "payment_hours": s.payment_hours,
        "unpaid_animals": s.unpaid_animals,
        "click_retention_days": s.click_retention_days,
        "ktp_retention_days": s.ktp_retention_days,
        "signals": s.signals,
        "refund_tiers": s.refund_tiers,
        "seasons": s.seasons,
        "terms_version": s.terms_version,
        "names_days_before_eid": s.names_days_before_eid,
    })
}
