//! What stays come to, by period: counted and ordered in the store, a few rows for any number of records.
//!
//! Where PostgreSQL looks up the stays of a record it is asked for them in order, which only their key has: of tables
//! that it believes to be small it would take any index.
//!
//! A record counts as it is now: one that is archived, merged into another one or purged does not, nor one that the
//! caller may not see.

use sqlx::FromRow;

use crate::error::Result;
use crate::sql::{Arg, Sql, args, rows};
use crate::store::Reader;

/// A period, by its number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Period {
    /// Its number among those asked for.
    pub at: i64,
    /// Its first moment, in microseconds since 1970.
    pub starts: i64,
    /// The first moment after it.
    pub ends: i64,
}

/// Which records count.
#[derive(Debug, Clone, Default)]
pub struct Seen {
    /// The object.
    pub object: String,
    /// The pipeline.
    pub pipeline: String,
    /// Only those that these users own; all where it is none.
    pub owners: Option<Vec<i64>>,
    /// Beside them those that nobody owns.
    pub unclaimed: bool,
    /// Only these; all where it is none.
    pub records: Option<Vec<i64>>,
}

impl Seen {
    /// The first eight arguments of each statement.
    fn arguments(&self, reader: &Reader, periods: &[Period]) -> Vec<Arg<'static>> {
        let number = |is_so: bool| i64::from(is_so);
        let mut arguments = args![
            reader.tenant(),
            &self.object,
            &self.pipeline,
            number(self.owners.is_none()),
            self.owners.clone().unwrap_or_default(),
            number(self.unclaimed),
            number(self.records.is_none()),
            self.records.clone().unwrap_or_default(),
        ];
        arguments.push(Arg::from(rows!(periods; period => period.at, period.starts, period.ends)));
        arguments
    }
}

/// A list of names as an argument.
fn names(names: &[String]) -> Arg<'static> {
    Arg::from(rows!(names; name => name.clone()))
}

macro_rules! periods_on_sqlite {
    () => {
        "period as (select value->>0 as at, value->>1 as starts, value->>2 as ends from json_each($9))"
    };
}

macro_rules! periods_on_postgres {
    () => {
        "period as (select * from unnest($9::bigint[], $10::bigint[], $11::bigint[]) period(at, starts, ends))"
    };
}

/// Stays that begin or end in a period, of records that count.
macro_rules! seen_on_sqlite {
    ($moment:literal, $index:literal) => {
        concat!(
            "seen as (select p.at, v.record_id, v.sequence, v.stage, v.entered_at, v.left_at from period p \
               cross join stage_visit v indexed by ",
            $index,
            " on v.tenant_id = $1 and v.object = $2 and v.pipeline = $3 and v.",
            $moment,
            " >= p.starts and v.",
            $moment,
            " < p.ends cross join record r on r.tenant_id = $1 and r.id = v.record_id \
             where v.",
            $moment,
            " is not null and r.archived_at is null \
               and ($4 = 1 or r.owner_id in (select value from json_each($5)) or $6 = 1 and r.owner_id is null) \
               and ($7 = 1 or r.id in (select value from json_each($8))))"
        )
    };
}

macro_rules! seen_on_postgres {
    ($moment:literal) => {
        concat!(
            "seen as (select p.at, v.record_id, v.sequence, v.stage, v.entered_at, v.left_at from period p \
               cross join lateral (select record_id, sequence, stage, entered_at, left_at from stage_visit \
                 where tenant_id = $1 and object = $2 and pipeline = $3 and ",
            $moment,
            " >= p.starts and ",
            $moment,
            " < p.ends offset 0) v \
               cross join lateral (select owner_id, archived_at from record \
                 where tenant_id = $1 and id = v.record_id offset 0) r \
             where r.archived_at is null and ($4 = 1 or r.owner_id = any($5::bigint[]) or $6 = 1 and r.owner_id is null) \
               and ($7 = 1 or v.record_id = any($8::bigint[])))"
        )
    };
}

/// How many records did something.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct Counted {
    /// The period's number.
    pub at: i64,
    /// The stage.
    pub stage: String,
    /// Records.
    pub records: i64,
}

macro_rules! endings {
    ($names:literal) => {
        concat!(
            ", ended as (select at, stage, row_number() over (partition by at, record_id order by sequence desc) as nth \
               from seen where stage in (",
            $names,
            ")) select at, stage, count(*) as records from ended where nth = 1 group by at, stage order by at, stage"
        )
    };
}

const ENDINGS: Sql = Sql::each(
    concat!(
        "with ",
        periods_on_sqlite!(),
        ", ",
        seen_on_sqlite!("entered_at", "stage_visit_entered"),
        endings!("select value->>0 from json_each($10)")
    ),
    concat!(
        "with ",
        periods_on_postgres!(),
        ", ",
        seen_on_postgres!("entered_at"),
        endings!("select unnest($12::text[])")
    ),
);

/// By period and stage, how many records have entered one of `stages`; each counts once in a period, for the last.
pub async fn endings(reader: &mut Reader, seen: &Seen, periods: &[Period], stages: &[String]) -> Result<Vec<Counted>> {
    let mut arguments = seen.arguments(reader, periods);
    arguments.push(names(stages));
    reader.fetch_all(&ENDINGS, arguments).await
}

/// A stage with its place on the way to success.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StepOf {
    /// Its name.
    pub stage: String,
    /// Its place in the pipeline.
    pub position: i64,
    /// A record there is on its way, or has got there.
    pub is_forward: bool,
    /// A record there is won.
    pub is_won: bool,
}

/// What became of the records that entered a stage.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct Converted {
    /// The period's number.
    pub at: i64,
    /// The stage.
    pub stage: String,
    /// Records that entered it in the period.
    pub entered: i64,
    /// Those that have entered a stage further on since.
    pub advanced: i64,
    /// Those that have been won since.
    pub won: i64,
}

