//! Carries a case out: first whatever is refused, which changes nothing, then what is allowed.

use reqwest::Method;
use serde_json::{Value, json};
use tests::Response;

use super::case::{API, Access, Allowed, Body, Call, Caller, Case, Denial, READER, Refused};
use super::document::{Document, Seen};
use super::world::World;
use crate::fixture::Silence;

/// Fails where the operation does anything but what its case says.
pub(super) async fn check(world: &mut World<'_>, document: &mut Document, case: &Case) {
    check_description(document, case);
    world.prepare(case).await;
    let tenant = world.tenant.clone();
    let quiet = Silence::begins(&tenant).await;
    for Allowed { access, call, .. } in &case.allowed {
        check_denials(world, document, case, *access, call).await;
    }
    let first = &case.allowed[0];
    for refused in spoilt(document, case, &first.call).iter().chain(&case.refused) {
        let reply = world.send(first.access.weakest, case, &refused.call).await;
        let problem = reply.problem(refused.status, refused.code);
        assert_eq!(problem.pointers(), refused.pointers, "{:?}: {}", refused.call, problem.body);
        document.check(&case.method, &case.path(), &Seen::of(&reply));
    }
    for (call, name) in misspelt(case, &first.call) {
        let problem = world.send(first.access.weakest, case, &call).await.problem(404, "not_found");
        assert!(problem.words().contains(&format!("`{name}`")), "no `{name}` for {call:?}: {}", problem.body);
    }
    quiet.holds().await;
    for (index, allowed) in case.allowed.iter().enumerate() {
        check_allowed(world, document, case, allowed, &format!("{} {index}", case.name())).await;
    }
}

/// The document says who may call it, what is in its path and whether it has a body.
fn check_description(document: &mut Document, case: &Case) {
    let (method, path, first) = (&case.method, case.path(), &case.allowed[0]);
    assert_eq!(document.is_public(method, &path), first.access.weakest == Caller::Anonymous);
    let segments = case.template.split('/').filter_map(|segment| segment.strip_prefix('{')?.strip_suffix('}'));
    assert_eq!(document.parameters(method, &path, "path"), segments.collect::<Vec<_>>());
    let body = match &first.call.body {
        Body::None => None,
        Body::Json(body) => Some(("application/json", Some(body))),
        Body::Text(media_type, _) => Some((*media_type, None)),
    };
    document.check_body(method, &path, body);
}

async fn check_denials(world: &mut World<'_>, document: &mut Document, case: &Case, access: Access, call: &Call) {
    if access.weakest != Caller::Anonymous {
        let reply = world.send(Caller::Anonymous, case, call).await;
        reply.problem(401, "unauthenticated");
        assert_eq!(reply.header("www-authenticate"), "Bearer");
        document.check(&case.method, &case.path(), &Seen::of(&reply));
    }
    for (caller, denial) in access.denied {
        let reply = world.send(*caller, case, call).await;
        match denial {
            Denial::Forbidden => drop(reply.problem(403, "forbidden")),
            Denial::Hidden => drop(reply.problem(404, "not_found")),
            Denial::Each(status, code) => {
                for result in reply.ok(207)["results"].as_array().unwrap() {
                    assert_eq!((&result["status"], &result["error"]["code"]), (&json!(status), &json!(code)));
                }
            }
        }
        document.check(&case.method, &case.path(), &Seen::of(&reply));
    }
}

/// What every operation refuses: a parameter that it does not know, a body that is none, a path that leads nowhere.
fn spoilt(document: &Document, case: &Case, call: &Call) -> Vec<Refused> {
    let mut all = Vec::new();
    let mut refuse = |call, status, code, pointers: &[&'static str]| {
        all.push(Refused { call, status, code, pointers: pointers.to_vec() });
    };
    if case.base == API {
        refuse(call.with_parameter("nonsense", "1"), 400, "bad_request", &["/nonsense"]);
    }
    if let Body::Json(Value::Object(body)) = &call.body {
        refuse(call.clone().text("application/json", "{"), 400, "bad_request", &[]);
        refuse(call.clone().text("text/plain", "{}"), 415, "unsupported_media_type", &[]);
        refuse(call.clone().json(json!([])), 422, "validation_failed", &[""]);
        // Null is absent: of what is declared, nothing is unknown. In a patch it takes away, which some members refuse.
        let mut body = body.clone();
        let members = document.members(&case.method, &case.path());
        for name in members.into_iter().filter(|_| case.method != Method::PATCH) {
            body.entry(name).or_insert(Value::Null);
        }
        body.insert("nonsense".to_owned(), json!(1));
        refuse(call.clone().json(Value::Object(body)), 422, "validation_failed", &["/nonsense"]);
    }
    for (name, value) in segments(case, call) {
        let nowhere = if is_name(name) { "nonsense" } else { "999999999" };
        refuse(replaced(call, &value, nowhere), 404, "not_found", &[]);
    }
    all
}

