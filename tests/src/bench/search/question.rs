//! What is asked of the large tenant: each question as it is sent, what its answer must be, and the same in SQL.

use serde_json::{Value, json};

use super::ground::INDUSTRIES;
use super::person::{FIRST_SECOND, MOST_VALUE, Person, RARE, SECONDS, moment, word};
use super::report::Times;
use super::truth::Truth;

/// Records on a page.
pub(super) const PAGE: u64 = 50;

/// A question; it is asked again and again, each turn a little differently where it can be.
#[derive(Debug)]
pub(super) struct Question {
    pub(super) name: &'static str,
    pub(super) ask: fn(u64) -> Ask,
    pub(super) target: Option<Times>,
    pub(super) truth: Truth,
    /// The same as a statement, its columns in braces: the bounds of the value are `$1` and `$2`.
    pub(super) statement: Option<&'static str>,
}

/// One request.
#[derive(Debug)]
pub(super) struct Ask {
    pub(super) method: &'static str,
    pub(super) path: String,
    pub(super) body: Value,
}

/// Where contacts are searched.
const CONTACTS: &str = "/records/contact/search";

/// Every question, in the order of the report.
pub(super) fn questions() -> Vec<Question> {
    [filters(), tables(), orders(), words(), complements(), others()].into_iter().flatten().collect()
}

fn filters() -> Vec<Question> {
    vec![
        Question {
            name: "three filters, by date, 50 records",
            ask: |turn| contacts(json!({"filter": three(turn), "sort": by_contact(), "limit": PAGE})),
            target: times(6.0, Some(30.0), Some(3.2)),
            truth: Truth::Newest(meets_three),
            statement: Some(
                "select * from {table} where {stage} = 'lead' and {lead_status} = 'contacted' \
                 and {value} between $1 and $2 order by {contacted} desc, id desc limit 50",
            ),
        },
        Question {
            name: "exact count of three filters",
            ask: |turn| contacts(counted(three(turn))),
            target: times(5.0, None, Some(1.8)),
            truth: Truth::Count(meets_three),
            statement: Some(
                "select count(*) from {table} where {stage} = 'lead' and {lead_status} = 'contacted' \
                 and {value} between $1 and $2",
            ),
        },
        Question {
            name: "exact count of one stage (39 %)",
            ask: |_| contacts(counted(is("lifecycle_stage", "eq", json!("lead")))),
            target: times(5.0, None, None),
            truth: Truth::Count(|person, _| person.stage == "lead"),
            statement: Some("select count(*) from {table} where {stage} = 'lead'"),
        },
        Question {
            name: "exact count of a fifth of the dates",
            ask: |turn| {
                let (from, to) = fifth(turn);
                contacts(counted(is("last_contacted_at", "between", json!([moment(from), moment(to)]))))
            },
            target: times(5.0, None, None),
            truth: Truth::Count(|person, turn| (fifth(turn).0..=fifth(turn).1).contains(&person.contacted)),
            statement: None,
        },
        Question {
            name: "one by its e-mail",
            ask: |turn| {
                let email = super::super::contact::email(turn);
                contacts(json!({"filter": is("email", "eq", json!(email))}))
            },
            target: None,
            truth: Truth::Count(|person, turn| person.number == turn),
            statement: None,
        },
    ]
}

fn tables() -> Vec<Question> {
    vec![
        Question {
            name: "sums by stage, of all",
            ask: |_| contacts(json!({"limit": 0, "aggregate": {"by": sums(json!("lifecycle_stage"))}})),
            target: times(12.0, None, Some(5.3)),
            truth: Truth::Sums(|_, _| true),
            statement: Some("select {stage}, sum({value})::text, count(*) from {table} group by 1"),
        },
        Question {
            name: "sums by stage, of three filters",
            ask: |turn| {
                let by = sums(json!("lifecycle_stage"));
                contacts(json!({"filter": three(turn), "limit": 0, "aggregate": {"by": by}}))
            },
            target: times(12.0, None, None),
            truth: Truth::Sums(meets_three),
            statement: Some(
                "select {stage}, sum({value})::text, count(*) from {table} where {stage} = 'lead' \
                 and {lead_status} = 'contacted' and {value} between $1 and $2 group by 1",
            ),
        },
        Question {
            name: "sums by month, of all",
            ask: |_| {
                let by = sums(json!({"date": "last_contacted_at", "every": "month"}));
                contacts(json!({"limit": 0, "aggregate": {"by": by}}))
            },
            target: None,
            truth: Truth::Unknown,
            statement: None,
        },
    ]
}

fn orders() -> Vec<Question> {
    vec![
        Question {
            name: "by date, of all, 50 records",
            ask: |_| contacts(json!({"sort": by_contact(), "limit": PAGE})),
            target: None,
            truth: Truth::Newest(|_, _| true),
            statement: Some("select * from {table} order by {contacted} desc, id desc limit 50"),
        },
        Question {
            name: "by employer (text), of all, 50 records",
            ask: |_| contacts(json!({"sort": [{"property": "employer"}], "limit": PAGE})),
            target: None,
            truth: Truth::Unknown,
            statement: None,
        },
    ]
}

