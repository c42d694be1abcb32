//! Users, teams and tokens of a tenant.

use engine_model::time::Timestamp;
use engine_model::{TeamId, TenantId, TokenId, UserId};
use sqlx::FromRow;

use crate::error::Result;
use crate::sql::{Rows, Sql, args, rows};
use crate::store::{Reader, Store, Tx};

/// A person or service that acts in a tenant.
#[derive(Debug, Clone, FromRow)]
pub struct UserRow {
    /// Identifier in the tenant.
    pub id: i64,
    /// What people call it.
    pub name: String,
    /// Lower case; unique among unarchived users.
    pub email: Option<String>,
    /// Name of the role.
    pub role: String,
    /// 1 for a service that has tokens only.
    pub is_service: i64,
    /// IANA time zone, where it differs from the tenant's.
    pub time_zone: Option<String>,
    /// Language tag.
    pub locale: Option<String>,
    /// Microseconds since 1970.
    pub created_at: i64,
    /// Microseconds since 1970.
    pub updated_at: i64,
    /// Microseconds since 1970.
    pub archived_at: Option<i64>,
}

macro_rules! user_columns {
    () => {
        "id, name, email, role, is_service, time_zone, locale, created_at, updated_at, archived_at"
    };
}

const USER: Sql = Sql::same(concat!("select ", user_columns!(), " from tenant_user where tenant_id = $1 and id = $2"));
const USERS: Sql = Sql::same(concat!(
    "select ",
    user_columns!(),
    " from tenant_user where tenant_id = $1 and id > $2 and archived_at is null order by id limit $3"
));

/// A user, archived or not.
pub async fn user(reader: &mut Reader, id: UserId) -> Result<Option<UserRow>> {
    let tenant = reader.tenant();
    reader.fetch_optional(&USER, args![tenant, id]).await
}

const USERS_AMONG: Sql = Sql::each(
    "select u.id from json_each($2) wanted cross join tenant_user u on u.tenant_id = $1 and u.id = wanted.value \
     where u.archived_at is null",
    "select u.id from unnest($2::bigint[]) wanted(id) cross join lateral ( \
       select id from tenant_user where tenant_id = $1 and id = wanted.id and archived_at is null offset 0) u",
);

/// Those of these users who exist and are not archived.
pub async fn users_among(reader: &mut Reader, ids: Vec<i64>) -> Result<Vec<UserId>> {
    let tenant = reader.tenant();
    let found: Vec<(i64,)> = reader.fetch_all(&USERS_AMONG, args![tenant, ids]).await?;
    Ok(found.into_iter().map(|(id,)| UserId(id)).collect())
}

/// Unarchived users with ids above `after`, lowest first.
pub async fn users(reader: &mut Reader, after: i64, limit: i64) -> Result<Vec<UserRow>> {
    let tenant = reader.tenant();
    reader.fetch_all(&USERS, args![tenant, after, limit]).await
}

const PUT_USER: Sql = Sql::same(
    "insert into tenant_user (tenant_id, id, name, email, role, is_service, time_zone, locale, created_at, \
       updated_at, archived_at) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) \
     on conflict (tenant_id, id) do update set name = excluded.name, email = excluded.email, role = excluded.role, \
       time_zone = excluded.time_zone, locale = excluded.locale, updated_at = excluded.updated_at, \
       archived_at = excluded.archived_at",
);
const USER_BY_EMAIL: Sql = Sql::same(concat!(
    "select ",
    user_columns!(),
    " from tenant_user where tenant_id = $1 and email = $2 and archived_at is null"
));

/// The unarchived user with this address, in lower case.
pub async fn user_by_email(reader: &mut Reader, email: &str) -> Result<Option<UserRow>> {
    let tenant = reader.tenant();
    reader.fetch_optional(&USER_BY_EMAIL, args![tenant, email]).await
}

