//! Pipelines: moving through gates and over transitions, places on a board, and many people at one board at once.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use futures::future::join_all;
use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};
use serde_json::{Value, json};
use tests::{Client, Tenant, TestServer};

use crate::fixture::{Silence, changes_after, create, create_id, define, id, kinds, results, sequence};

/// `job`: begun, then checked or on hold, then done or dropped.
async fn define_jobs(tenant: &Client) {
    let properties = json!({
        "name": {"type": "string"}, "price": {"type": "money", "currency_property": "currency"},
        "fee": {"type": "money", "currency": "CHF"}, "currency": {"type": "string"}, "checked_on": {"type": "date"},
        "crew": {"type": "string"}, "secret": {"type": "money", "currency": "EUR", "sensitive": true},
    });
    define(tenant, json!({"name": "job", "plural": "duties", "display": "{{ name }}", "properties": properties})).await;
    let pipeline = json!({
        "name": "work", "label": "Work", "default": true,
        "categories": {"paused": {"label": "Paused"}, "void": {"label": "Void", "ended": true}},
        "defaults": {"crew": "north"},
        "stages": [
            {"name": "begun", "label": "Begun", "probability": 20},
            {"name": "checked", "requires": ["price", "checked_on"], "probability": 60, "color": "blue",
                "rules": [{"rule": "price > 10", "message": "Too cheap.", "at": "price"}]},
            {"name": "held", "type": "paused"}, {"name": "done", "type": "won"}, {"name": "dropped", "type": "void"}],
        "transitions": {"begun": ["checked", "held", "dropped"], "checked": ["held", "done", "begun"],
            "held": ["checked", "begun"]},
    });
    tenant.post("/pipelines/job", &pipeline).await.ok(201);
    let second = json!({"name": "small", "stages": [{"name": "one"}, {"name": "two"}]});
    tenant.post("/pipelines/job", &second).await.ok(201);
}

async fn move_to(tenant: &Client, id: &str, body: Value) -> tests::Response {
    tenant.put(&format!("/records/job/{id}/stage"), &body).await
}

async fn board(tenant: &Client, rest: &str) -> Value {
    tenant.get(&format!("/pipelines/job/work/board?{rest}")).await.ok(200)
}

/// The names of the records of each column, in order.
fn names(board: &Value) -> BTreeMap<String, Vec<String>> {
    let columns = board["columns"].as_array().unwrap().iter();
    let names = |column: &Value| {
        let records = results(column).iter();
        records.map(|record| record["properties"]["name"].as_str().unwrap_or_default().to_owned()).collect()
    };
    columns.map(|column| (column["stage"].as_str().unwrap().to_owned(), names(column))).collect()
}

