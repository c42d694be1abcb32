//! Properties as they are stored, brought forward to what the definitions say now.

use engine_model::Properties;
use engine_model::registry::Registry;

use crate::error::{Error, Result};

/// Reads the properties of a stored record of `object`.
pub(crate) fn read(registry: &Registry, object: &str, stored: &str) -> Result<Properties> {
    let mut properties: Properties = serde_json::from_str(stored).map_err(Error::internal)?;
    if let Some(object) = registry.objects.get(object) {
        object.bring_forward(&mut properties);
    }
    Ok(properties)
}
