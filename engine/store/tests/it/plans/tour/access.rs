//! Users, teams, roles and tokens; who was given sensitive values.

use engine_model::{RecordId, TeamId, TokenId, UserId};
use engine_store::access::{self, TeamRow, TokenRow, new_user};
use engine_store::role::{self, RoleRow};
use engine_store::sensitive::{self, NewRead};
use engine_store::{Reader, Tx};
use uuid::Uuid;

use crate::build::NOW;
use crate::fixture::Home;

const USER: UserId = UserId(1);
const TEAM: TeamId = TeamId(1);
const TOKEN: TokenId = TokenId(1);

pub(super) async fn tour(home: &Home) {
    let mut tx = home.store.begin(home.tenant().await).await.unwrap();
    write(&mut tx).await;
    read(tx.reader()).await;
    access::token_owner(&home.store, "hash").await.unwrap();
    role::delete(&mut tx, "sales").await.unwrap();
    access::delete_team(&mut tx, TEAM).await.unwrap();
    access::delete_token(&mut tx, TOKEN).await.unwrap();
    access::delete_tokens_of(&mut tx, USER).await.unwrap();
    tx.commit().await.unwrap();
    reads(home).await;
}

async fn reads(home: &Home) {
    let tenant = home.tenant().await;
    let read = NewRead {
        id: Uuid::nil(),
        at: NOW,
        user: USER,
        token: TOKEN,
        object: "thing".to_owned(),
        record: Some(RecordId(1)),
        properties: "secret".to_owned(),
        request_id: None,
        ip: None,
        user_agent: None,
    };
    home.store.record_sensitive(tenant, vec![read]).await.unwrap();
    let mut reader = home.reader(tenant).await;
    sensitive::list(&mut reader, Uuid::max(), 10).await.unwrap();
    sensitive::of_record(&mut reader, RecordId(1), Uuid::max(), 10).await.unwrap();
    sensitive::by_user(&mut reader, USER, Uuid::max(), 10).await.unwrap();
    sensitive::of_record_by_user(&mut reader, RecordId(1), USER, Uuid::max(), 10).await.unwrap();
    drop(reader);
    sensitive::forget(&home.store, tenant, NOW, 10).await.unwrap();
}

async fn write(tx: &mut Tx) {
    access::put_user(tx, &new_user(USER, "Ada", "owner", NOW)).await.unwrap();
    access::put_team(tx, &TeamRow { id: TEAM.0, name: "North".to_owned(), created_at: NOW.0 }).await.unwrap();
    let role = RoleRow { name: "sales".to_owned(), spec: "{}".to_owned(), created_at: NOW.0, updated_at: NOW.0 };
    role::put(tx, &role).await.unwrap();
    access::set_members(tx, TEAM, &[USER]).await.unwrap();
    access::set_teams(tx, USER, &[TEAM]).await.unwrap();
    let token = TokenRow {
        id: TOKEN.0,
        name: "laptop".to_owned(),
        user_id: USER.0,
        role: "member".to_owned(),
        scopes: "[]".to_owned(),
        created_at: NOW.0,
        expires_at: None,
    };
    access::add_token(tx, &token, "hash").await.unwrap();
    access::update_token(tx, &token).await.unwrap();
}

async fn read(reader: &mut Reader) {
    access::user(reader, USER).await.unwrap();
    access::users(reader, 0, 10).await.unwrap();
    access::users_among(reader, vec![1]).await.unwrap();
    access::user_by_email(reader, "ada@example.com").await.unwrap();
    access::owners(reader).await.unwrap();
    access::first_owner(reader).await.unwrap();
    access::teams(reader, 0, 10).await.unwrap();
    access::team(reader, TEAM).await.unwrap();
    access::team_by_name(reader, "North").await.unwrap();
    access::teams_among(reader, vec![TEAM.0]).await.unwrap();
    role::get(reader, "sales").await.unwrap();
    role::list(reader, "", 10).await.unwrap();
    role::users_with(reader, "sales", 10).await.unwrap();
    role::tokens_with(reader, "sales", 10).await.unwrap();
    access::members(reader, vec![TEAM.0]).await.unwrap();
    access::teams_of(reader, vec![USER.0]).await.unwrap();
    access::token(reader, TOKEN).await.unwrap();
    access::tokens(reader, 0, 10).await.unwrap();
}