async fn moves_ask_for_what_is_missing_and_are_told(server: TestServer) {
    let tenant = server.tenant("generic").await;
    define_jobs(&tenant).await;
    let made = create(&tenant, "job", json!({"name": "A"})).await;
    assert_eq!(made["properties"], json!({"name": "A", "crew": "north", "pipeline": "work", "stage": "begun"}));
    let own = create(&tenant, "job", json!({"name": "B", "crew": "south", "pipeline": "small"})).await;
    assert_eq!(own["properties"], json!({"name": "B", "crew": "south", "pipeline": "small", "stage": "one"}));
    let job = id(&made);
    let quiet = Silence::begins(&tenant).await;
    let refused = move_to(&tenant, &job, json!({"stage": "checked"})).await.problem(422, "validation_failed");
    let missing = |name: &str| (format!("/properties/{name}"), "required".to_owned());
    assert_eq!(refused.errors(), [missing("price"), missing("checked_on")]);
    let cheap = json!({"stage": "checked", "properties": {"price": "5", "checked_on": "2026-01-31"}});
    let refused = move_to(&tenant, &job, cheap).await.problem(422, "validation_failed");
    assert_eq!(refused.errors(), [("/properties/price".to_owned(), "rule".to_owned())]);
    let refused = move_to(&tenant, &job, json!({"stage": "done"})).await.problem(409, "conflict");
    assert_eq!(refused.errors(), [("/stage".to_owned(), "transition".to_owned())]);
    assert!(refused.words().contains("`checked`, `held` or `dropped`"), "{}", refused.words());
    // Where it is already.
    let same = move_to(&tenant, &job, json!({"stage": "begun"})).await.ok(200);
    assert_eq!(same["version"], 1);
    quiet.holds().await;
    let body =
        json!({"stage": "checked", "properties": {"price": "12.5", "currency": "EUR", "checked_on": "2026-01-31"}});
    let path = format!("/records/job/{job}/stage");
    let keyed = || tenant.put(&path, &body).header("if-match", "\"1\"").header("idempotency-key", "once");
    let moved = keyed().await;
    assert_eq!(moved.header("etag"), "\"2\"");
    assert_eq!(moved.ok(200)["properties"]["stage"], "checked");
    let again = keyed().await;
    assert_eq!((again.header("idempotent-replayed"), again.ok(200)), ("true", moved.json()));
    tenant.put(&path, &json!({"stage": "held"})).header("if-match", "\"1\"").await.problem(412, "version_mismatch");
    let changes = quiet.broken_by().await;
    assert_eq!(kinds(&changes), ["record.updated", "stage.changed"]);
    assert_eq!(changes[1]["changes"], json!({"stage": ["begun", "checked"]}));
    assert!(changes[1]["seconds"].as_i64().is_some_and(|seconds| (0..60).contains(&seconds)), "{}", changes[1]);
    assert_eq!(changes[0].get("seconds"), None);
    let away = json!({"pipeline": "small", "stage": "two"});
    move_to(&tenant, &job, away).await.ok(200);
    let stages = format!("/records/job/{job}/stages");
    let first = tenant.get(&format!("{stages}?limit=2")).await.ok(200);
    let second = tenant.get(&format!("{stages}?cursor={}", first["next_cursor"].as_str().unwrap())).await.ok(200);
    assert_eq!(second["next_cursor"], Value::Null);
    let all: Vec<&Value> = results(&first).iter().chain(results(&second)).collect();
    let told: Vec<_> =
        all.iter().map(|stay| (stay["pipeline"].as_str().unwrap(), stay["stage"].as_str().unwrap())).collect();
    assert_eq!(told, [("small", "two"), ("work", "checked"), ("work", "begun")]);
    assert_eq!((&all[0]["left_at"], &all[1]["left_at"]), (&Value::Null, &all[0]["entered_at"]));
    assert_eq!(all[2]["entered_at"], made["created_at"]);
    let elsewhere = json!({"properties": {"stage": "one"}});
    tenant.patch(&format!("/records/job/{job}"), &elsewhere).await.ok(200);
    let archived = tenant.delete(&format!("/records/job/{job}")).await;
    assert_eq!(archived.status, 204);
    move_to(&tenant, &job, json!({"stage": "two"})).await.problem(409, "conflict");
    let shown = tenant.get("/pipelines/job/work?locale=de").await.ok(200);
    assert_eq!(shown["categories"]["void"], json!({"label": "Void", "ended": true}));
    assert_eq!(shown["defaults"], json!({"crew": "north"}));
    let wrong = json!({"defaults": {"crw": 1, "price": "x", "stage": "done"}, "stages": {"held": {"type": "pausd"}}});
    let refused = tenant.patch("/pipelines/job/work", &wrong).await.problem(422, "validation_failed");
    assert_eq!(refused.pointers(), ["/stages/held/type", "/defaults/crw", "/defaults/price", "/defaults/stage"]);
    let uses = tenant.get("/object-definitions/job/properties/crew/uses").await.ok(200);
    assert_eq!(results(&uses).len(), 1);
    assert_eq!((&results(&uses)[0]["kind"], &results(&uses)[0]["name"]), (&json!("pipeline"), &json!("job.work")));
    let exported = tenant.get("/packs/export?object=job").await;
    assert_eq!(exported.status, 200, "{}", exported.text);
    assert!(exported.text.contains("paused") && exported.text.contains("north"), "{}", exported.text);
}

