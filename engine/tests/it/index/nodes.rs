//! Several engines on one database, each with indexes of its own.

use engine::Engine;
use engine::model::property::Storage;
use futures::future::join_all;
use serde_json::json;

use super::filling::site;
use super::fixture::*;
use crate::support::{associate, map, update};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_nodes_see_each_other_s_writes_in_indexes_of_their_own() {
    let world = World::postgres().await;
    let nodes = [world.open("one").await, world.open("other").await];
    let write_and_look = async |here: &Engine, there: &Engine| {
        let (mut writer, mut reader) = (world.session(here).await, world.session(there).await);
        for number in 0..20 {
            let made = new_site(&mut writer, &format!("{number}")).await;
            let other = new_site(&mut writer, "other").await;
            associate(&mut writer, "near", &made, &other, json!({})).await;
            reader.see_at_least(head(&writer).await);
            let position = head(&reader).await;
            let view = reached(there, world.tenant, position).await;
            let (id, other) = (made.parse::<i64>().expect("an id"), other.parse::<i64>().expect("an id"));
            assert!(records(&view).contains_key(&id) && links(&view).contains(&(id, other)));
            update(&mut writer, "site", &made, json!({"name": "again"})).await.expect("a change");
        }
    };
    let [one, other] = &nodes;
    futures::join!(write_and_look(one, other), write_and_look(other, one));
    for node in &nodes {
        world.assert_same(node).await;
    }
    join_all(nodes.iter().map(Engine::close)).await;
    assert_eq!((world.generations("one"), world.generations("other")), (vec!["1".to_owned()], vec!["1".to_owned()]));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn definitions_that_change_on_another_node_are_followed() {
    let world = World::postgres().await;
    let [one, other] = [world.open("one").await, world.open("other").await];
    let (mut here, there) = (world.session(&one).await, world.session(&other).await);
    new_sites(&mut here, 10).await;
    reached(&other, world.tenant, head(&there).await).await;
    here.property_add("site", map(json!({"name": "code", "type": "string"})), None).await.expect("added");
    let id = new_site(&mut here, "coded").await;
    update(&mut here, "site", &id, json!({"code": "x"})).await.expect("a change");
    let view = reached(&other, world.tenant, head(&there).await).await;
    assert_eq!(view.filling().count(), 0, "nothing was lost that would have to be filled");
    here.property_change("site", "name", map(json!({"type": "text"}))).await.expect("a change");
    let view = reached(&other, world.tenant, head(&there).await).await;
    // Filling may be over by now: either way nothing is looked for where the values stood before.
    assert!(view.check_filled([&site("name", Storage::Text)]).is_err());
    filled(&other, &mut here, world.tenant).await.check_filled([&site("name", Storage::LongText)]).expect("filled");
    one.close().await;
    other.close().await;
}
