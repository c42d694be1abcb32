//! What is known of an operation: who may call it, what it answers, and what it refuses.

use reqwest::Method;
use serde_json::{Value, json};

/// Below this all operations are but those that machines ask.
pub(super) const API: &str = "/api/v1";

/// One operation of the document.
#[derive(Debug)]
pub(super) struct Case {
    pub(super) method: Method,
    /// What its paths begin with: [`API`], or nothing.
    pub(super) base: &'static str,
    /// The path as the document has it, without the base.
    pub(super) template: String,
    /// What is there before.
    pub(super) given: Vec<Given>,
    /// What it does for whom; the first is what is spoilt in all the ways that every operation refuses.
    pub(super) allowed: Vec<Allowed>,
    /// What it refuses beside that.
    pub(super) refused: Vec<Refused>,
    /// Its reply does not end.
    pub(super) is_stream: bool,
    /// It changes nothing of the tenant, though it is no GET.
    pub(super) is_read: bool,
    /// Under an idempotency key it happens once.
    pub(super) takes_key: bool,
}

/// A call of the owner that makes something that the case needs.
#[derive(Debug)]
pub(super) struct Given {
    /// `$name` stands for what it has made.
    pub(super) name: &'static str,
    /// Where in the reply that is.
    pub(super) pointer: &'static str,
    pub(super) method: Method,
    pub(super) call: Call,
    /// What it has made is a job, which is to be done first.
    pub(super) is_awaited: bool,
}

/// A call that is answered, and what the answer has at least.
#[derive(Debug)]
pub(super) struct Allowed {
    pub(super) access: Access,
    pub(super) call: Call,
    pub(super) status: u16,
    pub(super) shape: Value,
}

/// A call of somebody who may, and the problem that it is answered.
#[derive(Debug)]
pub(super) struct Refused {
    pub(super) call: Call,
    pub(super) status: u16,
    pub(super) code: &'static str,
    pub(super) pointers: Vec<&'static str>,
}

/// Who may do something.
#[derive(Debug, Clone, Copy)]
pub(super) struct Access {
    /// The weakest who may.
    pub(super) weakest: Caller,
    /// Those who may not, and how they are told.
    pub(super) denied: &'static [(Caller, Denial)],
}