async fn boards_have_their_order_counts_and_sums(server: TestServer) {
    let tenant = server.tenant("generic").await;
    define_jobs(&tenant).await;
    let mut jobs = HashMap::new();
    for (name, price, currency) in [("A", "1.10", "EUR"), ("B", "2", "USD"), ("C", "3", "EUR"), ("D", "", "")] {
        let mut properties = json!({"name": name, "fee": "1", "secret": "9"});
        if !price.is_empty() {
            (properties["price"], properties["currency"]) = (json!(price), json!(currency));
        }
        jobs.insert(name, create_id(&tenant, "job", properties).await);
    }
    create(&tenant, "job", json!({"name": "elsewhere", "pipeline": "small"})).await;
    let whole = board(&tenant, "select=name").await;
    let column = |board: &Value, stage: &str| -> Value {
        board["columns"].as_array().unwrap().iter().find(|column| column["stage"] == stage).unwrap().clone()
    };
    let begun = column(&whole, "begun");
    assert_eq!((&begun["count"], &begun["type"], &begun["probability"]), (&json!(4), &json!("open"), &json!(20)));
    assert_eq!(
        begun["sums"],
        json!({"price": {"EUR": "4.10", "USD": "2.00"}, "fee": {"CHF": "4.00"}, "secret": {"EUR": "36.00"}})
    );
    assert_eq!(column(&whole, "held")["type"], "paused");
    let stages: Vec<&str> =
        whole["columns"].as_array().unwrap().iter().map(|one| one["stage"].as_str().unwrap()).collect();
    assert_eq!(stages, ["begun", "checked", "held", "done", "dropped"]);
    assert_eq!(names(&whole)["begun"], ["A", "B", "C", "D"]);

    // A move to a place writes that record only, and says so.
    let quiet = Silence::begins(&tenant).await;
    let placed = |name: &str, after: Option<&str>| {
        let (tenant, job) = (&tenant, jobs[name].clone());
        let after = after.map(|after| jobs[after].clone());
        async move { move_to(tenant, &job, json!({"stage": "begun", "after": after})).await.ok(200) }
    };
    placed("D", None).await;
    placed("A", Some("B")).await;
    placed("C", Some("D")).await;
    assert_eq!(names(&board(&tenant, "").await)["begun"], ["D", "C", "B", "A"]);
    // Whoever stands there already stays as it is.
    placed("C", Some("D")).await;
    placed("D", None).await;
    let changes = quiet.broken_by().await;
    assert_eq!(kinds(&changes), ["record.updated"; 3]);
    assert_eq!(changes[0]["changes"].as_object().unwrap().keys().collect::<Vec<_>>(), ["rank"]);
    let searched = tenant
        .post(
            "/records/job/search",
            &json!({"sort": ["rank"], "filter": {"property": "pipeline", "op": "eq", "value": "work"}}),
        )
        .await
        .ok(200);
    let order: Vec<&str> =
        results(&searched).iter().map(|record| record["properties"]["name"].as_str().unwrap()).collect();
    assert_eq!(order, ["D", "C", "B", "A"]);
    let refused = tenant.patch(&format!("/records/job/{}", jobs["A"]), &json!({"properties": {"rank": "i1"}})).await;
    assert_eq!(
        refused.problem(422, "validation_failed").errors(),
        [("/properties/rank".to_owned(), "read_only".to_owned())]
    );
    let refused = move_to(&tenant, &jobs["A"], json!({"stage": "held", "after": jobs["B"]})).await;
    assert_eq!(refused.problem(422, "validation_failed").pointers(), ["/after"]);

    // Pages of a column, in any order.
    let page = board(&tenant, "limit=3&stage=begun").await;
    assert_eq!(names(&page)["begun"], ["D", "C", "B"]);
    let cursor = column(&page, "begun")["next_cursor"].as_str().unwrap().to_owned();
    let rest = board(&tenant, &format!("limit=3&stage=begun&cursor={cursor}")).await;
    assert_eq!(
        (names(&rest)["begun"].clone(), &column(&rest, "begun")["next_cursor"]),
        (vec!["A".to_owned()], &Value::Null)
    );
    let other = tenant.get(&format!("/pipelines/job/work/board?stage=held&cursor={cursor}")).await;
    assert_eq!(other.problem(400, "bad_request").pointers(), ["/cursor"]);
    let filter = r#"{"property":"currency","op":"eq","value":"eur"}"#;
    let found = board(&tenant, &format!("filter={filter}&sort=-price&sum=price")).await;
    assert_eq!(names(&found)["begun"], ["C", "A"]);
    assert_eq!(column(&found, "begun")["sums"], json!({"price": {"EUR": "4.10"}}));
    assert_eq!(names(&board(&tenant, "filter=price>2&q=c").await)["begun"], ["C"]);
    assert_eq!(names(&board(&tenant, "limit=0").await)["begun"], [""; 0]);

    // What somebody may not see is in nothing.
    let (member, _) = tenant.user("eve", "member").await;
    let seen = column(&board(&member, "").await, "begun");
    assert_eq!(seen["sums"], json!({"price": {"EUR": "4.10", "USD": "2.00"}, "fee": {"CHF": "4.00"}}));
    let hidden = member.get("/pipelines/job/work/board?sum=secret").await.problem(400, "bad_request");
    assert_eq!(hidden.pointers(), ["/sum"]);

    // A stage that is archived is shown as long as records are in it.
    move_to(&tenant, &jobs["B"], json!({"stage": "held"})).await.ok(200);
    tenant
        .patch("/pipelines/job/work", &json!({"stages": {"held": {"archived": true}, "dropped": {"archived": true}}}))
        .await
        .ok(200);
    let left = board(&tenant, "").await;
    let stages: Vec<&str> =
        left["columns"].as_array().unwrap().iter().map(|one| one["stage"].as_str().unwrap()).collect();
    assert_eq!(stages, ["begun", "checked", "held", "done"]);
    assert_eq!(
        (names(&left)["held"].clone(), &column(&left, "held")["archived"]),
        (vec!["B".to_owned()], &json!(true))
    );
    // The place goes with it, and records that were there before ranks were thought of have theirs.
    move_to(&tenant, &jobs["B"], json!({"stage": "begun", "after": jobs["D"]})).await.ok(200);
    assert_eq!(names(&board(&tenant, "").await)["begun"], ["D", "B", "C", "A"]);
}

