//! Rights that a role grants, from RBAC rules, and rights in use, from an API server's audit log.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

use serde_json::Value;

use crate::Outcome;

/// A verb on a resource of an API group, `resource/subresource` where there is one.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Right {
    /// Empty for the core group.
    pub group: String,
    /// The resource in the plural.
    pub resource: String,
    /// `list`, `patch`, …
    pub verb: String,
}

/// Requests of one user.
#[derive(Debug, Default)]
pub struct UserRequests {
    /// Rights in use, with the number of requests.
    pub used: BTreeMap<Right, usize>,
    /// Forbidden requests: verb and path.
    pub forbidden: BTreeSet<String>,
}

/// Every right in the `rules` of a Role or ClusterRole.
pub fn granted(role: &Value) -> BTreeSet<Right> {
    let words = |rule: &Value, field: &str| -> Vec<String> {
        rule[field].as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
    };
    let mut rights = BTreeSet::new();
    for rule in role["rules"].as_array().into_iter().flatten() {
        for group in words(rule, "apiGroups") {
            for resource in words(rule, "resources") {
                for verb in words(rule, "verbs") {
                    rights.insert(Right { group: group.clone(), resource: resource.clone(), verb });
                }
            }
        }
    }
    rights
}

/// The requests of `user`, from an audit log with one line for each request. Paths that are not resources, such as discovery,
/// are open to everyone and left out.
pub fn user_requests(audit_log: &Path, user: &str) -> Outcome<UserRequests> {
    let mut requests = UserRequests::default();
    for line in fs::read_to_string(audit_log)?.lines() {
        // The last line may be incomplete.
        let Ok(event) = serde_json::from_str::<Value>(line) else { continue };
        if event["user"]["username"] != user {
            continue;
        }
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let code = event["responseStatus"]["code"].as_u64().unwrap_or_default();
        if code == 403 {
            requests.forbidden.insert(format!(
                "{} {}: {}",
                text(&event["verb"]),
                text(&event["requestURI"]),
                text(&event["responseStatus"]["message"])
            ));
            continue;
        }
        let object = &event["objectRef"];
        if object.is_null() {
            continue;
        }
        let mut resource = text(&object["resource"]);
        if let Some(part) = object["subresource"].as_str() {
            resource = format!("{resource}/{part}");
        }
        let right =
            |verb: String| Right { group: text(&object["apiGroup"]), resource: resource.clone(), verb };
        // Server-side apply of a new object needs `patch` and `create` together.
        let verb = text(&event["verb"]);
        if verb == "patch" && code == 201 {
            *requests.used.entry(right("create".into())).or_default() += 1;
        }
        *requests.used.entry(right(verb)).or_default() += 1;
    }
    Ok(requests)
}
