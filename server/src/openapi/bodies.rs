//! Bodies of requests as they are described. Handlers read them member by member, so that everything that is wrong is
//! told at once; the end-to-end tests hold what is described here against what is taken.

#![expect(dead_code, reason = "describes bodies, which are read without it")]

use std::collections::BTreeMap;

use serde_json::{Map, Value};
use utoipa::ToSchema;

/// A record to be made or changed.
#[derive(ToSchema)]
pub(crate) struct RecordInput {
    /// Values by property; null and the empty text take a value away.
    properties: Option<Map<String, Value>>,
    /// The user who owns it.
    owner_id: Option<String>,
    /// The team that it belongs to.
    team_id: Option<String>,
    /// Links that are made with it.
    associations: Option<Vec<LinkInput>>,
}

/// A link of the record that it stands in.
#[derive(ToSchema)]
pub(crate) struct LinkInput {
    /// The association's name.
    #[schema(rename = "type")]
    kind: String,
    /// Id or uid of the other record.
    to: String,
    label: Option<String>,
    properties: Option<Map<String, Value>>,
}

/// What a link is called and carries.
#[derive(ToSchema)]
pub(crate) struct LinkContents {
    label: Option<String>,
    properties: Option<Map<String, Value>>,
}

/// Records to be merged into another one.
#[derive(ToSchema)]
pub(crate) struct Merge {
    /// Ids or uids, at most 100; where the record that remains has no value, the first one's that has one is taken.
    from: Vec<String>,
    /// Property to the id of the record whose value is taken.
    properties: Option<BTreeMap<String, String>>,
}

/// A record to be taken out of the one that it was merged into.
#[derive(ToSchema)]
pub(crate) struct Unmerge {
    /// Id or uid of the record that was merged.
    id: String,
}

/// Where a record is moved to.
#[derive(ToSchema)]
pub(crate) struct StageMove {
    /// The pipeline; the one that the record is in where none is named.
    pipeline: Option<String>,
    /// The stage.
    stage: String,
    /// Values by property, such as those that the stage asks for; null and the empty text take a value away.
    properties: Option<Map<String, Value>>,
    /// Id or uid of the record that it is put behind on the board, null for the top; unless given it keeps its place.
    #[schema(nullable)]
    after: Option<String>,
}

/// Something that has happened to a record.
#[derive(ToSchema)]
pub(crate) struct ActivityInput {
    /// A type of activity that a pack declares, such as `email.sent`.
    #[schema(rename = "type")]
    kind: String,
    /// When, with an offset; now unless given.
    #[schema(format = DateTime)]
    at: Option<String>,
    /// What the type takes, by name.
    details: Option<Map<String, Value>>,
    /// Ids or uids of further records that it has happened to, at most 100.
    also: Option<Vec<String>>,
}

/// What to take back; exactly one of the two.
#[derive(ToSchema)]
pub(crate) struct UndoInput {
    /// The `X-Request-Id` of a request.
    request_id: Option<String>,
    /// A job that has ended.
    job_id: Option<String>,
}

/// Up to 1,000 records.
#[derive(ToSchema)]
pub(crate) struct RecordBatch {
    inputs: Option<Vec<RecordBatchInput>>,
    /// All or nothing.
    atomic: Option<bool>,
    /// The unique property that `id` is a value of; needed to upsert.
    id_property: Option<String>,
    /// Properties that the replies show.
    select: Option<Vec<String>>,
}

/// One record of a batch; which members it takes depends on the verb.
#[derive(ToSchema)]
pub(crate) struct RecordBatchInput {
    /// Id, uid, or a value of `id_property`.
    id: Option<String>,
    /// Only if the record is at this version.
    version: Option<i64>,
    properties: Option<Map<String, Value>>,
    owner_id: Option<String>,
    team_id: Option<String>,
    associations: Option<Vec<LinkInput>>,
}

