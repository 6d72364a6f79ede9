//! Random edits on both sides of a sync through the real components: nothing is lost, nothing echoes.

use super::two_way::{both_ways, perform, sides_of, written};
use crate::world::{User, World};
use chrono::TimeDelta;
use platforms::{Product, product};
use serde_json::json;
use std::collections::BTreeMap;

/// A small generator of random numbers: the same seed, the same edits.
struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: u64) -> u64 {
        // Knuth's multiplier and increment (MMIX); the high bits are the random ones.
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % bound
    }
}

/// A field that both sides have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Field {
    Title,
    Vendor,
    Price,
}

impl Field {
    fn of(number: u64) -> Self {
        [Self::Title, Self::Vendor, Self::Price][usize::try_from(number).unwrap()]
    }

    /// A new value, or one of a few, so that values are set back as well.
    fn value(self, number: u64) -> String {
        match self {
            Self::Price => format!("{}.00", 10 + number % 4),
            Self::Title | Self::Vendor => format!("{self:?} {}", number % 4),
        }
    }

    fn set(self, product: &mut Product, value: &str) {
        match self {
            Self::Title => value.clone_into(&mut product.title),
            Self::Vendor => value.clone_into(&mut product.vendor),
            Self::Price => value.clone_into(&mut product.variants[0].price),
        }
    }

    fn get(self, product: &Product) -> String {
        match self {
            Self::Title => product.title.clone(),
            Self::Vendor => product.vendor.clone(),
            Self::Price => product.variants[0].price.clone(),
        }
    }
}

/// What people did since the last run: by product and field, the last value of the shop, and of the ERP.
type Edits = BTreeMap<(String, Field), (Option<String>, Option<String>)>;

fn edit(user: &User<'_>, dice: &mut Dice, edits: &mut Edits) {
    user.world.platforms.clock().advance(TimeDelta::seconds(20));
    let key = format!("p{}", dice.below(4));
    let field = Field::of(dice.below(3));
    let value = field.value(dice.below(100));
    let known = edits.entry((key.clone(), field)).or_default();
    if dice.below(2) == 0 {
        assert!(user.shop().edit(&key, |product| field.set(product, &value)));
        known.0 = Some(value);
    } else {
        assert!(user.erp().edit(&key, |product| field.set(product, &value)));
        known.1 = Some(value);
    }
}

/// Takes over what the run must have made of the edits: the only change there is, or the shop's, which wins.
fn settle(expected: &mut BTreeMap<(String, Field), String>, edits: &mut Edits) {
    for (place, (shop, erp)) in std::mem::take(edits) {
        let before = expected[&place].clone();
        // A value that is set back to what it was before the run has not changed.
        let news = |value: Option<String>| value.filter(|value| *value != before);
        let value = news(shop).or(news(erp)).unwrap_or(before);
        expected.insert(place, value);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn after_any_edits_on_both_sides_the_last_words_hold_and_two_rounds_later_all_is_quiet() {
    for seed in 1..=6 {
        let world = World::start().await;
        let ana = world.merchant("ana").await;
        let (mut dice, mut edits, mut expected) = (Dice(seed), Edits::new(), BTreeMap::new());
        for n in 0..4 {
            let key = format!("p{n}");
            let one = product(&key).handle(&key).title("Title 0").variant(&format!("{key}-1"), "10.00");
            let vendor = one.vendor.clone();
            ana.shop().has(one);
            expected.insert((key.clone(), Field::Title), "Title 0".to_owned());
            expected.insert((key.clone(), Field::Price), "10.00".to_owned());
            expected.insert((key, Field::Vendor), vendor);
        }
        let config = both_ways(&ana, json!({ "strategy": "source_wins" })).await;
        perform(&ana, &config).await;
        for ((key, field), value) in &mut expected {
            *value = field.get(&ana.shop().product(key).unwrap());
        }

        for _ in 0..8 {
            for _ in 0..dice.below(6) {
                edit(&ana, &mut dice, &mut edits);
            }
            let run = perform(&ana, &config).await;
            assert_eq!(
                (&run["recordsFailed"], &run["recordsConflicted"]),
                (&json!(0), &json!(0)),
                "{seed}: {run}"
            );
            settle(&mut expected, &mut edits);
            for ((key, field), value) in &expected {
                let sides = sides_of(&ana, key, |product| field.get(product));
                assert_eq!(sides, (value.clone(), value.clone()), "seed {seed}: {key} {field:?}: {run}");
            }
        }
        let quiet = perform(&ana, &config).await;

        assert_eq!((written(&quiet), &quiet["status"]), (0, &json!("completed")), "seed {seed}: {quiet}");
        assert_eq!((ana.shop().product_count(), ana.erp().product_count()), (4, 4), "seed {seed}");
    }
}
