//! A tenant of its own for a test.

use std::ops::Deref;
use std::sync::atomic::{AtomicU64, Ordering};

use serde_json::{Value, json};

use crate::{Client, TestServer};

static NEXT: AtomicU64 = AtomicU64::new(1);

/// A fresh tenant, used as its owner: it is a [`Client`].
#[derive(Debug, Clone)]
pub struct Tenant {
    owner: Client,
    /// What the server said of it when it was made.
    pub description: Value,
}

impl Deref for Tenant {
    type Target = Client;

    fn deref(&self) -> &Client {
        &self.owner
    }
}

impl TestServer {
    /// Makes a tenant with the packs of `profile`.
    pub async fn tenant(&self, profile: &str) -> Tenant {
        let slug = format!("tenant-{}", NEXT.fetch_add(1, Ordering::Relaxed));
        let body = json!({"slug": slug, "name": "Acme", "profile": profile});
        let reply = self.platform().post("/tenants", &body).await.ok(201);
        let token = reply["token"].as_str().unwrap_or_else(|| panic!("no token in {reply}"));
        Tenant { owner: self.anonymous().with_token(token), description: reply["tenant"].clone() }
    }

    /// The same tenant after a restart, on the server's new address.
    pub fn again(&self, tenant: &Tenant) -> Tenant {
        let token = tenant.token().expect("an owner has a token");
        Tenant { owner: self.anonymous().with_token(token), description: tenant.description.clone() }
    }
}

impl Tenant {
    /// A caller of this tenant that is a new user with `role`; the user's id comes with it.
    pub async fn user(&self, name: &str, role: &str) -> (Client, String) {
        let email = format!("{name}@example.com");
        let user = self.post("/users", &json!({"name": name, "email": email, "role": role})).await.ok(201);
        let id = user["id"].as_str().unwrap_or_else(|| panic!("no id in {user}")).to_owned();
        let reply = self.post("/tokens", &json!({"name": format!("{name}'s"), "user": id})).await.ok(201);
        let secret = reply["secret"].as_str().unwrap_or_else(|| panic!("no secret in {reply}"));
        (self.with_token(secret), id)
    }
}
