//! A server without a socket, for the tests of this crate.

use std::ops::Deref;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Request, StatusCode};
use serde_json::Value;
use tempfile::TempDir;
use tower::ServiceExt;

use crate::app;
use crate::config::{Config, Sources};
use crate::data_dir::DataDir;
use crate::router;
use crate::routes::Routes;
use crate::state::AppState;

/// State and service over a folder of their own, which goes when they are dropped.
pub(crate) struct TestServer {
    service: Router,
    state: AppState,
    _folder: TempDir,
}

/// An answer, read to its end.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
}

impl TestServer {
    /// The routes of the server.
    pub(crate) async fn new(change: impl FnOnce(&mut Config)) -> Self {
        Self::with_routes(router::routes(), change).await
    }

    /// These routes.
    pub(crate) async fn with_routes(routes: Routes, change: impl FnOnce(&mut Config)) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let config = config(folder.path(), change);
        let data_dir = DataDir::open(&config.storage.data_dir).expect("a data folder");
        let engine = app::open_engine(&config).await.expect("an engine");
        let (service, state) = app::build(&config, routes, data_dir, engine).expect("a server");
        Self { service, state, _folder: folder }
    }

    pub(crate) async fn send(&self, request: Request<Body>) -> Answer {
        let response = self.service.clone().oneshot(request).await.expect("an answer");
        let (parts, body) = response.into_parts();
        let bytes = to_bytes(body, 64 << 20).await.expect("a body");
        Answer { status: parts.status, headers: parts.headers, text: String::from_utf8_lossy(&bytes).into_owned() }
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.send(Request::get(path).body(Body::empty()).expect("a request")).await
    }
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).expect("JSON")
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().expect("text"))
    }
}

impl Deref for TestServer {
    type Target = AppState;

    fn deref(&self) -> &AppState {
        &self.state
    }
}

/// Settings of a server over that folder, on a free port.
pub(crate) fn config(folder: &std::path::Path, change: impl FnOnce(&mut Config)) -> Config {
    let flags = vec![("listen", "127.0.0.1:0".to_owned()), ("data_dir", folder.join("data").display().to_string())];
    let sources = Sources { file: None, folder: folder.to_owned(), variables: Vec::new(), flags };
    let mut config = Config::load(&sources).expect("valid settings");
    change(&mut config);
    config
}
