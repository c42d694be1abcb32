//! `geo`: a point on the earth, `{lat, lon}` in degrees (WGS 84).

use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::fault::excerpt;
use super::{Fault, Faults, Input, Locale, PropertyKind, Storage};
use crate::spec::{SpecReader, shape};

const EXPECTED: &str = "an object such as `{\"lat\": 52.52, \"lon\": 13.405}`";

/// The keys of a point, each with the degrees that it may have to either side of zero.
const AXES: [(&str, f64); 2] = [("lat", 90.0), ("lon", 180.0)];

#[derive(Debug)]
struct Geo;

pub(super) fn read(_: &mut SpecReader<'_>) -> Option<Arc<dyn PropertyKind>> {
    Some(Arc::new(Geo))
}

impl PropertyKind for Geo {
    fn name(&self) -> &'static str {
        "geo"
    }

    fn storage(&self) -> Storage {
        Storage::Opaque
    }

    /// Degrees are kept as 64-bit floating point numbers.
    fn normalize(&self, input: Input<'_>, _: &Locale) -> Result<Value, Faults> {
        let Input::Json(raw) = input else { return Err(input.wrong_type(EXPECTED)) };
        let Ok(Value::Object(given)) = serde_json::from_str::<Value>(raw.get()) else {
            return Err(input.wrong_type(EXPECTED));
        };
        let mut faults = Faults::new();
        let mut point = Map::new();
        for (axis, limit) in AXES {
            match degrees(axis, given.get(axis), limit) {
                Ok(degrees) => drop(point.insert(axis.to_owned(), json!(degrees))),
                Err(fault) => faults.push(fault.at(axis)),
            }
        }
        if let Some(key) = given.keys().find(|key| AXES.iter().all(|(axis, _)| axis != key)) {
            let message = format!("`{}` is not known here: a point has `lat` and `lon` only", excerpt(key));
            faults.push(Fault::new("invalid", message));
        }
        if faults.is_empty() { Ok(Value::Object(point)) } else { Err(faults) }
    }

    fn schema(&self) -> Map<String, Value> {
        let axes =
            AXES.map(|(axis, limit)| (axis.to_owned(), json!({"type": "number", "minimum": -limit, "maximum": limit})));
        Map::from_iter([
            ("type".to_owned(), json!("object")),
            ("properties".to_owned(), Value::Object(axes.into_iter().collect())),
            ("required".to_owned(), json!(["lat", "lon"])),
            ("additionalProperties".to_owned(), json!(false)),
        ])
    }

    /// `lat,lon`.
    fn from_text(&self, text: &str) -> Result<Value, String> {
        let text = text.trim();
        if text.is_empty() {
            return Ok(Value::Null);
        }
        let number = |part: &str| part.trim().parse::<f64>().ok().filter(|degrees| degrees.is_finite());
        let point = text.split_once(',').and_then(|(lat, lon)| Some((number(lat)?, number(lon)?)));
        match point {
            Some((lat, lon)) => Ok(json!({"lat": lat, "lon": lon})),
            None => Err(format!("`{}` is no point; write `lat,lon` in degrees, such as `52.52,13.405`", excerpt(text))),
        }
    }
}

fn degrees(axis: &str, given: Option<&Value>, limit: f64) -> Result<f64, Fault> {
    match given {
        Some(Value::Number(number)) => {
            let degrees = number.as_f64().unwrap_or(f64::NAN);
            match degrees {
                _ if (-limit..=limit).contains(&degrees) => Ok(degrees),
                _ if degrees < 0.0 => Err(Fault::new("too_small", format!("must be at least -{limit}"))),
                _ => Err(Fault::new("too_large", format!("must be at most {limit}"))),
            }
        }
        Some(other) => Err(Fault::new("wrong_type", format!("a number is expected, not {}", shape(other)))),
        None => Err(Fault::new("invalid", format!("`{axis}` is missing: a point has `lat` and `lon`"))),
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{accept, codes, kind, pointers, refuse};
    use super::*;

    #[test]
    fn a_point_has_latitude_and_longitude() {
        let geo = kind(json!({"type": "geo"}));
        assert_eq!(accept(&geo, r#"{"lon": 13.405, "lat": 52.52}"#).to_string(), r#"{"lat":52.52,"lon":13.405}"#);
        assert_eq!(accept(&geo, r#"{"lat": -0.0, "lon": 180}"#).to_string(), r#"{"lat":-0.0,"lon":180.0}"#);
        let precise = r#"{"lat":0.1000000000000000055511151231257827,"lon":1e-300}"#;
        assert_eq!(accept(&geo, precise).to_string(), r#"{"lat":0.1,"lon":1e-300}"#);
    }

    #[test]
    fn everything_wrong_is_told_with_its_place() {
        let geo = kind(json!({"type": "geo"}));
        let faults = refuse(&geo, r#"{"lat": 90.1, "lon": "13", "altitude": 3}"#);
        assert_eq!(pointers(&faults), ["/lat", "/lon", ""]);
        assert_eq!(codes(&faults), ["too_large", "wrong_type", "invalid"]);
        let faults = refuse(&geo, r#"{"lon": -181}"#);
        assert_eq!((pointers(&faults), codes(&faults)), (vec!["/lat", "/lon"], vec!["invalid", "too_small"]));
        for wrong in ["[1, 2]", r#""1,2""#, "1"] {
            assert_eq!(codes(&refuse(&geo, wrong)), ["wrong_type"], "{wrong}");
        }
    }

    #[test]
    fn a_cell_holds_latitude_comma_longitude() {
        let geo = kind(json!({"type": "geo"}));
        assert_eq!(geo.from_text(" 52.52, 13.405 "), Ok(json!({"lat": 52.52, "lon": 13.405})));
        assert_eq!(geo.from_text(""), Ok(Value::Null));
        for wrong in ["52.52", "a,b", "NaN,1", "inf,1", "1,2,3"] {
            assert!(geo.from_text(wrong).is_err(), "{wrong}");
        }
    }
}
