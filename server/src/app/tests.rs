use axum::routing::get;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::Notify;

use super::*;
use crate::testing::{TestServer, config};

async fn started(folder: &std::path::Path) -> Running {
    Server::start(&config(folder, |_| {})).await.expect("a server")
}

/// What the server writes until it closes the connection.
async fn answer_to(stream: &mut TcpStream, request: &str) -> String {
    stream.write_all(request.as_bytes()).await.expect("written");
    let mut text = String::new();
    stream.read_to_string(&mut text).await.expect("read");
    text
}

#[tokio::test]
async fn a_server_listens_answers_and_stops() {
    let folder = tempfile::tempdir().expect("a folder");
    let running = started(folder.path()).await;
    let mut stream = TcpStream::connect(running.address()).await.expect("connected");
    let text = answer_to(&mut stream, "GET /readyz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").await;
    assert!(text.starts_with("HTTP/1.1 200 OK\r\n"), "{text}");
    assert!(text.ends_with("{\"status\":\"ready\"}"), "{text}");
    let address = running.address();
    assert_eq!(running.stop().await, Stopped::Finished);
    assert!(TcpStream::connect(address).await.is_err(), "nothing listens any more");
}

/// A route that tells when it has begun, and answers when it is let.
fn slow() -> (Routes, Arc<Notify>, Arc<Notify>) {
    let (begun, go) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let (tell, wait) = (begun.clone(), go.clone());
    let handler = move || async move {
        tell.notify_one();
        wait.notified().await;
        "done"
    };
    (Routes::default().page("/slow", get(handler)), begun, go)
}

#[tokio::test]
async fn what_has_begun_is_finished_and_idle_connections_are_closed() {
    let folder = tempfile::tempdir().expect("a folder");
    let (routes, begun, go) = slow();
    let running = start(&config(folder.path(), |_| {}), routes).await.expect("a server");
    let mut idle = TcpStream::connect(running.address()).await.expect("connected");
    let mut busy = TcpStream::connect(running.address()).await.expect("connected");
    busy.write_all(b"GET /slow HTTP/1.1\r\nHost: x\r\n\r\n").await.expect("written");
    begun.notified().await;
    let stop = tokio::spawn(running.stop());
    assert_eq!(idle.read_to_end(&mut Vec::new()).await.expect("closed"), 0);
    go.notify_one();
    let mut text = String::new();
    busy.read_to_string(&mut text).await.expect("closed");
    assert!(text.starts_with("HTTP/1.1 200 OK\r\n") && text.ends_with("done"), "{text}");
    assert_eq!(stop.await.expect("stopped"), Stopped::Finished);
}

#[tokio::test]
async fn what_takes_too_long_is_cut_off() {
    let folder = tempfile::tempdir().expect("a folder");
    let (routes, begun, _go) = slow();
    let running = start(&config(folder.path(), |_| {}), routes).await.expect("a server");
    let mut busy = TcpStream::connect(running.address()).await.expect("connected");
    busy.write_all(b"GET /slow HTTP/1.1\r\nHost: x\r\n\r\n").await.expect("written");
    begun.notified().await;
    assert_eq!(running.stop_within(Duration::from_millis(10)).await, Stopped::CutOff);
    assert_eq!(busy.read_to_end(&mut Vec::new()).await.expect("closed"), 0);
}

#[tokio::test]
async fn an_address_that_is_taken_is_told() {
    let folder = tempfile::tempdir().expect("a folder");
    let running = started(folder.path()).await;
    let taken = running.address().to_string();
    let other = tempfile::tempdir().expect("a folder");
    let config = config(other.path(), |config| config.http.listen = taken.parse().expect("an address"));
    let refused = Server::start(&config).await.expect_err("refused");
    assert_eq!(refused.to_string(), format!("cannot listen on `{taken}`"));
    running.stop().await;
}

#[tokio::test]
async fn a_connection_that_sends_no_head_is_closed() {
    let folder = tempfile::tempdir().expect("a folder");
    let config = config(folder.path(), |config| config.http.header_timeout = Duration::from_millis(50));
    let running = Server::start(&config).await.expect("a server");
    let mut slow = TcpStream::connect(running.address()).await.expect("connected");
    let text = answer_to(&mut slow, "GET /readyz HTTP/1.1\r\nHos").await;
    assert!(text.is_empty() || text.starts_with("HTTP/1.1 408"), "{text}");
    running.stop().await;
}

/// The head of the next answer, and its body by the length that the head tells.
async fn next_answer(stream: &mut TcpStream) -> String {
    let mut text = String::new();
    while !text.ends_with("\r\n\r\n") {
        text.push(char::from(stream.read_u8().await.expect("an answer")));
    }
    let length = text.lines().find_map(|line| line.strip_prefix("content-length: ")).expect("a length");
    let mut body = vec![0; length.parse().expect("a number")];
    stream.read_exact(&mut body).await.expect("a whole answer");
    text + &String::from_utf8(body).expect("text")
}

#[tokio::test]
async fn who_is_refused_while_still_sending_reads_why() {
    let folder = tempfile::tempdir().expect("a folder");
    let running = started(folder.path()).await;
    let mut stream = TcpStream::connect(running.address()).await.expect("connected");
    let head = "POST /api/v1/imports?object=contact HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer trl_of_nobody\r\n";
    for sized in ["Content-Length: 200000", "Transfer-Encoding: chunked"] {
        stream.write_all(format!("{head}Content-Type: text/csv\r\n{sized}\r\n\r\n").as_bytes()).await.expect("written");
        let text = next_answer(&mut stream).await;
        assert!(text.starts_with("HTTP/1.1 401") && text.contains("the token is not known"), "{text}");
        // The body that nobody waits for comes all the same, and what is sent after it is answered.
        let body = "x".repeat(200_000);
        let body = if sized.contains("chunked") { format!("{:x}\r\n{body}\r\n0\r\n\r\n", body.len()) } else { body };
        stream.write_all(body.as_bytes()).await.expect("written");
        stream.write_all(b"GET /readyz HTTP/1.1\r\nHost: x\r\n\r\n").await.expect("written");
        let text = next_answer(&mut stream).await;
        assert!(text.starts_with("HTTP/1.1 200 OK"), "{text}");
    }
    // Nor does one hold up the end of the server.
    stream.write_all(format!("{head}Content-Length: 200000\r\n\r\n").as_bytes()).await.expect("written");
    next_answer(&mut stream).await;
    assert_eq!(running.stop().await, Stopped::Finished);
}

#[tokio::test]
async fn a_body_that_is_held_back_is_not_asked_for_in_vain() {
    let folder = tempfile::tempdir().expect("a folder");
    let running = started(folder.path()).await;
    let mut stream = TcpStream::connect(running.address()).await.expect("connected");
    let head = "POST /api/v1/records/contact HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n";
    let text = answer_to(&mut stream, &format!("{head}Expect: 100-continue\r\nContent-Length: 200000\r\n\r\n")).await;
    assert!(text.starts_with("HTTP/1.1 401") && !text.contains("100 Continue"), "{text}");
    running.stop().await;
}

#[tokio::test]
async fn a_stopping_server_is_not_ready() {
    let server = TestServer::new(|_| {}).await;
    assert_eq!(server.get("/readyz").await.status, 200);
    assert_eq!(server.get("/healthz").await.json()["status"], "alive");
    server.stop.cancel();
    assert_eq!(server.get("/readyz").await.status, 503);
    assert_eq!(server.get("/healthz").await.status, 200);
}