/// Writes a user; the caller has checked that its address is free and raises the access version.
pub async fn put_user(tx: &mut Tx, user: &UserRow) -> Result<()> {
    let arguments = args![
        tx.tenant(),
        user.id,
        &user.name,
        user.email.clone(),
        &user.role,
        user.is_service,
        user.time_zone.clone(),
        user.locale.clone(),
        user.created_at,
        user.updated_at,
        user.archived_at,
    ];
    tx.execute(&PUT_USER, arguments).await.map(drop)
}

const OWNERS: Sql = Sql::same(
    "select count(*) as owners from tenant_user \
     where tenant_id = $1 and role = 'owner' and archived_at is null and is_service = 0",
);

/// How many unarchived people have the role `owner`.
pub async fn owners(reader: &mut Reader) -> Result<i64> {
    let tenant = reader.tenant();
    let row: Option<(i64,)> = reader.fetch_optional(&OWNERS, args![tenant]).await?;
    Ok(row.map_or(0, |(owners,)| owners))
}

const FIRST_OWNER: Sql = Sql::same(concat!(
    "select ",
    user_columns!(),
    " from tenant_user \
     where tenant_id = $1 and role = 'owner' and archived_at is null and is_service = 0 order by id limit 1"
));

/// The person who has been owner for longest.
pub async fn first_owner(reader: &mut Reader) -> Result<Option<UserRow>> {
    let tenant = reader.tenant();
    reader.fetch_optional(&FIRST_OWNER, args![tenant]).await
}

/// A group of users.
#[derive(Debug, Clone, FromRow)]
pub struct TeamRow {
    /// Identifier in the tenant.
    pub id: i64,
    /// Unique in the tenant.
    pub name: String,
    /// Microseconds since 1970.
    pub created_at: i64,
}

const TEAMS: Sql =
    Sql::same("select id, name, created_at from team where tenant_id = $1 and id > $2 order by id limit $3");
const TEAM: Sql = Sql::same("select id, name, created_at from team where tenant_id = $1 and id = $2");
const TEAM_BY_NAME: Sql = Sql::same("select id, name, created_at from team where tenant_id = $1 and name = $2");
const PUT_TEAM: Sql = Sql::same(
    "insert into team (tenant_id, id, name, created_at) values ($1, $2, $3, $4) \
     on conflict (tenant_id, id) do update set name = excluded.name",
);
const DELETE_TEAM: Sql = Sql::same("delete from team where tenant_id = $1 and id = $2");

/// Teams with ids above `after`, lowest first.
pub async fn teams(reader: &mut Reader, after: i64, limit: i64) -> Result<Vec<TeamRow>> {
    let tenant = reader.tenant();
    reader.fetch_all(&TEAMS, args![tenant, after, limit]).await
}

/// A team.
pub async fn team(reader: &mut Reader, id: TeamId) -> Result<Option<TeamRow>> {
    let tenant = reader.tenant();
    reader.fetch_optional(&TEAM, args![tenant, id]).await
}

const TEAMS_AMONG: Sql = Sql::each(
    "select t.id from json_each($2) wanted cross join team t on t.tenant_id = $1 and t.id = wanted.value",
    "select t.id from unnest($2::bigint[]) wanted(id) cross join lateral ( \
       select id from team where tenant_id = $1 and id = wanted.id offset 0) t",
);

/// Those of these teams that exist.
pub async fn teams_among(reader: &mut Reader, ids: Vec<i64>) -> Result<Vec<TeamId>> {
    let tenant = reader.tenant();
    let found: Vec<(i64,)> = reader.fetch_all(&TEAMS_AMONG, args![tenant, ids]).await?;
    Ok(found.into_iter().map(|(id,)| TeamId(id)).collect())
}

/// The team called `name`.
pub async fn team_by_name(reader: &mut Reader, name: &str) -> Result<Option<TeamRow>> {
    let tenant = reader.tenant();
    reader.fetch_optional(&TEAM_BY_NAME, args![tenant, name]).await
}

/// Writes a team; the caller raises the access version.
pub async fn put_team(tx: &mut Tx, team: &TeamRow) -> Result<()> {
    tx.execute(&PUT_TEAM, args![tx.tenant(), team.id, &team.name, team.created_at]).await.map(drop)
}

