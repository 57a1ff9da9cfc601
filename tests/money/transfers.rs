//! Transfers through the gateway end by its word, asked for after the last request that could still be under way.

use super::{act, balance, close_task, request, rich, set, status, tasks};
use qutab_local::wire::{Cut, Position, Service};
use qutab_tests::{Affiliate, World};
use serde_json::json;

/// A payout that was handed over to the gateway, and not yet sent.
async fn handed_over(w: &World) -> (Affiliate, String) {
    let affiliate = rich(w, "rina").await;
    set(w, json!({ "gateway_payouts": true })).await;
    let payout = request(w, &affiliate, json!({})).await;
    for what in ["process", "transfer"] {
        assert_eq!(act(w, "finance", &payout, what, json!({})).await.0, 200);
    }
    (affiliate, payout)
}

async fn paid(w: &World) -> (Affiliate, String) {
    let (affiliate, payout) = handed_over(w).await;
    w.drain().await;
    for event in w.wire.zendit.finish_payouts("SUCCEEDED") {
        w.webhook(&event).await;
    }
    w.drain().await;
    assert_eq!(status(w, &payout).await, "paid");
    (affiliate, payout)
}

/// The gateway takes the transfer; its answer is lost and the worker dies.
async fn taken_and_lost(w: &World) {
    for at in 0..12 {
        w.wire.arm(Cut { at, position: Position::AnswerLost, dies: true });
        w.work_payments().await;
        w.wire.revive();
        if w.wire.zendit.paid_out() > 0 {
            return;
        }
        w.pass_seconds(1_000);
        w.sweep().await;
    }
    panic!("the gateway was never asked");
}

#[tokio::test]
async fn a_transfer_whose_answer_was_lost_is_never_failed_by_a_later_refusal() {
    let w = World::new().await;
    let (affiliate, payout) = handed_over(&w).await;
    taken_and_lost(&w).await;
    w.wire.zendit.refuse(Some((400, "AMOUNT_LIMITS_ERROR")));
    for _ in 0..8 {
        w.pass_seconds(700);
        w.sweep().await;
        w.drain().await;
    }
    assert_eq!(status(&w, &payout).await, "processing", "the gateway was asked what it knows under our name");
    w.wire.zendit.refuse(None);
    for event in w.wire.zendit.finish_payouts("SUCCEEDED") {
        w.webhook(&event).await;
    }
    w.drain().await;
    assert_eq!((balance(&w, &affiliate).await, w.wire.zendit.paid_out()), ((0, 0, 0, 1_250_000), 1_250_000));
}

#[tokio::test]
async fn a_refusal_that_cannot_pass_fails_a_transfer_only_once_no_request_can_be_under_way() {
    let w = World::new().await;
    let (affiliate, payout) = handed_over(&w).await;
    w.wire.zendit.refuse(Some((400, "INVALID_DESTINATION")));
    for _ in 0..3 {
        w.sweep().await;
        w.drain().await;
        assert_eq!(status(&w, &payout).await, "processing");
        w.pass_seconds(250);
    }
    for _ in 0..4 {
        w.pass_seconds(700);
        w.sweep().await;
        w.drain().await;
    }
    assert_eq!(status(&w, &payout).await, "failed");
    assert_eq!((balance(&w, &affiliate).await, w.wire.zendit.paid_out()), ((0, 1_250_000, 0, 0), 0));
}

#[tokio::test]
async fn success_of_a_transfer_that_counts_as_failed_is_recorded_and_rings() {
    let w = World::new().await;
    let (affiliate, payout) = handed_over(&w).await;
    w.drain().await;
    for event in w.wire.zendit.finish_payouts("FAILED") {
        w.webhook(&event).await;
    }
    w.drain().await;
    assert_eq!(status(&w, &payout).await, "failed");
    let told = w.wire.zendit.turn_payouts("FAILED", "SUCCEEDED");
    w.webhook(&told[0]).await;
    w.drain().await;
    assert_eq!((status(&w, &payout).await.as_str(), balance(&w, &affiliate).await), ("paid", (0, 0, 0, 1_250_000)));
    assert_eq!(tasks(&w), ["money_contradiction"]);
    assert_eq!(close_task(&w, 0).await, 204);
    w.check_ledgers().await;
}