/// Where a record was to go, and what was answered.
struct Asked {
    job: String,
    to: String,
    status: u16,
    request: String,
}

async fn many_people_move_records_on_one_board(server: TestServer) {
    const PEOPLE: u64 = 64;
    const JOBS: usize = 40;
    const MOVES: usize = 12;
    let tenant = server.tenant("generic").await;
    define_jobs(&tenant).await;
    let price = json!({"name": "J", "price": "20", "currency": "EUR", "checked_on": "2026-01-31"});
    let jobs: Vec<String> = join_all((0..JOBS).map(|_| create_id(&tenant, "job", price.clone()))).await;
    let quiet = Silence::begins(&tenant).await;
    let people = (0..PEOPLE).map(|person| move_about(&tenant, &jobs, person, MOVES));
    let all: Vec<Asked> = join_all(people).await.into_iter().flatten().collect();
    let changes = quiet.broken_by().await;
    let told: Vec<&Value> = changes.iter().filter(|change| change["kind"] == "stage.changed").collect();

    // Each record's stages form an unbroken chain of moves that are allowed.
    let allowed: BTreeMap<&str, Vec<&str>> = BTreeMap::from([
        ("begun", vec!["checked", "held", "dropped"]),
        ("checked", vec!["held", "done", "begun"]),
        ("held", vec!["checked", "begun"]),
    ]);
    let mut stages: BTreeMap<&str, &str> = jobs.iter().map(|job| (job.as_str(), "begun")).collect();
    for change in &told {
        let pair = &change["changes"]["stage"];
        let (old, new) = (pair[0].as_str().unwrap(), pair[1].as_str().unwrap());
        assert_eq!(stages.insert(change["record_id"].as_str().unwrap(), new), Some(old), "{change}");
        assert!(allowed[old].contains(&new), "{change}");
        assert!(change["seconds"].is_i64(), "{change}");
    }
    // Every change is one move that was answered, and what was refused has changed nothing.
    let answered: HashMap<&str, &Asked> = all.iter().map(|asked| (asked.request.as_str(), asked)).collect();
    assert_eq!(answered.len(), all.len());
    let mut moved = BTreeSet::new();
    for change in &changes {
        let asked = answered[change["request_id"].as_str().unwrap()];
        assert_eq!((asked.status, change["record_id"].as_str()), (200, Some(asked.job.as_str())), "{change}");
        if change["kind"] == "stage.changed" {
            assert_eq!(change["changes"]["stage"][1], asked.to, "{change}");
            assert!(moved.insert(&asked.request), "a move was applied twice: {change}");
        }
    }
    assert!(all.iter().all(|asked| [200, 409].contains(&asked.status)));
    assert!(all.iter().any(|asked| asked.status == 409) && told.len() > JOBS, "{}", told.len());
    // The board counts what the log tells, and has each record once, in one order.
    let mut counts: BTreeMap<&str, i64> = BTreeMap::new();
    stages.values().for_each(|stage| *counts.entry(stage).or_default() += 1);
    let whole = board(&tenant, "limit=200").await;
    let mut seen = Vec::new();
    for column in whole["columns"].as_array().unwrap() {
        let stage = column["stage"].as_str().unwrap();
        assert_eq!(column["count"], counts.get(stage).copied().unwrap_or_default(), "{stage}");
        let ids: Vec<String> = results(column).iter().map(id).collect();
        assert!(ids.iter().all(|id| stages[id.as_str()] == stage), "{stage}");
        seen.extend(ids);
        let ranks: Vec<&str> = results(column).iter().filter_map(|one| one["properties"]["rank"].as_str()).collect();
        assert!(ranks.windows(2).all(|pair| pair[0] < pair[1]), "{ranks:?}");
    }
    seen.sort_unstable();
    let mut expected = jobs.clone();
    expected.sort_unstable();
    assert_eq!(seen, expected);
    for job in jobs.iter().take(5) {
        let stays = tenant.get(&format!("/records/job/{job}/stages?limit=200")).await.ok(200);
        let moved = told.iter().filter(|change| change["record_id"] == json!(job)).count();
        assert_eq!(results(&stays).len(), moved + 1);
    }
}

