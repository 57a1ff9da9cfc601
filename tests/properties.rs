//! What holds for every input: parsers, money, discounts, voids, status machines, pages.

use proptest::prelude::*;
use qutab::domain::{
    affiliate::{AffiliateStatus, ReferralCode},
    catalog::Category,
    commission::CommissionStatus,
    contact::{Email, Phone},
    coupon::{Basket, Coupon, CouponCode, Discount},
    ids::{OrderId, ProductId},
    money::{BasisPoints, Rupiah},
    order::OrderStatus,
    payout::PayoutStatus,
    picture::Picture,
    refund::RefundStatus,
    text::{PersonName, mask_email, mask_name, mask_number},
    time::{Day, Timestamp},
    wallet::Wallet,
};

fn rate() -> impl Strategy<Value = BasisPoints> {
    (0..=BasisPoints::WHOLE).prop_map(|points| BasisPoints::new(points).unwrap())
}

proptest! {
    #[test]
    fn parsers_take_any_text_without_failing_and_what_they_give_parses_to_itself(text in "\\PC{0,60}") {
        if let Ok(email) = Email::parse(&text) {
            prop_assert_eq!(Email::parse(email.as_str()).unwrap(), email);
        }
        if let Ok(phone) = Phone::parse(&text) {
            prop_assert_eq!(Phone::parse(phone.as_str()).unwrap(), phone);
        }
        if let Ok(code) = CouponCode::parse(&text) {
            prop_assert_eq!(CouponCode::parse(code.as_str()).unwrap(), code);
        }
        if let Ok(code) = ReferralCode::parse(&text) {
            prop_assert_eq!(ReferralCode::parse(code.as_str()).unwrap(), code);
        }
        if let Ok(name) = PersonName::parse(&text) {
            prop_assert!(!name.as_str().contains("  ") && name.as_str() == name.as_str().trim());
            prop_assert_eq!(PersonName::parse(name.as_str()).unwrap(), name);
        }
        let _ = (Timestamp::parse(&text), Day::parse(&text), OrderId::parse(&text), OrderStatus::parse(&text));
    }

    /// Commissions mature one by one, and refunds take back parts of them: one is shown as paid when what has matured up to
    /// and with it, less what was taken back of that, has been paid out. With more takings back than a wallet remembers, never
    /// too early.
    #[test]
    fn what_is_shown_as_paid_is_what_has_been_paid(steps in prop::collection::vec((0..2_u8, 1..1_000_i64, 0..8_usize), 1..60), paid in 0..8_000_i64) {
        let mut wallet = Wallet::open(qutab::domain::ids::AffiliateId::named(&["a"]));
        let (mut left, mut places): (Vec<i64>, Vec<(i64, Timestamp)>) = (Vec::new(), Vec::new());
        let mut takings = 0;
        for (second, (kind, amount, of)) in steps.into_iter().enumerate() {
            let at = Timestamp::from_unix(1_800_000_000 + i64::try_from(second).unwrap());
            if kind == 0 {
                places.push((left.iter().sum::<i64>() + amount, at));
                left.push(amount);
            } else if let Some(of) = of.checked_rem(left.len()) {
                let taken = amount.min(left[of]);
                left[of] -= taken;
                wallet.note_taken_back(Rupiah::new(places[of].0), places[of].1, Rupiah::new(taken), at).unwrap();
                takings += 1;
            }
        }
        wallet.balance.paid_out = Rupiah::new(paid);
        let paid_out = wallet.paid_out();
        for (number, (covered_by, at)) in places.iter().enumerate() {
            let (is, should_be) = (paid_out.covers(Rupiah::new(*covered_by), *at), left[..=number].iter().sum::<i64>() <= paid);
            prop_assert!(is == should_be || (takings > 20 && should_be), "commission {}: {} for {}", number, is, should_be);
        }
    }

    #[test]
    fn a_mobile_number_is_the_same_however_it_is_written(rest in "8[0-9]{7,11}", gap in "[ .-]?") {
        let expected = format!("+62{rest}");
        let (front, back) = rest.split_at(3);
        let split = format!("{front}{gap}{back}");
        for written in [format!("0{split}"), format!("62{split}"), format!("+62 {split}"), split, format!("(0{front}) {back}")] {
            let parsed = Phone::parse(&written).unwrap();
            prop_assert_eq!(parsed.as_str(), expected.as_str());
        }
    }

    #[test]
    fn an_address_is_one_mailbox_in_any_case_and_with_any_tag(local in "[a-z]{1,10}", tag in "[a-z0-9]{0,6}") {
        let plain = Email::parse(&format!("{local}@gmail.com")).unwrap();
        let dressed = Email::parse(&format!("{}+{tag}x@GMAIL.com", local.to_uppercase())).unwrap();
        prop_assert_eq!(plain.mailbox(), dressed.mailbox());
        prop_assert_ne!(plain.login_key(), dressed.login_key());
    }

    #[test]
    fn masks_never_show_more_than_half(text in "[a-zA-Z]{1,20}( [a-zA-Z]{1,20}){0,3}", digits in "[0-9]{8,20}") {
        for (word, masked) in text.split(' ').zip(mask_name(&text).split(' ')) {
            let shown = masked.chars().filter(|c| *c != '*').count();
            prop_assert!(shown <= 3 && shown * 2 <= word.len());
        }
        let masked = mask_number(&digits);
        prop_assert!(masked.ends_with(&digits[digits.len() - 4..]) && masked.matches('*').count() == digits.len() - 4);
        let local: String = text.chars().filter(|c| *c != ' ').collect();
        let masked = mask_email(&format!("{local}@example.com"));
        prop_assert!(masked.ends_with("***@example.com") && masked.find('*').unwrap() * 2 <= local.len());
    }

    #[test]
    fn money_adds_up_or_overflows_and_rounds_down(a in any::<i64>(), b in any::<i64>(), rate in rate()) {
        let (a, b) = (Rupiah::new(a), Rupiah::new(b));
        match a.plus(b) {
            Ok(sum) => prop_assert_eq!(sum.minus(b).unwrap(), a),
            Err(_) => prop_assert!(a.get().checked_add(b.get()).is_none()),
        }
        let part = a.percent(rate).unwrap();
        let exact = i128::from(a.get()) * i128::from(rate.get());
        let (low, high) = (i128::from(part.get()) * 10_000, (i128::from(part.get()) + 1) * 10_000);
        prop_assert!(low <= exact && exact < high);
    }

    #[test]
    fn money_is_written_with_dots_and_read_back(amount in -1_000_000_000_000_i64..1_000_000_000_000) {
        let text = Rupiah::new(amount).to_string();
        prop_assert_eq!(text.replace("Rp", "").replace('.', "").parse::<i64>().unwrap(), amount);
        prop_assert!(text.split('.').skip(1).all(|group| group.len() == 3));
    }

    #[test]
    fn a_discount_is_never_more_than_what_it_is_for(
        prices in proptest::collection::vec((0..3_usize, 0..100_000_000_i64), 1..8), rate in rate(), cap in proptest::option::of(0..1_000_000_i64),
        fixed in 0..200_000_000_i64, percent in any::<bool>(), only in 0..3_usize,
    ) {
        let basket: Vec<Basket> = prices.iter().map(|(c, p)| Basket { product: ProductId::named(&["x"]), category: Category::ALL[*c], price: Rupiah::new(*p) }).collect();
        let discount = if percent { Discount::Percent { rate, cap: cap.map(Rupiah::new) } } else { Discount::Fixed { amount: Rupiah::new(fixed) } };
        let now = Timestamp::from_unix(0);
        let coupon = Coupon {
            code: CouponCode::parse("ABC").unwrap(), discount, valid_from: now, valid_until: now.plus_days(1), minimum_order: Rupiah::ZERO,
            limit: 1, used: 0, active: true, affiliate: None, per_customer: None, categories: vec![Category::ALL[only]], products: Vec::new(),
        };
        let meant: i64 = prices.iter().filter(|(c, _)| *c == only).map(|(_, p)| p).sum();
        match coupon.discount_on(&basket, 0, now).unwrap() {
            Ok(off) => prop_assert!(!off.is_negative() && off.get() <= meant && cap.is_none_or(|cap| !percent || off.get() <= cap)),
            Err(_) => prop_assert!(!prices.iter().any(|(c, _)| *c == only)),
        }
    }

    #[test]
    fn parts_of_a_refund_void_the_whole_commission_exactly(paid in 1..50_000_000_i64, rate in rate(), cuts in proptest::collection::vec(1..1_000_u32, 1..6)) {
        let mut commission = commission(paid, rate);
        let whole = commission.amount.get();
        let weight: u32 = cuts.iter().sum();
        let (mut refunded, mut taken) = (0, 0);
        for (at, cut) in cuts.iter().enumerate() {
            refunded = if at + 1 == cuts.len() { paid } else { (refunded + paid * i64::from(*cut) / i64::from(weight)).min(paid) };
            let (after, part) = commission.voided_by(Rupiah::new(refunded), Rupiah::new(paid), false).unwrap();
            prop_assert!(!part.is_negative());
            taken += part.get();
            commission = after;
        }
        prop_assert_eq!((taken, commission.status), (whole, CommissionStatus::Void));
    }

    #[test]
    fn moments_and_days_are_written_and_read_back(seconds in 0..4_000_000_000_i64) {
        let at = Timestamp::from_unix(seconds);
        prop_assert_eq!(Timestamp::parse(&at.to_string()), Some(at));
        prop_assert_eq!(Day::parse(&at.day().to_string()), Some(at.day()));
        prop_assert_eq!(at.day(), Timestamp::from_unix((seconds + 7 * 3_600).div_euclid(86_400) * 86_400 - 7 * 3_600).day(), "a day of Jakarta");
    }

    #[test]
    fn pictures_keep_their_shape(width in 1..8_000_u32, height in 1..8_000_u32) {
        let sizes = Picture { id: qutab::domain::ids::PictureId::named(&["x"]), width, height }.sizes();
        prop_assert!(!sizes.is_empty() && sizes.iter().all(|s| s.width <= width.min(1_280) && s.height >= 1));
        prop_assert!(sizes.windows(2).all(|s| s[0].width < s[1].width));
    }
}

