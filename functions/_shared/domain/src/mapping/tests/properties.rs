//! Whatever value comes: it goes through unchanged, or becomes the same again, and nothing panics.

use super::forms::{mapping, parse, through};
use crate::record::{Fields, Value};
use crate::testing::cases;
use proptest::prelude::*;
use serde_json::json;

fn any_value() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        "-?(0|[1-9][0-9]{0,22})(\\.[0-9]{1,12})?(e[0-9]{1,3})?".prop_map(|text| parse(&text)),
        "\\PC{0,12}".prop_map(Value::from),
        "[0-9.,+-]{0,12}".prop_map(Value::from),
        proptest::collection::vec("[a-c]{0,2}".prop_map(Value::from), 0..3).prop_map(Value::Array),
    ]
}

proptest! {
    #![proptest_config(cases(100_000))]

    #[test]
    fn numbers_and_letters_go_through_a_copy_unchanged(value in any_value()) {
        let there = mapping(&json!({"a": "b"}));
        let source = Fields::from_iter([("a".to_owned(), value.clone())]);
        let target = there.apply(&source).unwrap();
        prop_assert_eq!(target["b"].to_string(), value.to_string());
        let back = there.turned().apply(&target).unwrap();
        prop_assert_eq!(serde_json::to_string(&back).unwrap(), serde_json::to_string(&source).unwrap());
    }

    #[test]
    fn no_value_makes_a_transformation_panic_and_the_same_value_becomes_the_same(
        value in any_value(), which in 0usize..14,
    ) {
        let transformations = [
            json!({"format": "trim"}), json!({"format": "title"}), json!({"format": "slug"}), json!({"format": {"truncate": 2}}),
            json!({"format": {"number": {"decimals": 2}}}), json!({"format": {"number": {"from": "comma"}}}),
            json!({"format": {"phone": {"countryCode": "49"}}}), json!({"format": {"date": {}}}), json!({"format": {"split": ","}}),
            json!({"format": {"to": "number"}}), json!({"calculate": "round(value / 3, 2)"}), json!({"validate": {"range": {"max": 5}}}),
            json!({"validate": "email"}), json!({"lookup": [["a", "b"]]}),
        ];
        prop_assert_eq!(through(&transformations[which], value.clone()), through(&transformations[which], value));
    }

    #[test]
    fn a_form_that_was_reached_is_kept(value in any_value(), which in 0usize..7) {
        let transformations = [
            json!({"format": "trim"}), json!({"format": "upper"}), json!({"format": "slug"}), json!({"format": {"truncate": 2}}),
            json!({"format": {"number": {"decimals": 2}}}), json!({"format": {"phone": {"countryCode": "49"}}}), json!({"format": {"to": "text"}}),
        ];
        if let Ok(once) = through(&transformations[which], value) {
            prop_assert_eq!(through(&transformations[which], once.clone()), Ok(once));
        }
    }
}