/// Whose call it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Caller {
    /// Nobody: no token.
    Anonymous,
    /// The platform's token.
    Platform,
    /// A service with this role.
    Role(&'static str),
    /// A service with the role `owner`, and a token of this scope only.
    Scope(&'static str),
}

/// How somebody is told that they may not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Denial {
    /// 403.
    Forbidden,
    /// 404: the caller may not know of it.
    Hidden,
    /// 207, and each result says this status and code.
    Each(u16, &'static str),
}

/// Everybody, without a token.
pub(super) const PUBLIC: Access = Access { weakest: Caller::Anonymous, denied: &[] };
/// Every token of the tenant, whatever its role and scopes.
pub(super) const EVERYBODY: Access = Access { weakest: READER, denied: &[] };
/// Every role; a token whose scopes do not cover the object is not told of its records.
pub(super) const READERS: Access = reading(&[(OUTSIDER, Denial::Hidden)]);
/// The same for lists, which tell of no record that it may not be had.
pub(super) const LISTERS: Access = reading(&[(OUTSIDER, Denial::Forbidden)]);
/// The same for batches.
pub(super) const BATCH_READERS: Access = reading(&[(OUTSIDER, Denial::Each(404, "not_found"))]);
/// Whoever may write records.
pub(super) const WRITERS: Access = Access {
    weakest: Caller::Role("member"),
    denied: &[(READER, Denial::Forbidden), (Caller::Scope("read"), Denial::Forbidden)],
};
/// The same for batches, which answer each input for itself.
pub(super) const BATCH_WRITERS: Access = Access {
    weakest: Caller::Role("member"),
    denied: &[(READER, Denial::Each(403, "forbidden")), (Caller::Scope("read"), Denial::Each(403, "forbidden"))],
};
/// Whoever may save something of their own: every role, with a token that is not for reading only.
pub(super) const SAVERS: Access = Access { weakest: READER, denied: &[(Caller::Scope("read"), Denial::Forbidden)] };
/// Whoever may change definitions, users and settings.
pub(super) const ADMINS: Access = Access {
    weakest: Caller::Role("admin"),
    denied: &[(Caller::Role("member"), Denial::Forbidden), (Caller::Scope("write"), Denial::Forbidden)],
};
/// Who asked for a job, and those who may change settings; others are not told of it.
pub(super) const JOB_HOLDERS: Access = Access {
    weakest: Caller::Role("admin"),
    denied: &[(Caller::Role("member"), Denial::Hidden), (Caller::Scope("write"), Denial::Hidden)],
};
/// The platform; tenants' owners may not.
pub(super) const PLATFORM: Access =
    Access { weakest: Caller::Platform, denied: &[(Caller::Role("owner"), Denial::Forbidden)] };

/// The weakest role; what it may do changes nothing.
pub(super) const READER: Caller = Caller::Role("viewer");
/// Somebody whose token covers another object only.
const OUTSIDER: Caller = Caller::Scope("elsewhere:read");

const fn reading(denied: &'static [(Caller, Denial)]) -> Access {
    Access { weakest: READER, denied }
}

/// A call; `$name` in it stands for what the case was given.
#[derive(Debug, Clone)]
pub(super) struct Call {
    pub(super) path: String,
    pub(super) headers: Vec<(&'static str, String)>,
    pub(super) body: Body,
}

/// What a call sends.
#[derive(Debug, Clone)]
pub(super) enum Body {
    None,
    Json(Value),
    Text(&'static str, String),
}

/// A call without a body.
pub(super) fn to(path: &str) -> Call {
    Call { path: path.to_owned(), headers: Vec::new(), body: Body::None }
}

impl Call {
    pub(super) fn json(self, body: Value) -> Self {
        Self { body: Body::Json(body), ..self }
    }

    pub(super) fn text(self, content_type: &'static str, body: &str) -> Self {
        Self { body: Body::Text(content_type, body.to_owned()), ..self }
    }

    pub(super) fn header(mut self, name: &'static str, value: &str) -> Self {
        self.headers.push((name, value.to_owned()));
        self
    }

    /// The same call with one more parameter.
    pub(super) fn with_parameter(&self, name: &str, value: &str) -> Self {
        let separator = if self.path.contains('?') { '&' } else { '?' };
        Self { path: format!("{}{separator}{name}={value}", self.path), ..self.clone() }
    }
}

/// A case of an operation of the API; paths are written without [`API`].
pub(super) fn case(method: Method, template: &str) -> Case {
    Case { base: API, ..root(method, template) }
}

/// A case of an operation that machines ask.
pub(super) fn root(method: Method, template: &str) -> Case {
    let takes_key = method == Method::POST;
    let template = template.to_owned();
    let (given, allowed, refused) = (Vec::new(), Vec::new(), Vec::new());
    Case { method, base: "", template, given, allowed, refused, is_stream: false, is_read: false, takes_key }
}

impl Case {
    /// The path as the document has it.
    pub(super) fn path(&self) -> String {
        format!("{}{}", self.base, self.template)
    }

    /// `GET /api/v1/…`, as reports name it.
    pub(super) fn name(&self) -> String {
        format!("{} {}", self.method, self.path())
    }

    /// A record that is there before; `$name` is its id.
    pub(super) fn record(self, name: &'static str, object: &str, properties: Value) -> Self {
        self.given(name, "/id", to(&format!("/records/{object}")).json(json!({"properties": properties})))
    }

    /// A POST of the owner before; `$name` is what `pointer` leads to in its reply.
    pub(super) fn given(self, name: &'static str, pointer: &'static str, call: Call) -> Self {
        self.before(Given { name, pointer, method: Method::POST, call, is_awaited: false })
    }

    /// A job of the owner that is done before; `$name` is its id.
    pub(super) fn job(self, name: &'static str, call: Call) -> Self {
        self.before(Given { name, pointer: "/job/id", method: Method::POST, call, is_awaited: true })
    }

    /// A PUT of the owner before.
    pub(super) fn put(self, call: Call) -> Self {
        self.before(Given { name: "", pointer: "", method: Method::PUT, call, is_awaited: false })
    }

    /// A DELETE of the owner before.
    pub(super) fn gone(self, path: &str) -> Self {
        self.before(Given { name: "", pointer: "", method: Method::DELETE, call: to(path), is_awaited: false })
    }

    fn before(mut self, given: Given) -> Self {
        self.given.push(given);
        self
    }

    /// A call that is answered.
    pub(super) fn allows(mut self, access: Access, call: Call, status: u16, shape: Value) -> Self {
        self.allowed.push(Allowed { access, call, status, shape });
        self
    }

    /// A call that is refused, though the caller may.
    pub(super) fn refuses(mut self, call: Call, status: u16, code: &'static str, pointers: &[&'static str]) -> Self {
        self.refused.push(Refused { call, status, code, pointers: pointers.to_vec() });
        self
    }

    /// It changes nothing of the tenant, though it is no GET.
    pub(super) fn reads(self) -> Self {
        Self { is_read: true, takes_key: false, ..self }
    }

    /// A POST that takes no idempotency key.
    pub(super) fn without_key(self) -> Self {
        Self { takes_key: false, ..self }
    }

    /// Its reply does not end.
    pub(super) fn streams(self) -> Self {
        Self { is_stream: true, ..self }
    }
}
