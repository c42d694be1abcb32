//! Users, teams and tokens.

use engine_model::time::Timestamp;
use engine_model::{TeamId, TenantId, TokenId, UserId};
use engine_store::Tx;
use engine_store::access::{self, TeamRow, TokenRow, UserRow, new_user};

use crate::fixture::Home;
use crate::on_both;

on_both!(
    user_reads_back_as_written,
    users_are_listed_without_the_archived,
    address_belongs_to_one_unarchived_user,
    owners_are_counted,
    team_reads_back_as_written,
    members_are_set_from_either_side,
    deleted_team_leaves_its_members,
    token_reads_back_as_written,
    token_is_found_by_its_hash_over_all_tenants,
    deleted_tokens_are_not_found,
);

async fn begin(home: &Home, tenant: TenantId) -> Tx {
    home.store.begin(tenant).await.unwrap()
}

fn user(id: i64, email: Option<&str>) -> UserRow {
    UserRow { email: email.map(str::to_owned), ..new_user(UserId(id), &format!("User {id}"), "member", Timestamp(9)) }
}

async fn put_users(home: &Home, tenant: TenantId, users: &[UserRow]) {
    let mut tx = begin(home, tenant).await;
    for user in users {
        access::put_user(&mut tx, user).await.unwrap();
    }
    tx.commit().await.unwrap();
}

fn fields(user: &UserRow) -> (i64, &str, Option<&str>, &str, i64, Option<&str>, Option<&str>, (i64, i64, Option<i64>)) {
    let times = (user.created_at, user.updated_at, user.archived_at);
    let (email, zone, locale) = (user.email.as_deref(), user.time_zone.as_deref(), user.locale.as_deref());
    (user.id, &user.name, email, &user.role, user.is_service, zone, locale, times)
}

async fn user_reads_back_as_written(home: Home) {
    let tenant = home.tenant().await;
    let plain = user(1, None);
    let full = UserRow {
        is_service: 1,
        time_zone: Some("Europe/Vienna".to_owned()),
        locale: Some("de-AT".to_owned()),
        archived_at: Some(11),
        ..user(2, Some("two@example.com"))
    };
    put_users(&home, tenant, &[plain.clone(), full.clone()]).await;
    let changed = UserRow {
        name: "Renamed".to_owned(),
        role: "admin".to_owned(),
        email: Some("one@example.com".to_owned()),
        updated_at: 12,
        ..plain
    };
    put_users(&home, tenant, std::slice::from_ref(&changed)).await;
    let mut reader = home.reader(tenant).await;
    for wanted in [&changed, &full] {
        let read = access::user(&mut reader, UserId(wanted.id)).await.unwrap().unwrap();
        assert_eq!(fields(&read), fields(wanted));
    }
    assert!(access::user(&mut reader, UserId(3)).await.unwrap().is_none());
    let found = access::user_by_email(&mut reader, "one@example.com").await.unwrap().unwrap();
    assert_eq!(found.id, 1);
    assert!(access::user_by_email(&mut reader, "two@example.com").await.unwrap().is_none());
    let other = home.tenant().await;
    assert!(access::user(&mut home.reader(other).await, UserId(1)).await.unwrap().is_none());
}

async fn users_are_listed_without_the_archived(home: Home) {
    let tenant = home.tenant().await;
    let archived = UserRow { archived_at: Some(1), ..user(2, None) };
    put_users(&home, tenant, &[user(1, None), archived, user(3, None), user(4, None)]).await;
    let mut reader = home.reader(tenant).await;
    let mut page = async |after, limit| -> Vec<i64> {
        access::users(&mut reader, after, limit).await.unwrap().into_iter().map(|user| user.id).collect()
    };
    assert_eq!(page(0, 2).await, [1, 3]);
    assert_eq!(page(3, 2).await, [4]);
}

