//! A few records that meet random conditions, and of all that a plain look finds.

use std::collections::BTreeSet;
use std::sync::Arc;

use engine_model::query::{Few, Filter, Question, TextTest, fold};
use engine_model::{Name, RecordId, TenantId};
use proptest::prelude::*;
use serde_json::Value;

use super::super::{Limits, few};
use super::among::query;
use super::{Fixture, questions, worlds};

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn each_condition_narrows_what_is_left_until_it_is_few(
        world in worlds(),
        segments in 1_usize..4,
        most in 4_usize..30,
        asked in prop::collection::vec((prop::collection::vec(questions::filters(), 1..4), prop::option::of("[a-z]")), 0..12),
    ) {
        let fixture = Fixture::new(world, segments, true);
        let mut expected = BTreeSet::new();
        for (steps, letter) in &asked {
            let mut left: Option<BTreeSet<i64>> = None;
            // There are not so many records that a condition would be left out.
            for filter in steps {
                let met: BTreeSet<i64> = fixture.world.answer(&query(filter.clone())).0.into_iter().collect();
                let narrowed = left.map_or(met.clone(), |left| &left & &met);
                let is_few = narrowed.len() <= most;
                left = Some(narrowed);
                if is_few {
                    break;
                }
            }
            let name = |id: i64| fixture.world.records[&id].properties.get("name").and_then(Value::as_str).map(fold);
            let holds = |id: &i64| match letter {
                Some(letter) => name(*id).is_some_and(|name| name.contains(letter.as_str())),
                None => true,
            };
            expected.extend(left.into_iter().flatten().take(most).filter(holds).map(RecordId));
        }
        let object = Name::new("deal").expect("a name");
        let question = |(steps, letter): (Vec<Filter>, Option<String>)| {
            let test = |letter: String| TextTest {
                fields: vec![questions::deal("name")],
                passes: Arc::new(move |text| text.contains(letter.as_str())),
            };
            Question { steps, texts: letter.map(test).into_iter().collect() }
        };
        let one = Few { tenant: TenantId(1), object, questions: asked.into_iter().map(question).collect(), most };
        let none = Few { questions: Vec::new(), ..one.clone() };
        let found = few(&fixture.searcher, &fixture.kept, &[none, one], Limits::default()).expect("an answer");
        prop_assert_eq!(found, [vec![], expected.into_iter().collect::<Vec<_>>()]);
    }
}
