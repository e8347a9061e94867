//! An object as text, as the API server sent it. The operator parses only the members that it needs.
//!
//! A typed object takes ten times the memory of its text, in small allocations, and the operator never reads most of it (managed fields,
//! other parts of a status).

use std::{borrow::Cow, collections::BTreeMap};

use k8s_openapi::{apimachinery::pkg::apis::meta::v1::ObjectMeta, jiff::Timestamp};
use kube::{
    Resource,
    core::{ApiResource, DynamicResourceScope},
};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::DeserializeOwned, de::Error as _};
use serde_json::{Value, value::RawValue};

/// An object of any kind. Its `meta()` has only name, namespace and version.
#[derive(Clone, Debug)]
pub struct RawObject {
    meta: ObjectMeta,
    text: Box<RawValue>,
}

/// The metadata that the operator reads.
#[derive(Deserialize, Default, Clone, Debug)]
#[serde(rename_all = "camelCase", default)]
pub struct Head {
    /// Its name.
    pub name: String,
    /// Its namespace; empty if it has none.
    pub namespace: String,
    /// Its identity.
    pub uid: String,
    /// Its version.
    pub resource_version: String,
    /// When it was created.
    pub creation_timestamp: Option<Timestamp>,
    /// When its deletion was requested.
    pub deletion_timestamp: Option<Timestamp>,
    /// Its labels.
    pub labels: BTreeMap<String, String>,
    /// Its annotations.
    pub annotations: BTreeMap<String, String>,
    /// Its owners.
    pub owner_references: Vec<Owner>,
    /// The writers of its fields, without the fields.
    pub managed_fields: Vec<Writer>,
}

/// An owner reference.
#[derive(Deserialize, Default, Clone, Debug, PartialEq, Eq)]
#[serde(rename_all = "camelCase", default)]
pub struct Owner {
    /// Group and version of the owner.
    pub api_version: String,
    /// Kind of the owner.
    pub kind: String,
    /// Name of the owner.
    pub name: String,
    /// Identity of the owner.
    pub uid: String,
    /// Whether this owner manages the object.
    pub controller: bool,
}

/// A writer of some fields.
#[derive(Deserialize, Default, Clone, Debug)]
#[serde(rename_all = "camelCase", default)]
pub struct Writer {
    /// The field manager.
    pub manager: String,
    /// `Apply` or `Update`.
    pub operation: String,
    /// The subresource; empty for the object itself.
    pub subresource: String,
}

impl Head {
    /// The owner that manages the object.
    pub fn controller(&self) -> Option<&Owner> {
        self.owner_references.iter().find(|owner| owner.controller)
    }

    /// Position of an entry in managed fields: of `manager`, for writes of the object itself by `operation` (`Apply` or `Update`).
    pub fn entry_of(&self, manager: &str, operation: &str) -> Option<usize> {
        self.managed_fields.iter().position(|writer| {
            writer.manager == manager && writer.operation == operation && writer.subresource.is_empty()
        })
    }

    /// The version as a number; later versions are greater. `None` if it is not a number.
    pub fn version(&self) -> Option<u64> {
        self.resource_version.parse().ok()
    }
}

impl RawObject {
    /// The whole text.
    pub fn text(&self) -> &str {
        self.text.get()
    }

    /// The version as a number; `None` if it is not a number.
    pub fn version(&self) -> Option<u64> {
        self.meta.resource_version.as_deref().and_then(|version| version.parse().ok())
    }

    /// Its name.
    pub fn name(&self) -> &str {
        self.meta.name.as_deref().unwrap_or_default()
    }

    /// The metadata that the operator reads.
    ///
    /// # Errors
    /// The metadata does not have the form that Kubernetes gives it.
    pub fn head(&self) -> serde_json::Result<Head> {
        #[derive(Deserialize)]
        struct Object {
            metadata: Head,
        }
        self.read::<Object>().map(|object| object.metadata)
    }

    /// The members that `T` has. A null member counts as absent, because some writers send null where Kubernetes omits the member.
    ///
    /// # Errors
    /// The object does not have the form of `T`.
    pub fn read<T: DeserializeOwned>(&self) -> serde_json::Result<T> {
        serde_json::from_str(self.text()).or_else(|error| {
            let mut object: Value = serde_json::from_str(self.text())?;
            if remove_nulls(&mut object) { serde_json::from_value(object) } else { Err(error) }
        })
    }

    /// The object without its managed fields, which are its largest part and are not needed here.
    ///
    /// # Errors
    /// The object does not have the form of `T`.
    pub fn typed<T: DeserializeOwned>(&self) -> serde_json::Result<T> {
        serde_json::from_str(&self.without(&[], &["managedFields"])?)
    }

    /// The text without some members of the object and some of its metadata.
    ///
    /// # Errors
    /// The text is not an object with metadata.
    pub fn without(&self, members: &[&str], of_metadata: &[&str]) -> serde_json::Result<String> {
        let mut kept = String::with_capacity(self.text().len() / 2);
        write_members(&mut kept, self.text(), |name, value, into| {
            if members.contains(&name) {
                return Ok(false);
            }
            member(into, name)?;
            if name == "metadata" {
                write_members(into, value, |name, value, into| {
                    let keep = !of_metadata.contains(&name);
                    if keep {
                        member(into, name)?;
                        into.push_str(value);
                    }
                    Ok(keep)
                })?;
            } else {
                into.push_str(value);
            }
            Ok(true)
        })?;
        Ok(kept)
    }
}

