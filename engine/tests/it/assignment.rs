//! Turns by which new records get their owners: each is spent by one record, however often its write is tried.

use engine::records::{ListQuery, Mode, Operation, Step, View};
use engine::{Error, NewUser, Session};
use serde_json::{Value, json};

use crate::support::{Home, create, create_many, input, map};

/// Users who take turns at contacts, by their ids.
async fn takers(session: &mut Session, names: [&str; 3]) -> Vec<String> {
    let mut users = Vec::new();
    for name in names {
        users.push(user(session, name).await);
    }
    let rule = json!({"object": "contact", "label": "All", "users": users});
    session.assignment_rule_create(map(rule), None).await.expect("a rule");
    users
}

async fn user(session: &mut Session, name: &str) -> String {
    let new = NewUser { name: name.to_owned(), email: Some(format!("{name}@example.com")), ..NewUser::default() };
    session.user_create(new, None).await.expect("a user").value.id.to_string()
}

fn contact(email: &str) -> Value {
    json!({"first_name": "Ada", "last_name": "Lovelace", "email": email})
}

async fn owner_of_next(session: &mut Session, email: &str) -> String {
    let made = session.record_create("contact", input(&contact(email))).await.expect("a record").value;
    made.record.expect("a record").owner.expect("an owner").to_string()
}

async fn refused(session: &mut Session, email: &str) -> Error {
    session.record_create("contact", input(&contact(email))).await.expect_err("taken")
}

#[tokio::test]
async fn a_write_that_is_repeated_within_spends_one_turn() {
    let home = Home::open().await;
    let mut session = home.session().await;
    let users = takers(&mut session, ["ann", "ben", "cid"]).await;
    let other = home.second_engine().await;
    let mut elsewhere = home.session_on(&other).await;
    assert_eq!(owner_of_next(&mut elsewhere, "1@example.com").await, users[0]);
    for (number, next) in [(2, 1), (3, 2), (4, 0)] {
        // Rights move on where the other server does not see it, so that its next write is planned twice.
        user(&mut session, &format!("user{number}")).await;
        assert_eq!(owner_of_next(&mut elsewhere, &format!("{number}@example.com")).await, users[next], "{number}");
    }
}

#[tokio::test]
async fn a_record_that_is_refused_costs_nobody_a_turn() {
    let home = Home::open().await;
    let mut session = home.session().await;
    create(&mut session, "contact", contact("taken@example.com")).await;
    let users = takers(&mut session, ["ann", "ben", "cid"]).await;
    assert_eq!(owner_of_next(&mut session, "1@example.com").await, users[0]);
    assert_eq!(refused(&mut session, "taken@example.com").await.code.as_str(), "conflict");
    assert_eq!(owner_of_next(&mut session, "2@example.com").await, users[1]);
    // Of a batch, those that are made have theirs, and the others leave none out.
    let batch = ["3@example.com", "taken@example.com", "4@example.com"]
        .map(|email| Step::from(Operation::Create { object: "contact".to_owned(), input: input(&contact(email)) }));
    let done = session.execute(&batch, Mode::Each, None).await.expect("a batch").value;
    assert_eq!(done.iter().map(Result::is_ok).collect::<Vec<_>>(), [true, false, true]);
    let all =
        create_many(&mut session, "contact", (5..12).map(|number| contact(&format!("{number}@example.com")))).await;
    assert_eq!(all.len(), 7);
    let query = ListQuery { archived: false, limit: 200, cursor: None, view: View::default() };
    let page = session.record_list("contact", &query).await.expect("a list").results;
    let owned_by =
        |user: &String| page.iter().filter(|one| one.owner.is_some_and(|it| it.to_string() == *user)).count();
    assert_eq!(users.iter().map(owned_by).collect::<Vec<_>>(), [4, 4, 3]);
}
