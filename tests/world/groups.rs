//! Every group of routes, as the functions build them.

use qutab::{
    app::{App, Counter, Shop, documents::ReadingRoom, jobs::Workshop, uploads::Intake},
    http::Group,
};

pub fn all_groups(
    app: &App,
    shop: &Shop,
    counter: &Counter,
    intake: &Intake,
    room: &ReadingRoom,
    workshop: &Workshop,
    webhook: zendit_webhook::Webhook,
) -> Vec<Group> {
    vec![
        customer_auth::group(app.clone()),
        catalog::group(app.clone()),
        coupons::group(app.clone()),
        customer_profile::group(app.clone()),
        helpdesk::group(app.clone()),
        orders::group(shop.clone()),
        payments::group(shop.clone()),
        zendit_webhook::group(webhook),
        referral::group(app.clone()),
        affiliate_auth::group(app.clone()),
        affiliate_dashboard::group(app.clone()),
        affiliate_finance::group(intake.clone()),
        affiliate_profile::group(intake.clone()),
        admin_auth::group(app.clone()),
        admin_affiliates::group(app.clone()),
        admin_orders::group(counter.clone()),
        admin_payouts::group(intake.clone()),
        admin_operations::group(app.clone()),
        admin_documents::group(room.clone()),
        admin_jobs::group(workshop.clone()),
        admin_reports::group(app.clone()),
        admin_catalog::group(intake.clone()),
    ]
}