/// Removes null members at every depth. Returns whether it removed any.
fn remove_nulls(value: &mut Value) -> bool {
    match value {
        Value::Object(members) => {
            let n_members = members.len();
            members.retain(|_, value| !value.is_null());
            let has_removed = members.len() < n_members;
            members.values_mut().fold(has_removed, |removed, value| remove_nulls(value) | removed)
        }
        Value::Array(values) => values.iter_mut().fold(false, |removed, value| remove_nulls(value) | removed),
        _ => false,
    }
}

/// Writes an object with the members of `text` that `write` writes. `write` returns whether it wrote the member.
fn write_members(
    into: &mut String,
    text: &str,
    mut write: impl FnMut(&str, &str, &mut String) -> serde_json::Result<bool>,
) -> serde_json::Result<()> {
    let members: BTreeMap<Cow<'_, str>, &RawValue> = serde_json::from_str(text)?;
    into.push('{');
    for (name, value) in members {
        if write(&name, value.get(), into)? {
            into.push(',');
        }
    }
    if into.ends_with(',') {
        into.pop();
    }
    into.push('}');
    Ok(())
}

fn member(into: &mut String, name: &str) -> serde_json::Result<()> {
    into.push_str(&serde_json::to_string(name)?);
    into.push(':');
    Ok(())
}

impl<'de> Deserialize<'de> for RawObject {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        struct Object {
            metadata: Brief,
        }
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Brief {
            name: Option<String>,
            namespace: Option<String>,
            resource_version: Option<String>,
        }
        let text = Box::<RawValue>::deserialize(from)?;
        let Object { metadata } = serde_json::from_str(text.get()).map_err(D::Error::custom)?;
        let meta = ObjectMeta {
            name: metadata.name,
            namespace: metadata.namespace,
            resource_version: metadata.resource_version,
            ..ObjectMeta::default()
        };
        Ok(Self { meta, text })
    }
}

impl Serialize for RawObject {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        self.text.serialize(to)
    }
}

impl Resource for RawObject {
    type DynamicType = ApiResource;
    type Scope = DynamicResourceScope;

    fn kind(kind: &ApiResource) -> Cow<'_, str> {
        kind.kind.as_str().into()
    }

    fn group(kind: &ApiResource) -> Cow<'_, str> {
        kind.group.as_str().into()
    }

    fn version(kind: &ApiResource) -> Cow<'_, str> {
        kind.version.as_str().into()
    }

    fn api_version(kind: &ApiResource) -> Cow<'_, str> {
        kind.api_version.as_str().into()
    }

    fn plural(kind: &ApiResource) -> Cow<'_, str> {
        kind.plural.as_str().into()
    }

    fn meta(&self) -> &ObjectMeta {
        &self.meta
    }

    fn meta_mut(&mut self) -> &mut ObjectMeta {
        &mut self.meta
    }
}

#[cfg(test)]
mod tests {
    use kube::core::{ObjectList, WatchEvent};

    use super::*;

    const POD: &str = r#"{"kind":"Pod","metadata":{"name":"p","namespace":"n","resourceVersion":"7","managedFields":[{"manager":"m","operation":"Apply","fieldsV1":{"f:x":{}}}]},"spec":{"a": [1, 2]},"status":{"b":true}}"#;

    #[test]
    fn an_object_is_read_from_a_list_and_from_a_watch() {
        let list = format!(r#"{{"kind":"PodList","apiVersion":"v1","metadata":{{}},"items":[{POD}]}}"#);
        let list: ObjectList<RawObject> = serde_json::from_str(&list).unwrap();
        assert_eq!(list.items[0].text(), POD);
        let event = format!(r#"{{"type":"ADDED","object":{POD}}}"#);
        let WatchEvent::Added(pod) = serde_json::from_str::<WatchEvent<RawObject>>(&event).unwrap() else {
            panic!("an added object")
        };
        assert_eq!((pod.meta().resource_version.as_deref(), pod.text()), (Some("7"), POD));
        let head = pod.head().unwrap();
        assert_eq!((head.version(), head.managed_fields[0].manager.as_str()), (Some(7), "m"));
    }

    #[test]
    fn members_are_left_out_and_the_rest_stays_an_object() {
        let pod: RawObject = serde_json::from_str(POD).unwrap();
        #[rustfmt::skip]
        let cases = [
            ("one of each",     &["status"][..],                       &["managedFields"][..],
             r#"{"kind":"Pod","metadata":{"name":"p","namespace":"n","resourceVersion":"7"},"spec":{"a": [1, 2]}}"#),
            ("the last",        &["spec", "status", "kind"][..],       &["name", "namespace", "resourceVersion", "managedFields"][..],
             r#"{"metadata":{}}"#),
            ("everything",      &["spec", "status", "kind", "metadata"][..], &[][..], "{}"),
        ];
        for (why, members, of_metadata, expected) in cases {
            assert_eq!(pod.without(members, of_metadata).unwrap(), expected, "{why}");
        }
    }
}