/// Moves records at random, some of them to a place.
async fn move_about(tenant: &Tenant, jobs: &[String], person: u64, times: usize) -> Vec<Asked> {
    let mut random = StdRng::seed_from_u64(person);
    let mut all = Vec::with_capacity(times);
    for _ in 0..times {
        let job = jobs[random.random_range(0..jobs.len())].clone();
        let to = ["begun", "checked", "held", "begun", "checked", "held", "done", "dropped"][random.random_range(0..8)];
        let mut body = json!({"stage": to});
        if random.random_range(0..4) == 0 {
            body["after"] = Value::Null;
        }
        let reply = move_to(tenant, &job, body).await;
        let request = reply.header("x-request-id").to_owned();
        all.push(Asked { job, to: to.to_owned(), status: reply.status, request });
    }
    all
}

/// What is to come and what has been, as far as moments do not matter; those are for tests with a clock of their own.
async fn reports_count_what_was_moved(server: TestServer) {
    let tenant = server.tenant("generic").await;
    define_jobs(&tenant).await;
    let mut jobs = Vec::new();
    for (price, due) in [("100", "2031-01-05"), ("50.05", "2031-01-31"), ("20", "2031-02-01"), ("11", "")] {
        let mut properties = json!({"name": "J", "price": price, "currency": "EUR", "crew": "x"});
        if !due.is_empty() {
            properties["checked_on"] = json!(due);
        }
        jobs.push(create_id(&tenant, "job", properties).await);
    }
    move_to(&tenant, &jobs[0], json!({"stage": "checked"})).await.ok(200);
    let report = async |client: &Client, rest: &str| -> Value {
        client.get(&format!("/pipelines/job/work/report/{rest}")).await.ok(200)
    };
    let row = |period: Value, amount: &str, weighted: &str, count: u64| json!({"period": period, "currency": "EUR", "amount": amount, "weighted": weighted, "count": count});
    let forecast = report(&tenant, "forecast").await;
    let expected = [
        row(json!("2031-01-01"), "150.05", "70.01", 2),
        row(json!("2031-02-01"), "20.00", "4.00", 1),
        row(Value::Null, "11.00", "2.20", 1),
    ];
    assert_eq!(results(&forecast), &expected);
    let bounded = report(&tenant, "forecast?from=2031-01-31&to=2031-02-28&filter=price<100").await;
    assert_eq!(results(&bounded), &[row(json!("2031-01-01"), "50.05", "10.01", 1), expected[1].clone()]);

    for job in [&jobs[0], &jobs[1]] {
        move_to(&tenant, job, json!({"stage": "checked"})).await.ok(200);
        move_to(&tenant, job, json!({"stage": "done"})).await.ok(200);
    }
    move_to(&tenant, &jobs[2], json!({"stage": "dropped"})).await.ok(200);
    let years = "from=2020-01-01&to=2999-12-31&every=year";
    assert_eq!(tenant.get(&format!("/pipelines/job/work/report/velocity?{years}")).await.status, 400);
    let years = "from=2020-01-01&to=2119-12-31&every=year";
    let happened = |report: &Value, is_empty: &dyn Fn(&Value) -> bool| -> Vec<Value> {
        results(report).iter().filter(|row| !is_empty(row)).cloned().collect()
    };
    let nothing = |row: &Value| row["win_rate"].is_null() && row["won"] == 0;
    let rates = happened(&report(&tenant, &format!("win_rate?{years}")).await, &nothing);
    assert_eq!(rates.len(), 1);
    assert_eq!((&rates[0]["won"], &rates[0]["lost"], &rates[0]["win_rate"]), (&json!(2), &json!(0), &json!("1")));
    let converted = report(&tenant, &format!("conversion?{years}")).await;
    let told: Vec<Value> = results(&converted)
        .iter()
        .map(|row| json!([row["stage"], row["entered"], row["advanced"], row["won"], row["win_rate"]]))
        .collect();
    assert_eq!(told, [json!(["begun", 4, 2, 2, "0.5"]), json!(["checked", 2, 2, 2, "1"])]);
    let counts = |report: &Value| -> Vec<Value> {
        results(report).iter().map(|row| json!([row["stage"], row["count"]])).collect()
    };
    let velocity = report(&tenant, &format!("velocity?{years}")).await;
    assert_eq!(counts(&velocity), [json!(["begun", 3]), json!(["checked", 2]), json!([null, 2])]);
    let position: u64 = velocity["sequence"].as_str().unwrap().parse().unwrap();
    assert_eq!(position, changes_after(&tenant, 0).await.last().map_or(0, sequence));
    let filtered = report(&tenant, &format!("velocity?{years}&filter=price>60")).await;
    assert_eq!(counts(&filtered), [json!(["begun", 1]), json!(["checked", 1]), json!([null, 1])]);

    // What is archived, merged or purged counts no more, and again once it is back.
    tenant.post(&format!("/records/job/{}/merge", jobs[1]), &json!({"from": [jobs[0]]})).await.ok(200);
    tenant.delete(&format!("/records/job/{}?purge=true", jobs[2])).await;
    let fewer = report(&tenant, &format!("velocity?{years}")).await;
    assert_eq!(counts(&fewer), [json!(["begun", 1]), json!(["checked", 1]), json!([null, 1])]);
    tenant.post(&format!("/records/job/{}/unmerge", jobs[1]), &json!({"id": jobs[0]})).await.ok(200);
    let back = report(&tenant, &format!("velocity?{years}")).await;
    assert_eq!(counts(&back), [json!(["begun", 2]), json!(["checked", 2]), json!([null, 2])]);
}

