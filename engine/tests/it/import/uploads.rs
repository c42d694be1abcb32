//! Files on their way, and jobs that are stopped.

use engine::transfer::{Format, MAX_PART};
use engine::{ErrorCode, JobState, NewToken};

use super::fixture::{World, counts, done, ended, failure, request, upload};

#[tokio::test]
async fn parts_may_come_in_any_order_and_again() {
    let world = World::with_sites().await;
    let mut session = world.session().await;
    let job = session.import_begin(request("site", "key: code", Format::Csv)).await.expect("begun").id;
    for (number, part) in [(2, "st\n"), (0, "code,na"), (1, "wrong"), (1, "me\nA,We")] {
        session.import_part(job, number, part.as_bytes().to_vec()).await.expect("taken");
    }
    session.import_finish(job).await.expect("queued");
    assert_eq!(counts(&done(ended(&mut session, job).await)), [1, 0, 0, 0, 0]);
    assert_eq!(world.records("site").await[0].display_name, "West");
}

#[tokio::test]
async fn what_is_no_part_is_refused() {
    let world = World::with_sites().await;
    let mut session = world.session().await;
    let job = session.import_begin(request("site", "", Format::Csv)).await.expect("begun").id;
    for bytes in [Vec::new(), vec![b'x'; MAX_PART + 1]] {
        assert_eq!(session.import_part(job, 0, bytes).await.expect_err("refused").code, ErrorCode::TooLarge);
    }
    session.import_part(job, 1, b"x".to_vec()).await.expect("taken");
    let error = session.import_finish(job).await.expect_err("refused");
    assert_eq!(
        (error.code, error.detail.as_str()),
        (ErrorCode::Conflict, "of 2 parts only 1 have come in; send the others")
    );
    assert_eq!(session.import_abort(job).await.expect("aborted").state, JobState::Cancelled);
    let error = session.import_part(job, 0, b"x".to_vec()).await.expect_err("refused");
    assert_eq!(error.detail, format!("job {job} does not take a file any more: it is cancelled"));
}

#[tokio::test]
async fn an_upload_that_stops_is_given_up_after_an_hour() {
    let world = World::with_sites().await;
    let mut session = world.session().await;
    let stopped = session.import_begin(request("site", "", Format::Csv)).await.expect("begun").id;
    world.home.clock.advance(3_601_000_000);
    // Whatever wakes the worker makes it look.
    let woken = upload(&mut session, request("site", "key: code", Format::Csv), b"code,name\n").await;
    assert_eq!(counts(&done(ended(&mut session, woken).await)), [0; 5]);
    let job = ended(&mut session, stopped).await;
    assert_eq!(failure(&job).1, "the upload was not finished within an hour; send the file again");
}

#[tokio::test]
async fn jobs_are_seen_by_who_made_them_and_by_administrators() {
    let world = World::with_sites().await;
    let mut owner = world.session().await;
    let mut member = {
        let new = NewToken { name: "member".to_owned(), ..NewToken::default() };
        let (_, secret) = owner.token_create(new, None).await.expect("a token").value;
        world.session_as(&secret).await
    };
    let own = member.import_begin(request("site", "", Format::Csv)).await.expect("begun").id;
    let other = owner.import_begin(request("site", "", Format::Csv)).await.expect("begun").id;
    assert_eq!(member.job(&other.to_string()).await.expect_err("hidden").code, ErrorCode::NotFound);
    assert_eq!(member.job_cancel(&other.to_string()).await.expect_err("hidden").code, ErrorCode::NotFound);
    assert_eq!(member.import_part(other, 0, b"x".to_vec()).await.expect_err("hidden").code, ErrorCode::NotFound);
    let ids = |page: engine::records::Page<engine::Job>| page.results.iter().map(|job| job.id).collect::<Vec<_>>();
    assert_eq!(ids(member.job_list(50, None).await.expect("a page")), [own]);
    let first = owner.job_list(1, None).await.expect("a page");
    let cursor = first.next_cursor.clone();
    assert_eq!(ids(first), [other]);
    let second = owner.job_list(1, cursor.as_deref()).await.expect("a page");
    assert_eq!((second.next_cursor.clone(), ids(second)), (None, vec![own]));
    assert!(!owner.job(&own.to_string()).await.expect("seen").spec.contains_key("actor"));
}

#[tokio::test]
async fn a_cancelled_job_does_nothing_more() {
    let world = World::with_sites().await;
    let mut session = world.session().await;
    let job = session.import_begin(request("site", "", Format::Csv)).await.expect("begun").id;
    session.import_part(job, 0, b"name\nNorth\n".to_vec()).await.expect("taken");
    assert_eq!(session.job_cancel(&job.to_string()).await.expect("cancelled").state, JobState::Cancelled);
    let again = session.job_cancel(&job.to_string()).await.expect_err("ended");
    assert_eq!(again.code, ErrorCode::Conflict);
    assert_eq!(session.import_finish(job).await.expect_err("ended").code, ErrorCode::Conflict);
    assert_eq!(world.records("site").await.len(), 0);
}

#[tokio::test]
async fn a_job_ends_with_the_rights_of_who_asked_for_it() {
    let world = World::with_sites().await;
    let mut owner = world.session().await;
    let new = NewToken { name: "service".to_owned(), ..NewToken::default() };
    let (token, secret) = owner.token_create(new, None).await.expect("a token").value;
    let mut member = world.session_as(&secret).await;
    let job = member.import_begin(request("site", "", Format::Csv)).await.expect("begun").id;
    member.import_part(job, 0, b"name\nNorth\n".to_vec()).await.expect("taken");
    owner.user_archive(&token.user.to_string()).await.expect("archived");
    owner.import_finish(job).await.expect("queued");
    let ended = ended(&mut owner, job).await;
    assert_eq!(failure(&ended).1, format!("user {}, who asked for this, has been archived", token.user));
}
