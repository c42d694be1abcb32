//! A tenant's rows as they travel, and tenants that are not whole yet.

use engine_store::transfer::{
    AssignmentRule, AssociationDefinition, Carried, Change, Counter, Duplicate, Follower, Installed, Interval, Link,
    List, ListMember, Member, Merge, MetadataVersion, ObjectDefinition, OpenJob, Pack, Pipeline, Record, Role,
    SavedItem, SensitiveRead, Team, TimelineEntry, TimelineSource, UniqueValue, User, Visit, add_pack, discard,
};
use engine_store::{Head, Reader, Tx, tenant};

use crate::build::NOW;
use crate::fixture::{Home, settings};

pub(super) async fn tour(home: &Home) {
    let whole = home.tenant().await;
    let mut reader = home.store.snapshot(whole).await.unwrap();
    let id = tenant::begin_unfinished(&home.store, &settings(), "tour", NOW).await.unwrap();
    let mut tx = tenant::write_unfinished(&home.store, &id, NOW).await.unwrap().unwrap();
    every_table(&mut reader, &mut tx).await;
    reader.end().await.unwrap();
    add_pack(&mut tx, &Pack { digest: "d".to_owned(), source: "{}".to_owned() }, NOW).await.unwrap();
    assert!(tenant::finish(&mut tx, "toured", Head::default(), NOW).await.unwrap());
    tx.commit().await.unwrap();
    let id = tenant::begin_unfinished(&home.store, &settings(), "tour", NOW).await.unwrap();
    assert_eq!(
        tenant::given_up(&home.store, 0, engine_model::time::Timestamp(NOW.0 + 1), 10).await.unwrap(),
        std::slice::from_ref(&id)
    );
    discard(&home.store, &id, NOW).await.unwrap();
}

async fn every_table(reader: &mut Reader, tx: &mut Tx) {
    table::<Installed>(reader, tx).await;
    table::<ObjectDefinition>(reader, tx).await;
    table::<AssociationDefinition>(reader, tx).await;
    table::<Pipeline>(reader, tx).await;
    table::<MetadataVersion>(reader, tx).await;
    table::<User>(reader, tx).await;
    table::<Team>(reader, tx).await;
    table::<Member>(reader, tx).await;
    table::<Role>(reader, tx).await;
    table::<SensitiveRead>(reader, tx).await;
    table::<SavedItem>(reader, tx).await;
    table::<AssignmentRule>(reader, tx).await;
    table::<Record>(reader, tx).await;
    table::<Link>(reader, tx).await;
    table::<Merge>(reader, tx).await;
    table::<UniqueValue>(reader, tx).await;
    table::<Interval>(reader, tx).await;
    table::<Change>(reader, tx).await;
    table::<Visit>(reader, tx).await;
    table::<List>(reader, tx).await;
    table::<ListMember>(reader, tx).await;
    table::<TimelineSource>(reader, tx).await;
    table::<TimelineEntry>(reader, tx).await;
    table::<Duplicate>(reader, tx).await;
    table::<Counter>(reader, tx).await;
    table::<Follower>(reader, tx).await;
    table::<OpenJob>(reader, tx).await;
}

async fn table<T: Carried>(reader: &mut Reader, tx: &mut Tx) {
    let rows = T::page(reader, None, 10).await.unwrap();
    T::insert(tx, &rows).await.unwrap();
}