/// Whoever goes round by another pipeline comes past no gate and no forbidden move.
async fn a_record_enters_another_pipeline_where_new_ones_start(server: TestServer) {
    let tenant = server.tenant("generic").await;
    define_jobs(&tenant).await;
    let rich = json!({"name": "A", "price": "20", "currency": "EUR", "checked_on": "2026-01-31"});
    let job = create_id(&tenant, "job", rich).await;
    let path = format!("/records/job/{job}");
    move_to(&tenant, &job, json!({"stage": "done"})).await.problem(409, "conflict");
    // Any stage may be left, and a pipeline without transitions is entered anywhere.
    move_to(&tenant, &job, json!({"pipeline": "small", "stage": "two"})).await.ok(200);
    let quiet = Silence::begins(&tenant).await;
    for stage in ["checked", "held", "done", "dropped"] {
        let refused = move_to(&tenant, &job, json!({"pipeline": "work", "stage": stage})).await;
        let refused = refused.problem(409, "conflict");
        assert_eq!(refused.errors(), [("/stage".to_owned(), "transition".to_owned())], "{stage}");
        let words =
            format!("enters `work` in the stage `begun`, as a new one does; move it on to `{stage}` from there");
        assert!(refused.words().contains(&words), "{}", refused.words());
        let patch = json!({"properties": {"pipeline": "work", "stage": stage}});
        let refused = tenant.patch(&path, &patch).await.problem(409, "conflict");
        assert_eq!(refused.errors(), [("/properties/stage".to_owned(), "transition".to_owned())], "{stage}");
    }
    let inputs = json!({"inputs": [{"id": job, "properties": {"pipeline": "work", "stage": "done"}}]});
    let batch = tenant.post("/records/job/batch/update", &inputs).await.ok(207);
    assert_eq!(results(&batch)[0]["status"], 409);
    quiet.holds().await;
    // Without a stage it is where new records start.
    let entered = tenant.patch(&path, &json!({"properties": {"pipeline": "work"}})).await.ok(200);
    assert_eq!(entered["properties"]["stage"], "begun");
    move_to(&tenant, &job, json!({"stage": "checked"})).await.ok(200);
    move_to(&tenant, &job, json!({"pipeline": "small", "stage": "one"})).await.ok(200);
    move_to(&tenant, &job, json!({"pipeline": "work", "stage": "begun"})).await.ok(200);
    // The gate of the stage that is entered holds.
    let gate = json!({"stages": {"begun": {"requires": ["crew"]}}});
    tenant.patch("/pipelines/job/work", &gate).await.ok(200);
    let other = create_id(&tenant, "job", json!({"name": "B", "pipeline": "small"})).await;
    let refused = move_to(&tenant, &other, json!({"pipeline": "work", "stage": "begun"})).await;
    let missing = ("/properties/crew".to_owned(), "required".to_owned());
    assert_eq!(refused.problem(422, "validation_failed").errors(), [missing]);
    let with = json!({"pipeline": "work", "stage": "begun", "properties": {"crew": "north"}});
    move_to(&tenant, &other, with).await.ok(200);
    // New records may be made in any stage, as imports make them.
    create(&tenant, "job", json!({"name": "C", "stage": "held"})).await;
    // What is archived says so.
    tenant.patch("/pipelines/job/work", &json!({"stages": {"held": {"archived": true}}})).await.ok(200);
    let refused = move_to(&tenant, &other, json!({"stage": "held"})).await.problem(422, "validation_failed");
    assert_eq!(refused.errors(), [("/stage".to_owned(), "archived_option".to_owned())]);
    let words = "the stage `held` of the pipeline `work` is archived, so no record enters it; there are `begun`";
    assert!(refused.words().contains(words), "{}", refused.words());
    let refused = tenant.patch(&format!("/records/job/{other}"), &json!({"properties": {"stage": "held"}})).await;
    let expected = [("/properties/stage".to_owned(), "archived_option".to_owned())];
    assert_eq!(refused.problem(422, "validation_failed").errors(), expected);
}