async fn address_belongs_to_one_unarchived_user(home: Home) {
    let (tenant, other) = (home.tenant().await, home.tenant().await);
    put_users(&home, tenant, &[user(1, Some("a@example.com")), user(2, None), user(3, None)]).await;
    put_users(&home, other, &[user(1, Some("a@example.com"))]).await;
    let mut tx = begin(&home, tenant).await;
    let taken = access::put_user(&mut tx, &user(4, Some("a@example.com"))).await;
    assert!(taken.is_err_and(|error| !error.is_unavailable()));
    drop(tx);
    let archived = UserRow { archived_at: Some(1), ..user(1, Some("a@example.com")) };
    put_users(&home, tenant, &[archived, user(4, Some("a@example.com"))]).await;
    let found = access::user_by_email(&mut home.reader(tenant).await, "a@example.com").await.unwrap().unwrap();
    assert_eq!(found.id, 4);
}

async fn owners_are_counted(home: Home) {
    let tenant = home.tenant().await;
    let owner = |id| UserRow { role: "owner".to_owned(), ..user(id, None) };
    let service = UserRow { is_service: 1, ..owner(3) };
    let archived = UserRow { archived_at: Some(1), ..owner(4) };
    assert_eq!(access::owners(&mut home.reader(tenant).await).await.unwrap(), 0);
    put_users(&home, tenant, &[owner(1), owner(2), service, archived, user(5, None)]).await;
    assert_eq!(access::owners(&mut home.reader(tenant).await).await.unwrap(), 2);
}

fn team(id: i64, name: &str) -> TeamRow {
    TeamRow { id, name: name.to_owned(), created_at: 9 }
}

async fn team_reads_back_as_written(home: Home) {
    let tenant = home.tenant().await;
    let mut tx = begin(&home, tenant).await;
    for row in [team(1, "North"), team(2, "South"), team(1, "West")] {
        access::put_team(&mut tx, &row).await.unwrap();
    }
    tx.commit().await.unwrap();
    let mut reader = home.reader(tenant).await;
    let read = access::team(&mut reader, TeamId(1)).await.unwrap().unwrap();
    assert_eq!((read.id, read.name.as_str(), read.created_at), (1, "West", 9));
    assert_eq!(access::team_by_name(&mut reader, "South").await.unwrap().unwrap().id, 2);
    assert!(access::team_by_name(&mut reader, "North").await.unwrap().is_none());
    assert_eq!(access::teams_among(&mut reader, vec![2, 9, 1]).await.unwrap().len(), 2);
    assert_eq!(access::teams_among(&mut home.reader(home.tenant().await).await, vec![1]).await.unwrap(), []);
    let listed = access::teams(&mut reader, 1, 5).await.unwrap();
    assert_eq!(listed.iter().map(|team| team.id).collect::<Vec<_>>(), [2]);
    let mut tx = begin(&home, tenant).await;
    assert!(access::put_team(&mut tx, &team(3, "West")).await.is_err());
}

async fn members_are_set_from_either_side(home: Home) {
    let (tenant, other) = (home.tenant().await, home.tenant().await);
    let mut tx = begin(&home, other).await;
    access::set_members(&mut tx, TeamId(1), &[UserId(1)]).await.unwrap();
    tx.commit().await.unwrap();
    let mut tx = begin(&home, tenant).await;
    access::set_members(&mut tx, TeamId(1), &[UserId(1), UserId(2), UserId(2)]).await.unwrap();
    access::set_teams(&mut tx, UserId(2), &[TeamId(2), TeamId(3)]).await.unwrap();
    access::set_members(&mut tx, TeamId(3), &[]).await.unwrap();
    tx.commit().await.unwrap();
    let mut reader = home.reader(tenant).await;
    let members = access::members(&mut reader, vec![2, 1, 3]).await.unwrap();
    assert_eq!(members, [(TeamId(1), UserId(1)), (TeamId(2), UserId(2))]);
    let teams = access::teams_of(&mut reader, vec![2, 9, 1]).await.unwrap();
    assert_eq!(teams, [(TeamId(1), UserId(1)), (TeamId(2), UserId(2))]);
    assert!(access::members(&mut reader, Vec::new()).await.unwrap().is_empty());
}

