//! Amounts of a resource in the format of Kubernetes.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, de::Error as _};

/// An amount such as `500m`, `2` or `1Gi`. A bare number is also accepted.
#[derive(Serialize, Clone, Debug, PartialEq, Eq, Hash)]
pub struct Quantity(pub String);

impl<'de> Deserialize<'de> for Quantity {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        match serde_json::Value::deserialize(from)? {
            serde_json::Value::String(text) => Ok(Self(text)),
            serde_json::Value::Number(number) => Ok(Self(number.to_string())),
            _ => Err(D::Error::custom(
                "no quantity: write a number with or without a unit, such as 500m or 1Gi",
            )),
        }
    }
}

impl JsonSchema for Quantity {
    fn schema_name() -> Cow<'static, str> {
        "Quantity".into()
    }

    fn inline_schema() -> bool {
        true
    }

    /// The map around it adds the rule for its format (`resources`).
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "x-kubernetes-int-or-string": true, "maxLength": 32 })
    }
}

#[cfg(test)]
mod tests {
    use super::Quantity;

    #[test]
    fn a_number_and_a_text_mean_the_same() {
        let read = |text: &str| serde_json::from_str::<Quantity>(text).map(|quantity| quantity.0).ok();
        assert_eq!(read("2"), read("\"2\""));
        assert_eq!(read("0.5").as_deref(), Some("0.5"));
        assert_eq!(read("[]"), None);
    }
}