fn words() -> Vec<Question> {
    vec![
        Question {
            name: "words over everything: a common one",
            ask: |turn| everywhere(json!({"q": common(turn), "limit": PAGE})),
            target: times(8.0, None, None),
            truth: Truth::Unknown,
            statement: None,
        },
        Question {
            name: "words over everything: two, one a beginning",
            ask: |turn| {
                let last = word(20 + usize::try_from(turn % 16).unwrap_or_default());
                everywhere(json!({"q": format!("{} {}", common(turn), last.get(..4).unwrap_or(&last)), "limit": PAGE}))
            },
            target: times(8.0, None, None),
            truth: Truth::Unknown,
            statement: None,
        },
        Question {
            name: "words over everything: a rare one",
            ask: |_| everywhere(json!({"q": RARE, "limit": PAGE})),
            target: times(8.0, None, None),
            truth: Truth::Unknown,
            statement: None,
        },
    ]
}

fn complements() -> Vec<Question> {
    fn page(filter: Value) -> Ask {
        contacts(json!({"filter": filter, "sort": by_contact(), "limit": PAGE, "count": true}))
    }
    vec![
        Question {
            name: "not this stage, counted, 50 records",
            ask: |_| page(json!({"not": is("lifecycle_stage", "eq", json!("lead"))})),
            target: None,
            truth: Truth::Count(|person, _| person.stage != "lead"),
            statement: None,
        },
        Question {
            name: "has purchased, counted, 50 records",
            ask: |_| page(json!({"property": "last_purchase_at", "op": "exists"})),
            target: None,
            truth: Truth::Count(|person, _| person.has_purchased),
            statement: None,
        },
        Question {
            name: "has not purchased, counted, 50 records",
            ask: |_| page(json!({"property": "last_purchase_at", "op": "not_exists"})),
            target: None,
            truth: Truth::Count(|person, _| !person.has_purchased),
            statement: None,
        },
    ]
}

fn others() -> Vec<Question> {
    vec![
        Question {
            name: "contacts whose company does something",
            ask: |turn| {
                let industry = INDUSTRIES[usize::try_from(turn).unwrap_or_default() % INDUSTRIES.len()];
                let company = json!({"association": "contact_company", "match": is("industry", "eq", json!(industry))});
                contacts(json!({"filter": company, "sort": by_contact(), "limit": PAGE}))
            },
            target: None,
            truth: Truth::Unknown,
            statement: None,
        },
        Question {
            name: "companies with three leads or more",
            ask: |_| {
                let leads = json!({"association": "contact_company", "count": {"op": "gte", "value": 3},
                    "match": is("lifecycle_stage", "eq", json!("lead"))});
                post("/records/company/search", json!({"filter": leads, "limit": PAGE}))
            },
            target: None,
            truth: Truth::Unknown,
            statement: None,
        },
        Question {
            name: "suggestions for two beginnings",
            ask: |turn| {
                let typed = ["ada%20lo", "grace%20h", "alan%20t", "ken%20th"][usize::try_from(turn % 4).unwrap_or(0)];
                let path = format!("/records/contact/suggest?q={typed}");
                Ask { method: "GET", path, body: Value::Null }
            },
            target: None,
            truth: Truth::Unknown,
            statement: None,
        },
    ]
}

/// The bounds of the value in the three filters: a tenth of all values, another tenth each turn.
pub(super) fn bounds(turn: u64) -> (i64, i64) {
    let tenth = MOST_VALUE / 10;
    let from = i64::try_from(turn * 7_919 % 900).unwrap_or_default() * 1_000;
    (from, from + tenth)
}

fn meets_three(person: &Person, turn: u64) -> bool {
    let (from, to) = bounds(turn);
    person.stage == "lead" && person.lead_status == "contacted" && person.is_worth(from, to)
}

/// Two enumerations and a range of money: 1.4 % of all.
fn three(turn: u64) -> Value {
    let (from, to) = bounds(turn);
    json!({"all": [
        is("lifecycle_stage", "eq", json!("lead")),
        is("lead_status", "eq", json!("contacted")),
        is("customer_value", "between", json!([from.to_string(), to.to_string()])),
    ]})
}

/// A fifth of the two years, another one each turn.
fn fifth(turn: u64) -> (i64, i64) {
    let from = FIRST_SECOND + i64::try_from(turn % 70).unwrap_or_default() * 8 * 86_400;
    (from, from + SECONDS / 5)
}

/// One of the four words that most notes have.
fn common(turn: u64) -> String {
    word(usize::try_from(turn % 4).unwrap_or_default())
}

/// Latest contact first.
pub(super) fn by_contact() -> Value {
    json!([{"property": "last_contacted_at", "direction": "desc"}])
}

/// A condition of one property.
pub(super) fn is(property: &str, op: &str, value: Value) -> Value {
    json!({"property": property, "op": op, "value": value})
}

fn counted(filter: Value) -> Value {
    json!({"filter": filter, "limit": 0, "count": true})
}

fn sums(group: Value) -> Value {
    json!({"group": [group], "measures": {"n": {"count": true}, "total": {"sum": "customer_value"}}})
}

fn contacts(body: Value) -> Ask {
    post(CONTACTS, body)
}

fn everywhere(body: Value) -> Ask {
    post("/search", body)
}

fn post(path: &str, body: Value) -> Ask {
    Ask { method: "POST", path: path.to_owned(), body }
}

fn times(p50: f64, p99: Option<f64>, floor: Option<f64>) -> Option<Times> {
    Some(Times { p50, p99, floor })
}