fn commission(paid: i64, rate: BasisPoints) -> qutab::domain::commission::Commission {
    use qutab::domain::{
        attribution::FrozenRule, commission::Commission, ids::AffiliateId, order::OrderNumber, settings::CommissionRule, time::Entropy,
    };
    let rule = CommissionRule::Percent { rate };
    let now = Timestamp::from_unix(0);
    Commission {
        affiliate: AffiliateId::named(&["a"]),
        order: OrderId::named(&["o"]),
        order_number: OrderNumber::generate(now, &Entropy::new(|bytes| bytes.fill(1))),
        status: CommissionStatus::Pending,
        basis: Rupiah::new(paid),
        rule: FrozenRule { rule, version: 1, hold_days: 30 },
        amount: rule.earned_on(Rupiah::new(paid)).unwrap(),
        voided: Rupiah::ZERO,
        placed_at: now,
        paid_at: now,
        due_at: None,
        matured_at: None,
        covered_by: None,
        signals: Vec::new(),
        void_because: None,
    }
}

/// No status leads to itself, and an end has no way out.
#[test]
fn status_machines_only_go_where_their_tables_say() {
    macro_rules! machine {
        ($status:ty, ends: [$($end:ident),*]) => {
            for from in <$status>::ALL {
                assert!(!from.may_become(*from), "{from}");
                let ways = <$status>::ALL.iter().filter(|to| from.may_become(**to)).count();
                let end = [$(<$status>::$end),*].contains(from);
                assert_eq!(ways == 0, end, "{from}");
                assert_eq!(<$status>::parse(from.as_str()).unwrap(), *from);
            }
        };
    }
    machine!(OrderStatus, ends: [Refunded]);
    machine!(PayoutStatus, ends: [Reversed]);
    machine!(CommissionStatus, ends: [Void]);
    machine!(RefundStatus, ends: [Succeeded]);
    machine!(AffiliateStatus, ends: []);
}
