//! The change log: in pages with long poll, as server-sent events, over a WebSocket.

use std::time::Duration;

use axum::extract::State;
use axum::extract::ws::{Message, WebSocket, WebSocketUpgrade};
use axum::http::HeaderMap;
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use engine::model::Sequence;
use engine::{ChangeQuery, Session};
use futures::Stream;
use serde_json::json;

use super::answer::Answer;
use super::wire::{ChangeBody, ListBody};
use crate::error::{ApiError, ApiResult};
use crate::extract::Authorized;
use crate::extract::query::{FromQuery, Query, QueryReader};
use crate::middleware::StreamPermit;
use crate::state::AppState;

/// Longest that a poll waits.
const LONGEST_WAIT: u64 = 60;
/// Changes that a stream reads at a time.
const CHUNK: usize = 200;
/// After so long without a change a stream looks by itself, since signals may get lost.
const LOOK_EVERY: Duration = Duration::from_secs(5);

/// Which changes, and how long to wait for the first.
#[derive(Debug)]
pub(crate) struct Wanted {
    after: Option<i64>,
    object: Option<String>,
    limit: usize,
    wait: Duration,
}

impl FromQuery for Wanted {
    fn from_query(query: &mut QueryReader<'_>) -> Option<Self> {
        let after = read_after(query);
        let object = query.text("object");
        let limit = query.parsed::<usize>("limit", "a number from 1 to 1000").unwrap_or(CHUNK);
        if !(1..=1_000).contains(&limit) {
            query.problem("limit", "out_of_range", "`limit` is a number from 1 to 1000");
        }
        let wait = query.parsed::<u64>("wait", "a number of seconds").unwrap_or(0);
        if wait > LONGEST_WAIT {
            query.problem("wait", "out_of_range", format!("`wait` is a number of seconds from 0 to {LONGEST_WAIT}"));
        }
        Some(Self { after, object, limit, wait: Duration::from_secs(wait) })
    }
}

fn read_after(query: &mut QueryReader<'_>) -> Option<i64> {
    let after = query.parsed::<i64>("after", "a sequence of the change log");
    if after.is_some_and(|after| after < 0) {
        query.problem("after", "out_of_range", "`after` is a sequence of the change log, 0 for its beginning");
    }
    after
}

/// Lists changes in commit order; waits for the first one where there is none yet.
#[utoipa::path(get, path = "/changes", tag = "changes", operation_id = "list",
    params(("after" = Option<String>, Query, description = "A sequence; 0, the default, for the beginning"),
        ("object" = Option<String>, Query, description = "Only changes of this object"),
        ("limit" = Option<usize>, Query, description = "1 to 1000, by default 200"),
        ("wait" = Option<u64>, Query, description = "Seconds to wait for the first change, at most 60")),
    responses((status = 200, description = "Changes; `next_cursor` is null, the last `sequence` is where to go on",
        body = ListBody<ChangeBody>)))]
pub(crate) async fn list(
    Authorized(mut session): Authorized,
    Query(Wanted { after, object, limit, wait }): Query<Wanted>,
    _permit: StreamPermit,
) -> ApiResult<Answer> {
    let query = ChangeQuery { after: Sequence(after.unwrap_or(0)), object, limit, wait };
    let found = session.changes(&query).await?;
    let results: Vec<ChangeBody> = found.results.into_iter().map(ChangeBody::from).collect();
    let next_cursor = found.has_more.then(|| found.position.to_string());
    Ok(Answer::ok(&ListBody { results, next_cursor })?.at(found.position))
}

/// Where a stream begins.
#[derive(Debug)]
pub(crate) struct From {
    after: Option<i64>,
    object: Option<String>,
}

impl FromQuery for From {
    fn from_query(query: &mut QueryReader<'_>) -> Option<Self> {
        Some(Self { after: read_after(query), object: query.text("object") })
    }
}

/// Streams changes as server-sent events, each with its sequence as `id`.
#[utoipa::path(get, path = "/changes/stream", tag = "changes", operation_id = "stream",
    params(("after" = Option<String>, Query, description = "A sequence; without it the stream begins now"),
        ("object" = Option<String>, Query, description = "Only changes of this object"),
        ("Last-Event-ID" = Option<String>, Header, description = "Goes on after this sequence")),
    responses((status = 200, description = "Events, each a change", content_type = "text/event-stream", body = String)))]