async fn deleted_team_leaves_its_members(home: Home) {
    let tenant = home.tenant().await;
    put_users(&home, tenant, &[user(1, None)]).await;
    let mut tx = begin(&home, tenant).await;
    access::put_team(&mut tx, &team(1, "North")).await.unwrap();
    access::set_members(&mut tx, TeamId(1), &[UserId(1)]).await.unwrap();
    assert_eq!(access::delete_team(&mut tx, TeamId(1)).await.unwrap(), 1);
    assert_eq!(access::delete_team(&mut tx, TeamId(1)).await.unwrap(), 0);
    tx.commit().await.unwrap();
    let mut reader = home.reader(tenant).await;
    assert!(access::teams_of(&mut reader, vec![1]).await.unwrap().is_empty());
    assert!(access::user(&mut reader, UserId(1)).await.unwrap().is_some());
}

fn token(id: i64, user: i64) -> TokenRow {
    TokenRow {
        id,
        name: format!("Token {id}"),
        user_id: user,
        role: "member".to_owned(),
        scopes: "[]".to_owned(),
        created_at: 9,
        expires_at: None,
    }
}

async fn add_tokens(home: &Home, tenant: TenantId, tokens: &[(TokenRow, &str)]) {
    let mut tx = begin(home, tenant).await;
    for (token, hash) in tokens {
        access::add_token(&mut tx, token, hash).await.unwrap();
    }
    tx.commit().await.unwrap();
}

async fn token_reads_back_as_written(home: Home) {
    let tenant = home.tenant().await;
    add_tokens(&home, tenant, &[(token(1, 5), "h1"), (token(2, 5), "h2"), (token(3, 6), "h3")]).await;
    let changed = TokenRow {
        name: "Renamed".to_owned(),
        role: "viewer".to_owned(),
        scopes: r#"["read"]"#.to_owned(),
        expires_at: Some(77),
        ..token(2, 5)
    };
    let mut tx = begin(&home, tenant).await;
    access::update_token(&mut tx, &changed).await.unwrap();
    tx.commit().await.unwrap();
    let mut reader = home.reader(tenant).await;
    let read = access::token(&mut reader, TokenId(2)).await.unwrap().unwrap();
    assert_eq!((read.id, read.name.as_str(), read.user_id, read.role.as_str()), (2, "Renamed", 5, "viewer"));
    assert_eq!((read.scopes.as_str(), read.created_at, read.expires_at), (r#"["read"]"#, 9, Some(77)));
    let listed = access::tokens(&mut reader, 1, 5).await.unwrap();
    assert_eq!(listed.iter().map(|token| token.id).collect::<Vec<_>>(), [2, 3]);
    let mut tx = begin(&home, tenant).await;
    assert!(access::add_token(&mut tx, &token(4, 5), "h1").await.is_err());
}

async fn token_is_found_by_its_hash_over_all_tenants(home: Home) {
    let (tenant, other) = (home.tenant().await, home.tenant().await);
    add_tokens(&home, tenant, &[(token(1, 5), "mine")]).await;
    add_tokens(&home, other, &[(token(1, 5), "theirs"), (token(2, 5), "second")]).await;
    for (hash, owner) in [("mine", (tenant, 1)), ("theirs", (other, 1)), ("second", (other, 2))] {
        let found = access::token_owner(&home.store, hash).await.unwrap();
        assert_eq!(found, Some((owner.0, TokenId(owner.1))));
    }
    for hash in ["", "none", "MINE", "%"] {
        assert_eq!(access::token_owner(&home.store, hash).await.unwrap(), None);
    }
}

async fn deleted_tokens_are_not_found(home: Home) {
    let tenant = home.tenant().await;
    add_tokens(&home, tenant, &[(token(1, 5), "h1"), (token(2, 5), "h2"), (token(3, 6), "h3"), (token(4, 6), "h4")])
        .await;
    let mut tx = begin(&home, tenant).await;
    assert_eq!(access::delete_token(&mut tx, TokenId(3)).await.unwrap(), 1);
    assert_eq!(access::delete_tokens_of(&mut tx, UserId(5)).await.unwrap(), 2);
    tx.commit().await.unwrap();
    for (hash, found) in [("h1", None), ("h2", None), ("h3", None), ("h4", Some((tenant, TokenId(4))))] {
        assert_eq!(access::token_owner(&home.store, hash).await.unwrap(), found);
    }
}