/// What a search asks.
#[derive(ToSchema)]
pub(crate) struct Search {
    /// Full text: every word must be found, the last one as a beginning too; phrases in quotation marks.
    q: Option<String>,
    /// Forgives one letter in words of four, two in words of eight.
    fuzzy: Option<bool>,
    /// `{all: […]}`, `{any: […]}`, `{not: …}`, `{property, op, value}` or `{association, quantifier or count, match}`.
    filter: Option<Map<String, Value>>,
    /// `{property, direction?}` or `"-property"`, first key first.
    sort: Option<Vec<Value>>,
    /// Properties that the replies show.
    select: Option<Vec<String>>,
    /// Linked records to bring along: `company(name)`.
    include: Option<Vec<String>>,
    /// 0 to 200, by default 50.
    limit: Option<usize>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
    /// Answers with the number of all matches.
    count: Option<bool>,
    /// Tables by name: `{group, measures, limit?, order?}`.
    aggregate: Option<BTreeMap<String, Value>>,
    /// `strong` (the default) sees every write acknowledged before; `eventual` does not wait.
    consistency: Option<String>,
    /// Only archived records.
    archived: Option<bool>,
}

/// What a search across objects asks.
#[derive(ToSchema)]
pub(crate) struct SearchAcross {
    /// Objects to search; all that the caller may see where none are named.
    objects: Option<Vec<String>>,
    #[schema(inline)]
    #[serde(flatten)]
    search: Search,
}

/// Up to 1,000 operations, all or nothing.
#[derive(ToSchema)]
pub(crate) struct Transaction {
    operations: Option<Vec<Operation>>,
}

/// One operation; which members it takes depends on `op`. `"$name"` stands wherever an id does.
#[derive(ToSchema)]
pub(crate) struct Operation {
    /// `create`, `update`, `upsert`, `archive`, `restore`, `associate` or `dissociate`.
    op: String,
    /// The name under which later operations know the record.
    #[schema(rename = "ref")]
    reference: Option<String>,
    object: Option<String>,
    id: Option<String>,
    id_property: Option<String>,
    version: Option<i64>,
    properties: Option<Map<String, Value>>,
    owner_id: Option<String>,
    team_id: Option<String>,
    associations: Option<Vec<LinkInput>>,
    /// The association's name.
    #[schema(rename = "type")]
    kind: Option<String>,
    from: Option<String>,
    to: Option<String>,
    label: Option<String>,
    /// Takes links in the way away.
    replace: Option<bool>,
}

/// Up to 1,000 links.
#[derive(ToSchema)]
pub(crate) struct LinkBatch {
    inputs: Option<Vec<LinkBatchInput>>,
    /// All or nothing.
    atomic: Option<bool>,
}

/// A link between two records.
#[derive(ToSchema)]
pub(crate) struct LinkBatchInput {
    /// The association's name.
    #[schema(rename = "type")]
    kind: String,
    from: String,
    to: String,
    label: Option<String>,
    properties: Option<Map<String, Value>>,
    /// Takes links in the way away.
    replace: Option<bool>,
}

/// Up to 1,000 records whose links are wanted.
#[derive(ToSchema)]
pub(crate) struct LinksOfRecords {
    inputs: Option<Vec<RecordName>>,
    /// The association's name.
    #[schema(rename = "type")]
    kind: String,
    /// 1 to 200 links of each, by default 50.
    limit: Option<i64>,
}

/// A record by its object and id.
#[derive(ToSchema)]
pub(crate) struct RecordName {
    object: String,
    id: String,
}

/// A definition: what a pack has for it, with its `name`.
#[derive(ToSchema)]
pub(crate) struct DefinitionInput {
    name: String,
    #[serde(flatten)]
    options: BTreeMap<String, Value>,
}

/// A merge patch of a definition: maps are merged key by key, null takes away, anything else replaces.
#[derive(ToSchema)]
pub(crate) struct DefinitionPatch {
    #[serde(flatten)]
    options: BTreeMap<String, Value>,
}

/// A file of rows, and what its columns mean.
#[derive(ToSchema)]
pub(crate) struct ImportForm {
    /// The file.
    #[schema(format = Binary)]
    file: String,
    /// The map, YAML or JSON.
    map: Option<String>,
}

/// Which pack is meant; exactly one of the three.
#[derive(ToSchema)]
pub(crate) struct PackSource {
    /// The whole pack in one YAML text.
    source: Option<String>,
    /// The pack's files: name to text.
    files: Option<BTreeMap<String, String>>,
    /// A pack that the server knows or the tenant has or had.
    pack: Option<String>,
    /// With `pack`: its version, the newest unless given.
    version: Option<String>,
    /// With `pack`: plans to uninstall it.
    uninstall: Option<bool>,
    /// Whose side holds, `pack` or `tenant`, by the names of conflicts; the tenant's unless given.
    accept: Option<BTreeMap<String, String>>,
    /// How stored values become those of changed definitions, by `object.property`.
    #[schema(value_type = Option<BTreeMap<String, Object>>)]
    migrations: Option<BTreeMap<String, Value>>,
}

