//! How long queries take, on an index that is kept from one run to the next.
//!
//! `cargo run --release -p engine-search --example query_rate [documents] [folder] [part of a name]`

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "it measures, and tells what it measured")]

use std::path::PathBuf;
use std::sync::LazyLock;
use std::time::{Duration, Instant};

use engine_model::layer::Layer;
use engine_model::object::ObjectDefinition;
use engine_model::problem::Problems;
use engine_model::property::Storage;
use engine_model::query::{
    Aggregate, Every, Field, Filter, Form, Group, Measure, Order, Query, Scope, SortKey, Test, Words, words,
};
use engine_model::registry::Registry;
use engine_model::time::Timestamp;
use engine_model::{Name, Properties, RecordId, Sequence, TenantId};
use engine_search::{Document, Edit, Index, Limits, LinkEnds, Pace, Reached, RecordState, View};
use serde_json::{Value, json};

const STAGES: [&str; 8] = ["new", "contacted", "qualified", "proposal", "negotiation", "won", "lost", "parked"];
const SOURCES: [&str; 3] = ["web", "fair", "call"];
const FIRST: [&str; 12] =
    ["Ada", "Grace", "Alan", "Edsger", "Barbara", "Donald", "Émile", "John", "Łucja", "Dennis", "Radia", "Ken"];
const MONEY: Form = Form::Decimal { scale: 2, is_padded: true };

static REGISTRY: LazyLock<Registry> = LazyLock::new(|| {
    let text = || json!({"type": "string", "searchable": true});
    let mut properties = json!({
        "first_name": text(), "last_name": text(), "company": text(), "email": {"type": "email", "searchable": true},
        "phone": {"type": "phone", "searchable": true}, "notes": {"type": "text", "searchable": true},
        "stage": {"type": "enum", "options": STAGES}, "source": {"type": "enum", "options": SOURCES},
        "amount": {"type": "money", "currency": "USD"}, "score": {"type": "integer"}, "owner": {"type": "user"},
        "born": {"type": "date"}, "seen": {"type": "datetime"}, "hot": {"type": "boolean"}, "tags": {"type": "tags"},
    });
    for at in 0..10 {
        properties[format!("extra_{at}")] = json!({"type": "string"});
    }
    let document = json!({"objects": {"contact": {"properties": properties}}});
    let mut problems = Problems::new();
    let layer = Layer::read("core", document.as_object().unwrap(), &mut problems);
    let (registry, more) = Registry::fold(&[layer]);
    assert_eq!((problems, more), (Problems::new(), Problems::new()));
    registry
});

fn main() {
    let documents: i64 = std::env::args().nth(1).map_or(1_000_000, |count| count.parse().unwrap());
    let folder =
        std::env::args().nth(2).map_or_else(|| PathBuf::from(format!("/tmp/query_rate_{documents}")), PathBuf::from);
    let index = match Index::open(&folder) {
        Ok(index) => index,
        Err(_) => fill(&folder, documents),
    };
    println!("{:?}", index.size());
    let view = index.view();
    let asked = std::env::args().nth(3).unwrap_or_default();
    for (name, query) in queries().into_iter().filter(|(name, _)| name.contains(&asked)) {
        measure(&view, name, &query);
    }
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    status
        .lines()
        .filter(|line| line.starts_with("Rss") || line.starts_with("VmRSS"))
        .for_each(|line| println!("{line}"));
}

fn fill(folder: &std::path::Path, documents: i64) -> Index {
    let start = Instant::now();
    let index = Index::create(folder, Pace::Bulk).unwrap();
    for first in (1..=documents).step_by(1_000) {
        let ids = first..(first + 1_000).min(documents + 1);
        index
            .apply(ids.flat_map(|id| [Some(Edit::Add(contact(id))), beside(id, documents)]).flatten().collect())
            .unwrap();
    }
    index.commit(Reached { sequence: Sequence(1), at: Timestamp(1), notes: String::new() }).unwrap();
    index.rest().unwrap();
    index.persist().unwrap();
    println!("filled at {:.0} a second", documents as f64 / start.elapsed().as_secs_f64());
    index
}

/// What stands between contacts: for one in ten a company, or a link to one.
fn beside(id: i64, documents: i64) -> Option<Edit> {
    match id % 100 {
        0 => Some(Edit::Add(record(documents + id / 100, "company", None, &Properties::new(), "Company"))),
        10 | 20 | 30 | 40 | 50 | 60 | 70 | 80 | 90 => {
            let to = RecordId(documents + 1 + i64::try_from(random(id, 99) % 1_000).unwrap());
            Some(Edit::AddLink(LinkEnds { association: "employs".to_owned(), from: RecordId(id), to }))
        }
        _ => None,
    }
}

fn random(id: i64, salt: u64) -> u64 {
    let mixed = id.unsigned_abs().wrapping_add(salt << 40).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    (mixed ^ mixed >> 31).wrapping_mul(0xbf58_476d_1ce4_e5b9) >> 20
}