macro_rules! conversions {
    ($later:literal) => {
        concat!(", entered as (select at, record_id, stage, min(sequence) as sequence from seen group by at, record_id, stage), \
         later as (select e.at, e.stage, e.record_id, \
             max(case when t.is_forward = 1 and t.position > s.position then 1 else 0 end) as advanced, \
             max(case when t.is_won = 1 and t.position <> s.position then 1 else 0 end) as won \
           from entered e join step s on s.stage = e.stage left join ", $later, " left join step t on t.stage = n.stage \
           group by e.at, e.stage, e.record_id) \
         select at, stage, count(*) as entered, cast(sum(advanced) as bigint) as advanced, \
           cast(sum(won) as bigint) as won from later group by at, stage order by at, stage")
    };
}

const CONVERSIONS: Sql = Sql::each(
    concat!(
        "with ",
        periods_on_sqlite!(),
        ", step as (select value->>0 as stage, value->>1 as position, value->>2 as is_forward, value->>3 as is_won \
           from json_each($10)), ",
        seen_on_sqlite!("entered_at", "stage_visit_entered"),
        conversions!(
            "stage_visit n on n.tenant_id = $1 and n.record_id = e.record_id and n.sequence > e.sequence \
             and n.object = $2 and n.pipeline = $3"
        )
    ),
    concat!(
        "with ",
        periods_on_postgres!(),
        ", step as (select * from unnest($12::text[], $13::bigint[], $14::bigint[], $15::bigint[]) \
           step(stage, position, is_forward, is_won)), ",
        seen_on_postgres!("entered_at"),
        conversions!(
            "lateral (select stage from (select stage, object, pipeline from stage_visit where tenant_id = $1 and record_id = e.record_id \
               and sequence > e.sequence order by sequence offset 0) its where object = $2 and pipeline = $3) n on true"
        )
    ),
);

/// By period and stage, how many records entered it, and how many of those have gone on since.
pub async fn conversions(
    reader: &mut Reader,
    seen: &Seen,
    periods: &[Period],
    steps: &[StepOf],
) -> Result<Vec<Converted>> {
    let mut arguments = seen.arguments(reader, periods);
    arguments.push(Arg::from(rows!(steps; step => step.stage.clone(), step.position, i64::from(step.is_forward),
        i64::from(step.is_won))));
    reader.fetch_all(&CONVERSIONS, arguments).await
}

/// How long stays were, in whole seconds.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct Stays {
    /// The period's number.
    pub at: i64,
    /// The stage; empty for the way through the pipeline.
    pub stage: String,
    /// How many.
    pub stays: i64,
    /// All together.
    pub seconds: i64,
    /// The one in the middle, or the shorter of the two.
    pub low: i64,
    /// The one in the middle, or the longer of the two.
    pub high: i64,
}

macro_rules! measured {
    () => {
        ", ranked as (select at, stage, seconds, \
             row_number() over (partition by at, stage order by seconds) as nth, \
             count(*) over (partition by at, stage) as stays from stay) \
         select at, stage, max(stays) as stays, cast(sum(seconds) as bigint) as seconds, \
           min(case when nth = (stays + 1) / 2 then seconds end) as low, \
           min(case when nth = stays / 2 + 1 then seconds end) as high \
         from ranked group by at, stage order by at, stage"
    };
}

macro_rules! stays {
    () => {
        ", stay as (select at, stage, (left_at - entered_at) / 1000000 as seconds from seen)"
    };
}

const STAYS: Sql = Sql::each(
    concat!("with ", periods_on_sqlite!(), ", ", seen_on_sqlite!("left_at", "stage_visit_left"), stays!(), measured!()),
    concat!("with ", periods_on_postgres!(), ", ", seen_on_postgres!("left_at"), stays!(), measured!()),
);

/// By period and stage, how long the stays were that ended in it.
pub async fn stays(reader: &mut Reader, seen: &Seen, periods: &[Period]) -> Result<Vec<Stays>> {
    let arguments = seen.arguments(reader, periods);
    reader.fetch_all(&STAYS, arguments).await
}

macro_rules! ways {
    ($names:literal, $own:literal) => {
        concat!(
            ", ended as (select at, record_id, min(entered_at) as entered_at from seen where stage in (",
            $names,
            ") group by at, record_id), \
             stay as (select at, '' as stage, (entered_at - (select min(f.entered_at) from ",
            $own,
            " where f.pipeline = $3)) / 1000000 as seconds from ended)"
        )
    };
}

const WAYS_TO: Sql = Sql::each(
    concat!(
        "with ",
        periods_on_sqlite!(),
        ", ",
        seen_on_sqlite!("entered_at", "stage_visit_entered"),
        ways!(
            "select value->>0 from json_each($10)",
            "(select entered_at, pipeline from stage_visit where tenant_id = $1 and record_id = ended.record_id) f"
        ),
        measured!()
    ),
    concat!(
        "with ",
        periods_on_postgres!(),
        ", ",
        seen_on_postgres!("entered_at"),
        ways!(
            "select unnest($12::text[])",
            "(select entered_at, pipeline from stage_visit where tenant_id = $1 and record_id = ended.record_id \
             order by sequence offset 0) f"
        ),
        measured!()
    ),
);

/// By period, how long records took from entering the pipeline to the first of `stages` that they entered in it.
pub async fn ways_to(reader: &mut Reader, seen: &Seen, periods: &[Period], stages: &[String]) -> Result<Vec<Stays>> {
    let mut arguments = seen.arguments(reader, periods);
    arguments.push(names(stages));
    reader.fetch_all(&WAYS_TO, arguments).await
}
