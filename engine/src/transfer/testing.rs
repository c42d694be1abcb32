//! Definitions that the tests of this folder fit maps to.

use std::sync::Arc;

use engine_model::Problems;
use engine_model::layer::Layer;
use engine_store::tenant::TenantRow;
use serde_json::{Value, json};

use crate::definitions::catalog::Catalog;
use crate::definitions::effective::Effective;

/// A tenant with deals, companies, and what lies between them.
pub(super) fn catalog() -> Catalog {
    let document = json!({
        "objects": {
            "company": {"properties": {
                "name": {"type": "string", "required": true},
                "source_id": {"type": "string", "unique": true},
            }},
            "deal": {"properties": {
                "name": {"type": "string", "required": true},
                "reference": {"type": "string", "unique": true},
                "amount": {"type": "money", "currency": "USD"},
                "count": {"type": "integer"},
                "open": {"type": "boolean"},
                "closed_on": {"type": "date"},
                "seen_at": {"type": "datetime"},
                "kind": {"type": "enum", "options": ["new", "old"]},
                "tags": {"type": "tags"},
                "place": {"type": "geo"},
                "closer": {"type": "user"},
                "number": {"type": "auto_number", "pattern": "D-{0}"},
                "extra": {"type": "json"},
            }},
        },
        "associations": {
            "deal_company": {"from": "deal", "to": "company", "cardinality": "many_to_one"},
            "deal_deal": {"from": "deal", "to": "deal", "labels": {"next": "Next"}},
            "company_company": {"from": "company", "to": "company"},
        },
    });
    let Value::Object(document) = document else { unreachable!("an object") };
    let mut problems = Problems::new();
    let layer = Layer::read("test", &document, &mut problems);
    assert_eq!(problems, []);
    let tenant = TenantRow {
        tenant_id: 1,
        slug: "test".to_owned(),
        name: "Test".to_owned(),
        profile: "generic".to_owned(),
        time_zone: "UTC".to_owned(),
        currency: "USD".to_owned(),
        country: "US".to_owned(),
        capabilities: "{}".to_owned(),
        created_at: 0,
    };
    let catalog = Catalog::build(1, tenant, Arc::new(Effective::fold(vec![Arc::new(layer)])));
    assert_eq!(catalog.objects().count(), 2);
    catalog
}