fn contact(id: i64) -> Document {
    let pick = |salt: u64, most: u64| random(id, salt) % most;
    let mut properties = json!({
        "first_name": FIRST[pick(1, 12) as usize], "last_name": format!("Name{}", pick(2, 20_000)),
        "company": format!("Company {} Ltd", pick(3, 35_000)), "email": format!("user{id}@host{}.example.com", pick(4, 500)),
        "phone": format!("+1613{:07}", pick(5, 10_000_000)), "notes": format!("met at fair {} about roof {}", pick(6, 300), pick(7, 900)),
        "stage": STAGES[(pick(8, 64) as usize).isqrt()], "source": SOURCES[pick(9, 3) as usize],
        "amount": format!("{}.{:02}", pick(10, 100_000), pick(11, 100)), "score": pick(12, 1_000), "owner": pick(13, 200).to_string(),
        "seen": Timestamp(1_700_000_000_000_000 + i64::try_from(pick(15, 60_000_000)).unwrap() * 1_000_000).to_rfc3339(),
        "hot": pick(16, 2) == 0, "tags": [format!("tag{}", pick(17, 40)), format!("tag{}", pick(18, 40))],
    });
    if pick(14, 10) < 7 {
        properties["born"] =
            Value::from(format!("{}-{:02}-{:02}", 1950 + pick(19, 50), 1 + pick(20, 12), 1 + pick(21, 28)));
    }
    for at in 0..10 {
        properties[format!("extra_{at}")] = Value::from(format!("value {}", pick(30 + at, 1_000)));
    }
    let properties: Properties = properties.as_object().unwrap().clone();
    let display_name =
        format!("{} {}", properties["first_name"].as_str().unwrap(), properties["last_name"].as_str().unwrap());
    record(id, "contact", Some(&REGISTRY.objects["contact"]), &properties, &display_name)
}

fn record(
    id: i64,
    object: &str,
    definition: Option<&ObjectDefinition>,
    properties: &Properties,
    display_name: &str,
) -> Document {
    Document::of(&RecordState {
        id: RecordId(id),
        uid: &format!("01927f3e-0000-7000-8000-{id:012x}"),
        object,
        definition,
        properties,
        display_name,
        owner: None,
        team: None,
        version: 1,
        created_at: Timestamp(id),
        created_by: None,
        updated_at: Timestamp(id),
        updated_by: None,
        archived_at: None,
        former: &[],
        due: None,
    })
}

fn field(name: &str) -> Field {
    let (storage, form) = match name {
        "notes" => (Storage::LongText, Form::Text),
        "stage" | "source" => (Storage::Option, Form::Text),
        "amount" => (Storage::Scaled(2), MONEY),
        "score" => (Storage::Scaled(0), Form::Integer),
        "born" => (Storage::Date, Form::Date),
        "seen" => (Storage::Datetime, Form::Datetime),
        "hot" => (Storage::Boolean, Form::Boolean),
        "tags" => (Storage::TextList, Form::Text),
        _ => (Storage::Text, Form::Text),
    };
    let options: Vec<String> = STAGES.iter().filter(|_| name == "stage").map(|key| (*key).to_owned()).collect();
    Field {
        object: Name::new("contact").unwrap(),
        name: Name::new(name).unwrap(),
        since: 0,
        storage,
        form,
        options: options.into(),
    }
}

fn query(filter: Filter) -> Query {
    let searched =
        ["display_name", "first_name", "last_name", "company", "email", "phone", "notes"].map(field).to_vec();
    let scope =
        Scope { object: Name::new("contact").unwrap(), filter, searched, sort: Vec::new(), aggregates: Vec::new() };
    Query { tenant: TenantId(1), scopes: vec![scope], archived: false, words: None, limit: 0, after: None, count: true }
}

fn sorted(mut query: Query, by: SortKey) -> Query {
    query.limit = 50;
    query.scopes[0].sort = vec![by];
    query
}

fn by(name: &str) -> SortKey {
    SortKey::Value { field: field(name), is_descending: true }
}

fn texts(name: &str, texts: &[&str]) -> Filter {
    Filter::Is(field(name), Test::Texts(texts.iter().map(|text| (*text).to_owned()).collect()))
}

fn numbers(name: &str, from: i64, to: i64) -> Filter {
    Filter::Is(field(name), Test::Numbers(vec![from..=to]))
}

fn grouped(mut query: Query, groups: Vec<Group>, measures: Vec<Measure>) -> Query {
    let measures = measures.into_iter().enumerate().map(|(at, measure)| (at.to_string(), measure)).collect();
    let order = vec![Order::Measure { index: 0, is_descending: true }];
    query.scopes[0].aggregates = vec![Aggregate { name: "table".to_owned(), groups, measures, limit: 1_000, order }];
    query
}

fn asked(text: &str) -> Query {
    let mut query = sorted(query(Filter::everything()), SortKey::Relevance);
    query.words = Some(Words { words: words(text).collect(), is_last_prefix: true, ..Words::default() });
    query
}

