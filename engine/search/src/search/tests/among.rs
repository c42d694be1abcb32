//! Which of some records meet random conditions, and which of all.

use std::collections::BTreeSet;

use engine_model::query::{Among, Filter, Query, Scope};
use engine_model::{Name, RecordId, TenantId};
use proptest::prelude::*;

use super::super::{Limits, among, matching};
use super::{Fixture, questions, worlds};

/// The search for the active deals that meet a condition.
pub(super) fn query(filter: Filter) -> Query {
    let (object, searched, sort, aggregates) = (Name::new("deal").expect("a name"), Vec::new(), Vec::new(), Vec::new());
    Query {
        tenant: TenantId(1),
        scopes: vec![Scope { object, filter, searched, sort, aggregates }],
        archived: false,
        words: None,
        limit: 100,
        after: None,
        count: false,
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn some_of_the_records_are_those_that_a_search_finds_among_all(
        world in worlds(),
        segments in 1_usize..4,
        asked in prop::collection::btree_set((1_i64..110).prop_map(RecordId), 0..60),
        filters in prop::collection::vec(questions::filters(), 30),
    ) {
        let fixture = Fixture::new(world, segments, true);
        let every: Vec<BTreeSet<RecordId>> = filters
            .iter()
            .map(|filter| fixture.world.answer(&query(filter.clone())).0.into_iter().map(RecordId).collect())
            .collect();
        let object = Name::new("deal").expect("a name");
        let (tenant, records) = (TenantId(1), asked.iter().copied().collect());
        let question = Among { tenant, object, records, filters: filters.clone() };
        let found = among(&fixture.searcher, &fixture.kept, &question, Limits::default()).expect("an answer");
        for ((found, every), filter) in found.iter().zip(&every).zip(&filters) {
            prop_assert_eq!(found, &every.intersection(&asked).copied().collect::<Vec<_>>(), "{:?}", filter);
            let all = matching(&fixture.searcher, &fixture.kept, ("deal", filter), Limits::default()).expect("a set");
            prop_assert_eq!(all.after(RecordId(0)).collect::<BTreeSet<_>>(), every.clone());
            prop_assert_eq!(all.count(), every.len() as u64);
            prop_assert!(every.iter().all(|record| all.contains(*record)));
        }
    }
}
