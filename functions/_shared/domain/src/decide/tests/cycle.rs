//! Syncs in a circle.

use super::record;
use crate::decide::*;
use crate::hops;
use crate::mapping::{Mapping, Nobody};
use crate::record::{Fields, Record, Value};
use serde_json::json;

/// A sync from one of several platforms to another.
struct Sync {
    from: usize,
    to: usize,
    rules: Rules,
    bases: Option<(Fields, Fields)>,
    hops: u32,
}

fn sync(from: usize, to: usize, mapping: Value, flow: Flow) -> Sync {
    let mapping: Mapping = serde_json::from_value(mapping).unwrap();
    Sync { from, to, rules: Rules { mapping, flow, ..Rules::default() }, bases: None, hops: 0 }
}

/// One look. True when it wrote.
fn look(sync: &mut Sync, platforms: &mut [Record]) -> bool {
    if hops::is_too_many(sync.hops) {
        return false;
    }
    let (source, target) = (platforms[sync.from].clone(), platforms[sync.to].clone());
    let bases = sync.bases.clone();
    let bases = bases.as_ref().map(|(source, target)| Bases { source, target });
    let situation = Situation { source: &source, target: Some(&target), bases, only: None };
    let decision = decide(&sync.rules, &situation);
    let wrote = matches!(decision, Decision::Update { .. });
    if let Decision::Update { fields, back, .. } = &decision {
        platforms[sync.to].fields.extend(fields.clone());
        platforms[sync.from].fields.extend(back.clone());
    }
    let answers = Answers { source: Some(&platforms[sync.from]), target: Some(&platforms[sync.to]) };
    sync.bases = bases_after(&sync.rules, &situation, &decision, answers, &Nobody);
    sync.hops = hops::after(sync.hops, wrote);
    wrote
}

fn plain() -> Value {
    json!([{"source": "title", "target": "title"}, {"source": "price", "target": "price", "type": "number"}])
}

#[test]
fn a_circle_of_syncs_falls_silent_after_every_edit() {
    for flow in [Flow::OneWay, Flow::TwoWay] {
        let mut platforms = vec![record(json!({"title": "t", "price": "1"})); 3];
        let mut syncs = [sync(0, 1, plain(), flow), sync(1, 2, plain(), flow), sync(2, 0, plain(), flow)];
        for edit in 0..9 {
            platforms[edit % 3].fields.insert("title".to_owned(), json!(format!("edit {edit}")));
            let mut rounds = 0;
            while syncs
                .iter_mut()
                .map(|sync| look(sync, &mut platforms))
                .fold(false, |any, wrote| any | wrote)
            {
                rounds += 1;
                assert!(rounds <= 3, "{flow:?}: edit {edit} goes round and round");
            }
            if flow == Flow::TwoWay {
                assert!(
                    platforms.iter().all(|record| record.fields["title"] == json!(format!("edit {edit}")))
                );
            }
        }
    }
}

#[test]
fn two_syncs_that_contradict_each_other_are_stopped() {
    let loud = json!([{"source": "title", "target": "title", "transformation": {"custom": "value + '!'"}}]);
    let mut platforms = vec![record(json!({"title": "t"})); 2];
    let mut syncs = [sync(0, 1, plain(), Flow::OneWay), sync(1, 0, loud, Flow::OneWay)];
    let mut writes = 0;
    for _ in 0..100 {
        for sync in &mut syncs {
            writes += u32::from(look(sync, &mut platforms));
        }
    }
    assert!((10..=22).contains(&writes), "{writes}");
    assert!(syncs.iter().any(|sync| hops::is_too_many(sync.hops)));
}