/// Words over everything: of all objects there are, most have no records.
fn everywhere(text: &str) -> Query {
    let mut query = asked(text);
    let of = |object: String, searched: &[Field]| {
        let object = Name::new(&object).unwrap();
        let of = |field: &Field| Field { object: object.clone(), ..field.clone() };
        let searched = searched.iter().map(of).collect();
        let sort = vec![SortKey::Relevance];
        Scope { object: object.clone(), filter: Filter::everything(), searched, sort, aggregates: Vec::new() }
    };
    let searched = query.scopes[0].searched.clone();
    query.scopes.push(of("company".to_owned(), &searched));
    query.scopes.extend((0..28).map(|at| of(format!("empty_{at}"), &searched)));
    query
}

/// What a picker asks.
fn suggested(text: &str) -> Query {
    let mut query = asked(text);
    query.limit = 10;
    query.scopes[0].sort.push(SortKey::Value { field: field("display_name"), is_descending: false });
    query
}

fn queries() -> Vec<(&'static str, Query)> {
    let all = || query(Filter::everything());
    let three = || {
        query(Filter::All(vec![
            texts("stage", &["negotiation"]),
            texts("source", &["web"]),
            numbers("amount", 5_000_000, 6_000_000),
        ]))
    };
    let wide =
        || query(Filter::All(vec![texts("hot", &["true"]), texts("source", &["web"]), numbers("score", 300, 400)]));
    let value = |name: &str| Group::Value(field(name));
    let sum = || vec![Measure::Sum(field("amount")), Measure::Count];
    vec![
        ("count all", all()),
        ("count enum", query(texts("stage", &["won"]))),
        ("count email", query(texts("email", &["user4711@host1.example.com"]))),
        ("count money range 10 %", query(numbers("amount", 5_000_000, 6_000_000))),
        ("count date range 20 %", query(numbers("born", 0, 3_650))),
        ("count three filters", three()),
        ("count three wide filters", wide()),
        ("count or of enums", query(texts("stage", &["won", "lost", "new"]))),
        ("count not enum", query(Filter::Not(Box::new(texts("stage", &["won"]))))),
        ("count exists", query(Filter::Exists(field("born")))),
        ("count not exists", query(Filter::Not(Box::new(Filter::Exists(field("born")))))),
        ("count starts with", query(Filter::Is(field("last_name"), Test::StartsWith("name1".to_owned())))),
        ("three filters, sort by date", sorted(three(), by("seen"))),
        ("three wide filters, sort by date", sorted(wide(), by("seen"))),
        ("three filters, sort by text", sorted(three(), by("last_name"))),
        ("enum, sort by date", sorted(query(texts("stage", &["won"])), by("seen"))),
        ("all, sort by date", sorted(all(), by("seen"))),
        ("all, sort by sparse date", sorted(all(), by("born"))),
        ("all, sort by text", sorted(all(), by("last_name"))),
        ("all, sort by id", sorted(all(), SortKey::Id { is_descending: false })),
        ("group by enum, sum", grouped(all(), vec![value("stage")], sum())),
        ("group by owner, sum", grouped(all(), vec![value("owner")], sum())),
        ("group by company, sum", grouped(all(), vec![value("company")], sum())),
        ("group by tags, sum", grouped(all(), vec![value("tags")], sum())),
        ("group by owner and stage, sum", grouped(all(), vec![value("owner"), value("stage")], sum())),
        ("group by month, sum", grouped(all(), vec![month()], sum())),
        ("group by enum, sum, three filters", grouped(three(), vec![value("stage")], sum())),
        ("sum", grouped(all(), Vec::new(), vec![Measure::Sum(field("amount"))])),
        (
            "percentiles",
            grouped(all(), Vec::new(), vec![Measure::Percentiles(field("amount"), vec![("95".to_owned(), 95.0)])]),
        ),
        ("distinct companies", grouped(all(), Vec::new(), vec![Measure::CountDistinct(field("company"))])),
        ("distinct emails", grouped(all(), Vec::new(), vec![Measure::CountDistinct(field("email"))])),
        ("words: one common", asked("ada")),
        ("words: two", asked("ada name1234")),
        ("words: common and beginning", asked("ada na")),
        ("words: a letter", asked("a")),
        ("words: two letters", asked("us")),
        ("words: rare", asked("user4711@host1.example.com")),
        ("words everywhere: one of all", everywhere("met")),
        ("words everywhere: one common", everywhere("ada")),
        ("words everywhere: two", everywhere("grace name1234")),
        ("words everywhere: rare", everywhere("name1234")),
        ("suggestions", suggested("grace na")),
    ]
}

fn month() -> Group {
    Group::Calendar { field: field("seen"), every: Every::Month, zone: chrono_tz::Europe::Paris }
}

fn measure(view: &View, name: &str, query: &Query) {
    let mut times: Vec<Duration> = Vec::new();
    let mut total = 0;
    let limits = Limits { time: Duration::from_secs(60), memory_bytes: 1 << 30 };
    let began = Instant::now();
    while times.len() < 5 || (began.elapsed() < Duration::from_millis(300) && times.len() < 200) {
        let start = Instant::now();
        total = view.search(query, limits).unwrap().total.unwrap_or_default();
        times.push(start.elapsed());
    }
    times.sort_unstable();
    println!("{name:40} {total:>9} hits  p50 {:>9.3} ms", times[times.len() / 2].as_secs_f64() * 1_000.0);
}