/// Takes a team away, its members stay users.
pub async fn delete_team(tx: &mut Tx, id: TeamId) -> Result<u64> {
    set_members(tx, id, &[]).await?;
    tx.execute(&DELETE_TEAM, args![tx.tenant(), id]).await
}

const MEMBERS: Sql = Sql::each(
    "select m.team_id, m.user_id from json_each($2) wanted cross join team_member m \
     on m.tenant_id = $1 and m.team_id = wanted.value order by m.team_id, m.user_id",
    "select m.team_id, m.user_id from unnest($2::bigint[]) wanted(id) join team_member m \
     on m.tenant_id = $1 and m.team_id = wanted.id order by m.team_id, m.user_id",
);
const TEAMS_OF: Sql = Sql::each(
    "select m.team_id, m.user_id from json_each($2) wanted cross join team_member m \
     on m.tenant_id = $1 and m.user_id = wanted.value order by m.user_id, m.team_id",
    "select m.team_id, m.user_id from unnest($2::bigint[]) wanted(id) join team_member m \
     on m.tenant_id = $1 and m.user_id = wanted.id order by m.user_id, m.team_id",
);
const CLEAR_MEMBERS: Sql = Sql::same("delete from team_member where tenant_id = $1 and team_id = $2");
const CLEAR_TEAMS: Sql = Sql::same("delete from team_member where tenant_id = $1 and user_id = $2");
const ADD_MEMBERS: Sql = Sql::each(
    "insert into team_member (tenant_id, team_id, user_id) select $1, value->>0, value->>1 from json_each($2) \
     where true on conflict do nothing",
    "insert into team_member (tenant_id, team_id, user_id) select $1, m.* \
     from unnest($2::bigint[], $3::bigint[]) m on conflict do nothing",
);

/// Who is in which of these teams.
pub async fn members(reader: &mut Reader, teams: Vec<i64>) -> Result<Vec<(TeamId, UserId)>> {
    let tenant = reader.tenant();
    let found: Vec<(i64, i64)> = reader.fetch_all(&MEMBERS, args![tenant, teams]).await?;
    Ok(found.into_iter().map(|(team, user)| (TeamId(team), UserId(user))).collect())
}

/// Which teams these users are in.
pub async fn teams_of(reader: &mut Reader, users: Vec<i64>) -> Result<Vec<(TeamId, UserId)>> {
    let tenant = reader.tenant();
    let found: Vec<(i64, i64)> = reader.fetch_all(&TEAMS_OF, args![tenant, users]).await?;
    Ok(found.into_iter().map(|(team, user)| (TeamId(team), UserId(user))).collect())
}

/// Makes exactly these users the team's members.
pub async fn set_members(tx: &mut Tx, team: TeamId, users: &[UserId]) -> Result<()> {
    tx.execute(&CLEAR_MEMBERS, args![tx.tenant(), team]).await?;
    let members: Rows = rows!(users; member => team.0, member.0);
    tx.execute(&ADD_MEMBERS, args![tx.tenant(), members]).await.map(drop)
}

/// Puts a user into exactly these teams.
pub async fn set_teams(tx: &mut Tx, user: UserId, teams: &[TeamId]) -> Result<()> {
    tx.execute(&CLEAR_TEAMS, args![tx.tenant(), user]).await?;
    let members: Rows = rows!(teams; joined => joined.0, user.0);
    tx.execute(&ADD_MEMBERS, args![tx.tenant(), members]).await.map(drop)
}

/// A bearer token; of its secret only the hash is kept.
#[derive(Debug, Clone, FromRow)]
pub struct TokenRow {
    /// Identifier in the tenant.
    pub id: i64,
    /// What people call it.
    pub name: String,
    /// The user or service that acts with it.
    pub user_id: i64,
    /// Name of the role.
    pub role: String,
    /// JSON list of scopes; an empty one does not restrict.
    pub scopes: String,
    /// Microseconds since 1970.
    pub created_at: i64,
    /// Microseconds since 1970.
    pub expires_at: Option<i64>,
}