pub(crate) async fn stream(
    Authorized(session): Authorized,
    State(state): State<AppState>,
    Query(from): Query<From>,
    headers: HeaderMap,
    permit: StreamPermit,
) -> ApiResult<Response> {
    let last = match headers.get("last-event-id") {
        None => None,
        Some(value) => {
            let sequence = value.to_str().ok().and_then(|text| text.parse::<i64>().ok()).filter(|last| *last >= 0);
            Some(sequence.ok_or_else(|| ApiError::bad_request("`Last-Event-ID` is a sequence of the change log"))?)
        }
    };
    let feed = Feed::begin(session, last.or(from.after), from.object).await?;
    let events = feed.into_events(state, permit);
    let keep_alive = KeepAlive::new().interval(Duration::from_secs(15));
    Ok(Sse::new(events).keep_alive(keep_alive).into_response())
}

/// Streams changes over a WebSocket, each a message.
#[utoipa::path(get, path = "/live", tag = "changes", operation_id = "live",
    params(("after" = Option<String>, Query, description = "A sequence; without it the stream begins now"),
        ("object" = Option<String>, Query, description = "Only changes of this object")),
    responses((status = 101, description = "Messages, each a change as JSON")))]
pub(crate) async fn live(
    Authorized(session): Authorized,
    State(state): State<AppState>,
    Query(from): Query<From>,
    permit: StreamPermit,
    upgrade: Result<WebSocketUpgrade, axum::extract::ws::rejection::WebSocketUpgradeRejection>,
) -> ApiResult<Response> {
    let upgrade = upgrade.map_err(|_| ApiError::bad_request("this path takes WebSocket connections only"))?;
    let feed = Feed::begin(session, from.after, from.object).await?;
    // Clients send nothing but pings and the close.
    let upgrade = upgrade.max_message_size(4 * 1024);
    Ok(upgrade.on_upgrade(move |socket| feed.into_socket(socket, state, permit)))
}

/// A position in the log that moves on.
struct Feed {
    session: Session,
    position: Sequence,
    object: Option<String>,
}

impl Feed {
    async fn begin(mut session: Session, after: Option<i64>, object: Option<String>) -> ApiResult<Self> {
        if let Some(object) = &object {
            session.object_exists(object).await?;
        }
        let position = match after {
            Some(after) => Sequence(after),
            None => session.log_position().await?,
        };
        Ok(Self { session, position, object })
    }

    /// The next changes; waits for them, and is empty only from time to time.
    async fn next(&mut self) -> ApiResult<Vec<ChangeBody>> {
        let query = ChangeQuery { after: self.position, object: self.object.clone(), limit: CHUNK, wait: LOOK_EVERY };
        let found = self.session.changes(&query).await?;
        self.position = found.position;
        Ok(found.results.into_iter().map(ChangeBody::from).collect())
    }

    fn into_events(
        self,
        state: AppState,
        permit: StreamPermit,
    ) -> impl Stream<Item = Result<Event, axum::Error>> + Send + 'static {
        let begin = (self, state, permit, Vec::<ChangeBody>::new().into_iter());
        futures::stream::unfold(begin, |(mut feed, state, permit, mut ready)| async move {
            loop {
                if let Some(change) = ready.next() {
                    let event = Event::default().id(change.sequence.to_string()).json_data(&change);
                    return Some((event, (feed, state, permit, ready)));
                }
                // A token that ends, or a database that goes away, ends the stream; the client resumes where it was.
                ready = state.stop.run_until_cancelled(feed.next()).await?.ok()?.into_iter();
                feed.session.renew().await.ok()?;
            }
        })
    }

    async fn into_socket(mut self, mut socket: WebSocket, state: AppState, permit: StreamPermit) {
        loop {
            let changes = tokio::select! {
                changes = self.next() => changes,
                // Whatever the client says, only that it has gone matters; pings are answered by the library.
                message = socket.recv() => match message {
                    Some(Ok(Message::Close(_)) | Err(_)) | None => break,
                    Some(Ok(_)) => continue,
                },
                () = state.stop.cancelled() => break,
            };
            let Ok(changes) = changes else { break };
            for change in changes {
                let text = json!(change).to_string();
                if socket.send(Message::Text(text.into())).await.is_err() {
                    return;
                }
            }
            if self.session.renew().await.is_err() {
                break;
            }
        }
        // The other end may be gone already.
        drop(socket.send(Message::Close(None)).await);
        drop(permit);
    }
}