#[tokio::test]
async fn a_reversal_that_is_told_early_is_kept_until_the_gateway_says_it() {
    let w = World::new().await;
    let (affiliate, payout) = paid(&w).await;
    let gateway_id = w.get(&format!("/api/admin/payouts/{payout}"), &w.admin("finance").await).await.ok()["transfer"]["gateway_id"].clone();
    // The notice overtakes the gateway's read model.
    w.webhook(&json!({ "event": "payout.reversed", "data": { "id": gateway_id } })).await;
    w.drain().await;
    assert_eq!(status(&w, &payout).await, "paid", "the gateway still says so");
    w.wire.zendit.finish_payouts("REVERSED");
    w.days_pass(2).await;
    assert_eq!((status(&w, &payout).await.as_str(), balance(&w, &affiliate).await), ("reversed", (0, 1_250_000, 0, 0)));
}

#[tokio::test]
async fn an_announced_reversal_that_never_comes_is_a_persons_and_closing_it_ends_the_asking() {
    let w = World::new().await;
    let (_, payout) = paid(&w).await;
    let gateway_id = w.get(&format!("/api/admin/payouts/{payout}"), &w.admin("finance").await).await.ok()["transfer"]["gateway_id"].clone();
    w.webhook(&json!({ "event": "payout.reversed", "data": { "id": gateway_id } })).await;
    w.days_pass(4).await;
    assert_eq!((tasks(&w), w.kind("outbox").len()), (vec!["notice_not_confirmed".to_owned()], 1));
    assert_eq!(close_task(&w, 0).await, 204);
    assert_eq!((tasks(&w).len(), w.kind("outbox").len()), (0, 0));
}

#[tokio::test]
async fn the_gateways_transfer_is_reversed_by_its_word_alone() {
    let w = World::new().await;
    let (affiliate, payout) = paid(&w).await;
    let reason = json!({ "reason": "salah klik" });
    assert_eq!(act(&w, "finance", &payout, "reverse", reason.clone()).await.0, 403, "not by whoever handed it over");
    assert_eq!(act(&w, "owner", &payout, "reverse", reason.clone()).await.0, 202, "the gateway is asked");
    w.days_pass(1).await;
    assert_eq!((status(&w, &payout).await.as_str(), balance(&w, &affiliate).await), ("paid", (0, 0, 0, 1_250_000)), "it says that it was paid");
    // The bank returns it, and the notice of that is lost.
    w.wire.zendit.finish_payouts("REVERSED");
    assert_eq!(act(&w, "owner", &payout, "reverse", reason).await.0, 202);
    w.drain().await;
    assert_eq!((status(&w, &payout).await.as_str(), balance(&w, &affiliate).await), ("reversed", (0, 1_250_000, 0, 0)));
}

#[tokio::test]
async fn a_transfer_that_the_gateway_cannot_take_is_ended_by_another_person_through_its_word() {
    let w = World::new().await;
    let (affiliate, payout) = handed_over(&w).await;
    w.wire.zendit.refuse(Some((403, "INSUFFICIENT_BALANCE")));
    w.drain().await;
    let reason = json!({ "reason": "transfer manual saja" });
    assert_eq!(act(&w, "finance", &payout, "fail", reason.clone()).await.0, 403);
    assert_eq!(act(&w, "owner", &payout, "fail", reason).await.0, 202);
    w.drain().await;
    assert_eq!(status(&w, &payout).await, "processing", "a request may be under way");
    w.days_pass(1).await;
    assert_eq!((status(&w, &payout).await.as_str(), balance(&w, &affiliate).await), ("failed", (0, 1_250_000, 0, 0)));
}

#[tokio::test]
async fn a_transfer_that_was_taken_is_never_ended_or_sent_again_by_a_list_that_lags() {
    let w = World::new().await;
    let (affiliate, payout) = handed_over(&w).await;
    w.drain().await;
    w.wire.zendit.hide_lists(true);
    w.pass_seconds(86_400);
    assert_eq!(act(&w, "owner", &payout, "fail", json!({ "reason": "tidak sampai" })).await.0, 202);
    w.days_pass(1).await;
    assert_eq!((status(&w, &payout).await.as_str(), w.wire.zendit.paid_out()), ("processing", 1_250_000), "it has it under its own id");
    w.wire.zendit.lose_everything(true);
    w.pass_seconds(60);
    assert_eq!(act(&w, "owner", &payout, "fail", json!({ "reason": "hilang di gerbang" })).await.0, 202);
    w.days_pass(1).await;
    assert_eq!((status(&w, &payout).await.as_str(), balance(&w, &affiliate).await), ("failed", (0, 1_250_000, 0, 0)), "it knows it no more");
}