/// The plan to carry out.
#[derive(ToSchema)]
pub(crate) struct PlanToApply {
    plan: String,
    /// Definitions may be archived, with what is stored under them.
    allow_destructive: Option<bool>,
    /// Whose side holds, `pack` or `tenant`, by the names of conflicts; the tenant's unless given.
    accept: Option<BTreeMap<String, String>>,
    /// How stored values become those of changed definitions, by `object.property`: one of `default`, `map`, `convert`
    /// and `undo` each; goes before what the pack itself says.
    #[schema(value_type = Option<BTreeMap<String, Object>>)]
    migrations: Option<BTreeMap<String, Value>>,
}

/// The pack that tenants are to have, and which tenants.
#[derive(ToSchema)]
pub(crate) struct TenantsPack {
    /// The whole pack in one YAML text.
    source: Option<String>,
    /// The pack's files: name to text.
    files: Option<BTreeMap<String, String>>,
    /// A pack that the server knows.
    pack: Option<String>,
    /// With `pack`: its version, the newest unless given.
    version: Option<String>,
    /// Slugs of the tenants that are meant; all unless given.
    tenants: Option<Vec<String>>,
    /// Tenants that do not have the pack get it, too.
    install: Option<bool>,
    /// Definitions may be archived, with what is stored under them.
    allow_destructive: Option<bool>,
    /// Whose side holds, `pack` or `tenant`, by the names of conflicts; the tenant's unless given.
    accept: Option<BTreeMap<String, String>>,
    /// How stored values become those of changed definitions, by `object.property`.
    #[schema(value_type = Option<BTreeMap<String, Object>>)]
    migrations: Option<BTreeMap<String, Value>>,
}

/// Where the definitions go back to.
#[derive(ToSchema)]
pub(crate) struct BackTo {
    /// A version of the metadata history.
    to_version: i64,
    /// Only say what that would do.
    dry_run: Option<bool>,
}

/// A tenant to be made.
#[derive(ToSchema)]
pub(crate) struct NewTenant {
    /// Short name in addresses and on the command line; unique.
    slug: String,
    name: Option<String>,
    profile: Option<String>,
    /// IANA name.
    time_zone: Option<String>,
    /// ISO 4217 code.
    currency: Option<String>,
    /// ISO 3166 code.
    country: Option<String>,
}

/// Settings of the tenant to be changed.
#[derive(ToSchema)]
pub(crate) struct TenantPatch {
    name: Option<String>,
    profile: Option<String>,
    /// IANA name.
    time_zone: Option<String>,
    /// ISO 4217 code.
    currency: Option<String>,
    /// ISO 3166 code.
    country: Option<String>,
    /// Capability to whether it is on.
    capabilities: Option<BTreeMap<String, bool>>,
}

/// What a role grants on an object; what is not said is not granted.
#[derive(ToSchema)]
pub(crate) struct RoleGrants {
    create: Option<bool>,
    /// `all`, `team`, `own`, `own_or_unclaimed` or `none`, as in `update` and `archive`.
    read: Option<String>,
    update: Option<String>,
    archive: Option<String>,
}

/// What a role grants on a property.
#[derive(ToSchema)]
pub(crate) struct RoleProperty {
    read: Option<bool>,
    /// As `read` unless given.
    write: Option<bool>,
}

/// A role to be made.
#[derive(ToSchema)]
pub(crate) struct RoleInput {
    name: String,
    label: Option<String>,
    /// By object; `*` is every object without an entry of its own.
    objects: Option<BTreeMap<String, RoleGrants>>,
    /// By `object.property`; a sensitive one is shown where `read` is true.
    properties: Option<BTreeMap<String, RoleProperty>>,
    /// May change definitions, users, tokens and settings, and purge.
    admin: Option<bool>,
}

/// What to change of a role; null takes away.
#[derive(ToSchema)]
pub(crate) struct RolePatch {
    label: Option<String>,
    /// By object, each as in a new role, or null.
    objects: Option<BTreeMap<String, Value>>,
    /// By `object.property`, each as in a new role, or null.
    properties: Option<BTreeMap<String, Value>>,
    admin: Option<bool>,
}

