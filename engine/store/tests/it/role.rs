//! Roles of a tenant's own, and who has one.

use engine_model::UserId;
use engine_model::time::Timestamp;
use engine_store::access::{TokenRow, UserRow, add_token, new_user, put_user};
use engine_store::role::{self, RoleRow};

use crate::fixture::Home;
use crate::on_both;

on_both!(role_reads_back_as_written, holders_of_a_role_are_found);

fn role(name: &str, spec: &str) -> RoleRow {
    RoleRow { name: name.to_owned(), spec: spec.to_owned(), created_at: 9, updated_at: 9 }
}

async fn role_reads_back_as_written(home: Home) {
    let (tenant, other) = (home.tenant().await, home.tenant().await);
    let mut tx = home.store.begin(tenant).await.unwrap();
    for row in [role("sales", "{}"), role("audit", "{}"), RoleRow { updated_at: 12, ..role("sales", "{\"a\":1}") }] {
        role::put(&mut tx, &row).await.unwrap();
    }
    tx.commit().await.unwrap();
    let mut reader = home.reader(tenant).await;
    let sales = role::get(&mut reader, "sales").await.unwrap().unwrap();
    assert_eq!((sales.spec.as_str(), sales.created_at, sales.updated_at), ("{\"a\":1}", 9, 12));
    let names = role::list(&mut reader, "", 9).await.unwrap().into_iter().map(|row| row.name);
    assert_eq!(names.collect::<Vec<_>>(), ["audit", "sales"]);
    assert_eq!(role::list(&mut reader, "audit", 9).await.unwrap().len(), 1);
    assert!(role::get(&mut home.reader(other).await, "sales").await.unwrap().is_none());
    let mut tx = home.store.begin(tenant).await.unwrap();
    assert_eq!(role::delete(&mut tx, "sales").await.unwrap(), 1);
    assert_eq!(role::delete(&mut tx, "sales").await.unwrap(), 0);
    tx.commit().await.unwrap();
    assert!(role::get(&mut home.reader(tenant).await, "sales").await.unwrap().is_none());
}

async fn holders_of_a_role_are_found(home: Home) {
    let tenant = home.tenant().await;
    let mut tx = home.store.begin(tenant).await.unwrap();
    let user = |id, role: &str| new_user(UserId(id), "User", role, Timestamp(9));
    let archived = UserRow { archived_at: Some(1), ..user(3, "sales") };
    for row in [user(1, "sales"), user(2, "member"), archived, user(4, "sales")] {
        put_user(&mut tx, &row).await.unwrap();
    }
    for (id, role) in [(1, "sales"), (2, "viewer")] {
        let token = TokenRow {
            id,
            name: "token".to_owned(),
            user_id: 1,
            role: role.to_owned(),
            scopes: "[]".to_owned(),
            created_at: 9,
            expires_at: None,
        };
        add_token(&mut tx, &token, &format!("hash {id}")).await.unwrap();
    }
    tx.commit().await.unwrap();
    let mut reader = home.reader(tenant).await;
    let users = role::users_with(&mut reader, "sales", 9).await.unwrap();
    assert_eq!(users, [UserId(1), UserId(4)]);
    assert_eq!(role::users_with(&mut reader, "sales", 1).await.unwrap(), [UserId(1)]);
    let tokens = role::tokens_with(&mut reader, "sales", 9).await.unwrap();
    assert_eq!(tokens.iter().map(|token| token.0).collect::<Vec<_>>(), [1]);
    assert!(role::users_with(&mut reader, "audit", 9).await.unwrap().is_empty());
}