#[tokio::test]
async fn a_transfer_that_is_unsettled_for_days_is_a_persons_until_the_gateway_says_more() {
    let w = World::new().await;
    let (_, payout) = handed_over(&w).await;
    w.drain().await;
    w.days_pass(2).await;
    assert!(tasks(&w).is_empty());
    w.days_pass(2).await;
    assert_eq!((tasks(&w), close_task(&w, 0).await), (vec!["transfer_unsettled".to_owned()], 409));
    w.wire.zendit.finish_payouts("SUCCEEDED");
    w.days_pass(1).await;
    assert_eq!((status(&w, &payout).await.as_str(), tasks(&w).len()), ("paid", 0));
}

#[tokio::test]
async fn a_transfer_is_not_repeated_after_the_gateway_has_forgotten_its_key() {
    let w = World::new().await;
    let (affiliate, payout) = handed_over(&w).await;
    taken_and_lost(&w).await;
    w.wire.zendit.forget_keys();
    for _ in 0..3 {
        w.pass_seconds(3_600);
        w.sweep().await;
        w.drain().await;
    }
    assert_eq!(w.wire.zendit.paid_out(), 1_250_000, "once");
    w.wire.zendit.finish_payouts("SUCCEEDED");
    w.days_pass(1).await;
    assert_eq!((status(&w, &payout).await.as_str(), balance(&w, &affiliate).await), ("paid", (0, 0, 0, 1_250_000)));
}

/// A retry is taken long after the hand-over, and the gateway's reads lag: nothing found then proves nothing.
#[tokio::test]
async fn a_transfer_that_has_just_been_taken_is_not_failed_by_reads_that_lag() {
    let w = World::new().await;
    let (affiliate, payout) = handed_over(&w).await;
    w.wire.take_down(Service::Gateway, true);
    w.drain().await;
    w.pass_seconds(1_200);
    w.wire.take_down(Service::Gateway, false);
    w.sweep().await;
    w.drain().await;
    assert_eq!(w.wire.zendit.paid_out(), 1_250_000);
    w.pass_seconds(30);
    w.wire.zendit.lose_everything(true);
    assert_eq!(act(&w, "owner", &payout, "fail", json!({ "reason": "macet" })).await.0, 202);
    w.drain().await;
    assert_eq!(status(&w, &payout).await, "processing", "the request was twenty minutes later than the hand-over");
    w.wire.zendit.lose_everything(false);
    w.wire.zendit.finish_payouts("SUCCEEDED");
    w.days_pass(1).await;
    assert_eq!((status(&w, &payout).await.as_str(), balance(&w, &affiliate).await), ("paid", (0, 0, 0, 1_250_000)));
}

/// The answer to the request is lost, and the notice is quicker than the next try: its name at the gateway is heard there.
#[tokio::test]
async fn a_transfer_that_was_settled_by_its_notice_can_come_back() {
    let w = World::new().await;
    let (affiliate, payout) = handed_over(&w).await;
    taken_and_lost(&w).await;
    for event in w.wire.zendit.finish_payouts("SUCCEEDED") {
        w.webhook(&event).await;
    }
    w.drain().await;
    let seen = w.get(&format!("/api/admin/payouts/{payout}"), &w.admin("finance").await).await.ok();
    assert_eq!((seen["status"].as_str(), seen["transfer"]["gateway_id"].is_string()), (Some("paid"), true), "{seen}");
    // The bank returns it, and the notice of that is lost.
    w.wire.zendit.finish_payouts("REVERSED");
    assert_eq!(act(&w, "owner", &payout, "reverse", json!({ "reason": "kembali" })).await.0, 202);
    w.drain().await;
    assert_eq!((status(&w, &payout).await.as_str(), balance(&w, &affiliate).await), ("reversed", (0, 1_250_000, 0, 0)));
}

#[tokio::test]
async fn success_of_a_transfer_that_came_back_rings_unless_it_is_an_older_answer() {
    let w = World::new().await;
    let (affiliate, payout) = paid(&w).await;
    for event in w.wire.zendit.finish_payouts("REVERSED") {
        w.webhook(&event).await;
    }
    w.drain().await;
    assert_eq!(status(&w, &payout).await, "reversed");
    let told = w.wire.zendit.turn_payouts("REVERSED", "SUCCEEDED");
    w.webhook(&told[0]).await;
    w.drain().await;
    assert_eq!(tasks(&w).len(), 0, "it may be from before");
    w.days_pass(1).await;
    assert_eq!(tasks(&w), ["money_contradiction"], "it still says so");
    assert_eq!((status(&w, &payout).await.as_str(), balance(&w, &affiliate).await), ("reversed", (0, 1_250_000, 0, 0)), "a person decides");
}