/// What a token's hash leads to.
#[derive(Debug, Clone, FromRow)]
pub struct TokenOwner {
    /// Whose token it is.
    pub tenant_id: i64,
    /// Identifier in the tenant.
    pub id: i64,
}

const BY_HASH: Sql = Sql::same("select tenant_id, id from token where hash = $1");
const TOKEN: Sql = Sql::same(
    "select id, name, user_id, role, scopes, created_at, expires_at from token where tenant_id = $1 and id = $2",
);
const TOKENS: Sql = Sql::same(
    "select id, name, user_id, role, scopes, created_at, expires_at from token \
     where tenant_id = $1 and id > $2 order by id limit $3",
);
const ADD_TOKEN: Sql = Sql::same(
    "insert into token (tenant_id, id, hash, name, user_id, role, scopes, created_at, expires_at) \
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
);
const UPDATE_TOKEN: Sql =
    Sql::same("update token set name = $3, role = $4, scopes = $5, expires_at = $6 where tenant_id = $1 and id = $2");
const DELETE_TOKEN: Sql = Sql::same("delete from token where tenant_id = $1 and id = $2");
const DELETE_TOKENS_OF: Sql = Sql::same("delete from token where tenant_id = $1 and user_id = $2");

/// Whose token has this hash.
pub async fn token_owner(store: &Store, hash: &str) -> Result<Option<(TenantId, TokenId)>> {
    let mut lease = store.read_token(hash).await?;
    let found: Option<TokenOwner> = lease.fetch_optional(&BY_HASH, args![hash]).await?;
    Ok(found.map(|owner| (TenantId(owner.tenant_id), TokenId(owner.id))))
}

/// A token.
pub async fn token(reader: &mut Reader, id: TokenId) -> Result<Option<TokenRow>> {
    let tenant = reader.tenant();
    reader.fetch_optional(&TOKEN, args![tenant, id]).await
}

/// Tokens with ids above `after`, lowest first.
pub async fn tokens(reader: &mut Reader, after: i64, limit: i64) -> Result<Vec<TokenRow>> {
    let tenant = reader.tenant();
    reader.fetch_all(&TOKENS, args![tenant, after, limit]).await
}

/// Adds a token under the hash of its secret; the caller raises the access version.
pub async fn add_token(tx: &mut Tx, token: &TokenRow, hash: &str) -> Result<()> {
    let arguments = args![
        tx.tenant(),
        token.id,
        hash,
        &token.name,
        token.user_id,
        &token.role,
        &token.scopes,
        token.created_at,
        token.expires_at,
    ];
    tx.execute(&ADD_TOKEN, arguments).await.map(drop)
}

/// Changes what a token may do; the caller raises the access version.
pub async fn update_token(tx: &mut Tx, token: &TokenRow) -> Result<()> {
    let arguments = args![tx.tenant(), token.id, &token.name, &token.role, &token.scopes, token.expires_at];
    tx.execute(&UPDATE_TOKEN, arguments).await.map(drop)
}

/// Ends a token; the caller raises the access version.
pub async fn delete_token(tx: &mut Tx, id: TokenId) -> Result<u64> {
    tx.execute(&DELETE_TOKEN, args![tx.tenant(), id]).await
}

/// Ends every token of a user; the caller raises the access version.
pub async fn delete_tokens_of(tx: &mut Tx, user: UserId) -> Result<u64> {
    tx.execute(&DELETE_TOKENS_OF, args![tx.tenant(), user]).await
}

/// A fresh user with nothing set but its name and role.
pub fn new_user(id: UserId, name: &str, role: &str, at: Timestamp) -> UserRow {
    UserRow {
        id: id.0,
        name: name.to_owned(),
        email: None,
        role: role.to_owned(),
        is_service: 0,
        time_zone: None,
        locale: None,
        created_at: at.0,
        updated_at: at.0,
        archived_at: None,
    }
}