/// A user to be added.
#[derive(ToSchema)]
pub(crate) struct NewUser {
    name: String,
    email: Option<String>,
    /// `member` unless given.
    role: Option<String>,
    /// Ids of teams.
    teams: Option<Vec<String>>,
    time_zone: Option<String>,
    locale: Option<String>,
}

/// What to change of a user.
#[derive(ToSchema)]
pub(crate) struct UserPatch {
    name: Option<String>,
    email: Option<String>,
    role: Option<String>,
    /// Ids of teams.
    teams: Option<Vec<String>>,
    time_zone: Option<String>,
    locale: Option<String>,
}

/// A team to be added, or what to change of one.
#[derive(ToSchema)]
pub(crate) struct TeamInput {
    name: Option<String>,
    /// Ids of users.
    members: Option<Vec<String>>,
}

/// An assignment rule, or what to change of one; `users` or `team`.
#[derive(ToSchema)]
pub(crate) struct AssignmentRuleInput {
    object: Option<String>,
    label: Option<String>,
    /// CEL that a record must meet.
    when: Option<String>,
    /// Ids of users, who take turns.
    users: Option<Vec<String>>,
    /// Id of the team whose members take turns.
    team: Option<String>,
    /// Rules of an object are tried from the lowest on.
    position: Option<u32>,
    /// Whether it is applied; it is unless this is false.
    active: Option<bool>,
}

/// To whom all goes that a user has.
#[derive(ToSchema)]
pub(crate) struct Reassignment {
    /// Id of a user; null for nobody.
    to: Option<String>,
    /// Instead of `to`: by the assignment rules.
    by_rules: Option<bool>,
    /// Only records of these objects.
    objects: Option<Vec<String>>,
    /// Also where properties name the user.
    properties: Option<bool>,
}

/// A view to be saved, or what to change of one; as packs have them.
#[derive(ToSchema)]
pub(crate) struct View {
    label: Option<String>,
    object: Option<String>,
    /// `table`, `board`, `calendar`, `map` or `list`.
    kind: Option<String>,
    /// As in a search.
    filter: Option<Value>,
    /// As in a search.
    sort: Option<Vec<Value>>,
    columns: Option<Vec<String>>,
    group: Option<String>,
    date: Option<String>,
    place: Option<String>,
    /// `private`, `team` or `everyone`.
    sharing: Option<String>,
    /// Id of the team that it is shared with.
    team: Option<String>,
}

/// A report to be saved, or what to change of one; as packs have them.
#[derive(ToSchema)]
pub(crate) struct Report {
    label: Option<String>,
    object: Option<String>,
    /// As in a search.
    filter: Option<Value>,
    /// As in a search's `aggregate`.
    group: Option<Vec<Value>>,
    /// As in a search's `aggregate`.
    measures: Option<Value>,
    /// As in a search's `aggregate`.
    order: Option<Vec<Value>>,
    limit: Option<u32>,
    /// `table`, `number`, `line`, `column`, `bar`, `pie` or `funnel`.
    chart: Option<String>,
    /// `{date, within}`.
    period: Option<Value>,
    /// `previous`.
    compare: Option<String>,
    /// `private`, `team` or `everyone`.
    sharing: Option<String>,
    /// Id of the team that it is shared with.
    team: Option<String>,
}

/// A dashboard to be saved, or what to change of one; as packs have them.
#[derive(ToSchema)]
pub(crate) struct Dashboard {
    label: Option<String>,
    /// `{report}` or `{view}`, and `label`, `width`, `height`.
    items: Option<Vec<Value>>,
    /// `private`, `team` or `everyone`.
    sharing: Option<String>,
    /// Id of the team that it is shared with.
    team: Option<String>,
}

/// A token to be made.
#[derive(ToSchema)]
pub(crate) struct NewToken {
    name: String,
    /// Whom it acts for; a service of its own where none is given.
    user: Option<String>,
    role: Option<String>,
    /// `read`, `write`, `admin`, `OBJECT:read`, `OBJECT:write`; none given means all that the role may.
    scopes: Option<Vec<String>>,
    #[schema(format = DateTime)]
    expires_at: Option<String>,
}

/// What to change of a token.
#[derive(ToSchema)]
pub(crate) struct TokenPatch {
    name: Option<String>,
    scopes: Option<Vec<String>>,
    #[schema(format = DateTime)]
    expires_at: Option<String>,
}