/// Calls with a name in the path that lacks its last letter, and the name.
fn misspelt(case: &Case, call: &Call) -> Vec<(Call, String)> {
    // What is archived is not suggested.
    if case.template.ends_with("/restore") {
        return Vec::new();
    }
    let names = segments(case, call).into_iter().filter(|(name, _)| is_name(name));
    names.map(|(_, value)| (replaced(call, &value, &value[..value.len() - 1]), value)).collect()
}

/// What stands in the call's path for each `{name}` of the template.
fn segments<'a>(case: &'a Case, call: &Call) -> Vec<(&'a str, String)> {
    let path = call.path.split('?').next().unwrap_or_default();
    let pairs = case.template.split('/').zip(path.split('/'));
    let named = pairs.filter_map(|(name, value)| Some((name.strip_prefix('{')?.strip_suffix('}')?, value.to_owned())));
    named.collect()
}

/// Whether the segment is a name, to which there is a nearest one, rather than an id.
fn is_name(segment: &str) -> bool {
    !matches!(segment, "id" | "to" | "record" | "criterion")
}

fn replaced(call: &Call, segment: &str, by: &str) -> Call {
    Call { path: call.path.replacen(&format!("/{segment}"), &format!("/{by}"), 1), ..call.clone() }
}

async fn check_allowed(world: &mut World<'_>, document: &mut Document, case: &Case, allowed: &Allowed, key: &str) {
    let Allowed { access, call, status, shape } = allowed;
    let mut call = call.clone();
    // An empty parameter is an absent one: what is declared is taken.
    for name in document.parameters(&case.method, &case.path(), "query") {
        if !call.path.contains(&format!("{name}=")) {
            call = call.with_parameter(name, "");
        }
    }
    if case.is_stream {
        let client = world.caller(access.weakest).await;
        let reply = world.request(&client, &case.method, case.base, &call).stream().await.unwrap();
        assert_eq!(reply.status(), *status, "{call:?}");
        let media_type = reply.headers().get("content-type").map(|value| value.to_str().unwrap().to_owned());
        let media_type = media_type.unwrap_or_default();
        document.check(&case.method, &case.path(), &Seen { status: *status, media_type, json: None });
        return;
    }
    let is_read = case.is_read || case.method == Method::GET || access.weakest == READER;
    let takes_key = case.takes_key && !is_read;
    if takes_key {
        call = call.header("idempotency-key", key);
    }
    let reply = world.send(access.weakest, case, &call).await;
    assert_eq!(reply.status, *status, "{call:?}: {}", reply.text);
    assert!(is_read || reply.sequence() > 0);
    if takes_key {
        let again = world.send(access.weakest, case, &call).await;
        assert_eq!((again.header("idempotent-replayed"), &again.text), ("true", &reply.text));
    }
    let seen = Seen::of(&reply);
    document.check(&case.method, &case.path(), &seen);
    let expected: Value = serde_json::from_str(&world.fill(&shape.to_string())).unwrap();
    let body = seen.json.unwrap_or_default();
    assert!(has(&body, &expected), "{call:?}: {body:#}\nlacks some of {expected:#}");
}

/// Whether a reply has what is expected: `"*"` is any value, lists are as long, objects may have more.
fn has(reply: &Value, expected: &Value) -> bool {
    match (reply, expected) {
        (reply, Value::String(any)) if any == "*" => !reply.is_null(),
        (Value::Object(reply), Value::Object(expected)) => {
            expected.iter().all(|(name, expected)| reply.get(name).is_some_and(|reply| has(reply, expected)))
        }
        (Value::Array(reply), Value::Array(expected)) => {
            reply.len() == expected.len() && reply.iter().zip(expected).all(|(reply, expected)| has(reply, expected))
        }
        _ => reply == expected,
    }
}

impl Seen {
    fn of(reply: &Response) -> Self {
        let media_type = reply.header("content-type").split(';').next().unwrap_or_default().to_owned();
        let is_json = media_type == "application/json" || media_type.ends_with("+json");
        Self { status: reply.status, json: is_json.then(|| reply.json()), media_type }
    }
}