async fn a_pipeline_with_records_in_it_stays_the_last_one_too(server: TestServer) {
    let tenant = server.tenant("generic").await;
    define_jobs(&tenant).await;
    let job = create_id(&tenant, "job", json!({"name": "A"})).await;
    let refuses = async |pipeline: &str| {
        let refused = tenant.delete(&format!("/pipelines/job/{pipeline}")).await;
        let refused = refused.problem(409, "records_in_the_way");
        assert_eq!(refused.errors(), [(String::new(), "records_in_the_way".to_owned())]);
        assert_eq!(
            (&refused.body["errors"][0]["count"], &refused.body["errors"][0]["samples"]),
            (&json!(1), &json!([job]))
        );
        refused.words()
    };
    assert!(!refuses("work").await.contains("archived"));
    tenant.delete("/pipelines/job/small").await.ok(204);
    refuses("work").await;
    tenant.delete(&format!("/records/job/{job}")).await.ok(204);
    let words = refuses("work").await;
    assert!(words.contains("(1 archived, listed with `?archived=true`)"), "{words}");
    tenant.post(&format!("/records/job/{job}/restore"), &json!({})).await.ok(200);
    assert_eq!(tenant.get(&format!("/records/job/{job}")).await.ok(200)["properties"]["stage"], "begun");
    // It goes once no record is in it, and comes back.
    tenant.delete(&format!("/records/job/{job}?purge=true")).await.ok(204);
    tenant.delete("/pipelines/job/work").await.ok(204);
    let made = create(&tenant, "job", json!({"name": "B"})).await;
    assert_eq!(made["properties"].get("stage"), None);
    tenant.post("/pipelines/job/work/restore", &json!({})).await.ok(200);
    move_to(&tenant, &id(&made), json!({"stage": "done"})).await.ok(200);
}

async fn who_may_not_change_the_stage_learns_nothing_of_it(server: TestServer) {
    let tenant = server.tenant("generic").await;
    define_jobs(&tenant).await;
    let all = json!({"create": true, "read": "all", "update": "all", "archive": "all"});
    let role = |name: &str, read: bool| json!({"name": name, "label": name, "objects": {"*": all}, "properties": {"job.stage": {"read": read, "write": false}}});
    let job = create_id(&tenant, "job", json!({"name": "A"})).await;
    let other = create_id(&tenant, "job", json!({"name": "B"})).await;
    move_to(&tenant, &other, json!({"stage": "held"})).await.ok(200);
    for (name, read) in [("blind", false), ("fixed", true)] {
        tenant.post("/roles", &role(name, read)).await.ok(201);
        let (caller, _) = tenant.user(name, name).await;
        let mut told = Vec::new();
        for record in [&job, &other] {
            for stage in ["checked", "held", "done"] {
                let refused = move_to(&caller, record, json!({"stage": stage})).await.problem(403, "forbidden");
                assert_eq!(refused.errors(), [("/stage".to_owned(), "forbidden".to_owned())]);
                told.push(refused.words());
            }
        }
        assert!(told.iter().all(|words| *words == told[0]), "{told:?}");
        // Another pipeline is another stage.
        let around = json!({"properties": {"pipeline": "small"}});
        let refused = caller.patch(&format!("/records/job/{job}"), &around).await.problem(403, "forbidden");
        assert_eq!(refused.errors(), [("/properties/pipeline".to_owned(), "forbidden".to_owned())]);
    }
    assert_eq!(tenant.get(&format!("/records/job/{job}")).await.ok(200)["properties"]["stage"], "begun");
}

async fn a_pipeline_keeps_a_stage(server: TestServer) {
    let tenant = server.tenant("generic").await;
    define_jobs(&tenant).await;
    let stages = json!({"stages": {"one": {"archived": true}, "two": {"archived": true}}});
    let refused = tenant.patch("/pipelines/job/small", &stages).await.problem(422, "validation_failed");
    assert_eq!(refused.errors(), [("/stages".to_owned(), "required".to_owned())]);
    tenant.patch("/pipelines/job/small", &json!({"stages": {"one": {"archived": true}}})).await.ok(200);
    // One bad entry hides nothing of the others.
    let wrong = json!({"name": "p1", "stages": ["a", {"name": "b", "requires": ["nope"], "rules": [{"rule": "nope > 1"}],
        "probability": 500}, {"name": "B!"}, {"name": "b"}], "transitions": {"a": ["b"], "b": ["a", "c"]}});
    let refused = tenant.post("/pipelines/job", &wrong).await.problem(422, "validation_failed");
    let mut told = refused.pointers();
    told.sort();
    let expected = [
        "/stages/0",
        "/stages/1/probability",
        "/stages/1/requires",
        "/stages/1/rules/0/rule",
        "/stages/2/name",
        "/stages/3/name",
        "/transitions/b/1",
    ];
    assert_eq!(told, expected);
}

async fn a_stage_asks_for_nothing_that_is_archived(server: TestServer) {
    let tenant = server.tenant("generic").await;
    define_jobs(&tenant).await;
    let job = create_id(&tenant, "job", json!({"name": "A"})).await;
    move_to(&tenant, &job, json!({"stage": "checked"})).await.problem(422, "validation_failed");
    tenant.delete("/object-definitions/job/properties/price").await.ok(204);
    let refused = move_to(&tenant, &job, json!({"stage": "checked"})).await.problem(422, "validation_failed");
    assert_eq!(refused.pointers(), ["/properties/checked_on"]);
    move_to(&tenant, &job, json!({"stage": "checked", "properties": {"checked_on": "2026-01-02"}})).await.ok(200);
}

scenarios![
    a_pipeline_keeps_a_stage,
    who_may_not_change_the_stage_learns_nothing_of_it,
    a_stage_asks_for_nothing_that_is_archived,
    a_record_enters_another_pipeline_where_new_ones_start,
    a_pipeline_with_records_in_it_stays_the_last_one_too,
    moves_ask_for_what_is_missing_and_are_told,
    boards_have_their_order_counts_and_sums,
    many_people_move_records_on_one_board,
    reports_count_what_was_moved,
];
