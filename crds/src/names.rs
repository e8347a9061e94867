//! The name of every child, in one place.
//!
//! The suffixes distinguish the children of a RankingModel and of a PageLayout with the same name.

/// Longest allowed name of a resource, so that the name of every child, including pods, fits in a DNS label.
pub const LONGEST: usize = 40;

/// Number of hex digits in the name of a revision.
pub const REVISION_DIGITS: usize = 8;

/// Port of pods for HTTP: pages, probes, metrics.
pub const HTTP_PORT: i32 = 8080;
/// Port of pods for gRPC.
pub const GRPC_PORT: i32 = 9000;
/// Name of the HTTP port.
pub const HTTP_PORT_NAME: &str = "http";
/// Name of the gRPC port.
pub const GRPC_PORT_NAME: &str = "grpc";
/// The container that serves.
pub const CONTAINER: &str = "runtime";
/// Key of a revision's ConfigMap that holds the `PodConfig`.
pub const CONFIG_KEY: &str = "config.json";
/// Folder where pods mount the ConfigMap.
pub const CONFIG_FOLDER: &str = "/etc/marquee";
/// Folder where pods mount the Secrets for artifacts: one folder per Secret, one file per key.
pub const CREDENTIALS_FOLDER: &str = "/etc/marquee-credentials";
/// Folder where pods cache fetched artifacts.
pub const CACHE_FOLDER: &str = "/var/cache/marquee";
/// The ClusterRole (or Role) that lets a page pod read the traffic of models.
pub const PAGE_READER_ROLE: &str = "marquee-page-reader";
/// The Lease for leader election.
pub const LEADER_LEASE: &str = "marquee-operator-leader";

/// Name of the children that a RankingModel has once: ServiceAccount, Service, PodDisruptionBudget, NetworkPolicy.
pub fn ranker(model: &str) -> String {
    format!("{model}-ranker")
}

/// Name of the children that each revision of a RankingModel has: Deployment, HorizontalPodAutoscaler, ConfigMap, Service.
pub fn ranker_revision(model: &str, revision: &str) -> String {
    format!("{model}-ranker-{revision}")
}

/// Name of the children that a PageLayout has once: ServiceAccount, RoleBinding, Service, PodDisruptionBudget, NetworkPolicy, routes.
pub fn page(layout: &str) -> String {
    format!("{layout}-page")
}

/// Name of the children that each revision of a PageLayout has: Deployment, HorizontalPodAutoscaler, ConfigMap.
pub fn page_revision(layout: &str, revision: &str) -> String {
    format!("{layout}-page-{revision}")
}

/// `host:port` of the gRPC port of a Service. The resolver's search path adds the cluster's domain.
pub fn endpoint(service: &str, namespace: &str) -> String {
    format!("{service}.{namespace}.svc:{GRPC_PORT}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_name_leaves_room_for_what_is_added() {
        let longest = "m".repeat(LONGEST);
        let deployment = ranker_revision(&longest, &"0".repeat(REVISION_DIGITS));
        assert!(deployment.len() <= 63, "a Service's name is a DNS label");
        // A ReplicaSet adds a dash and up to ten letters; a pod adds five more to at most 58 letters.
        assert!(deployment.len() < 58, "{deployment}: pods keep the revision in their names");
    }

    #[test]
    fn children_of_two_kinds_never_share_a_name() {
        assert_ne!(ranker("home"), page("home"));
        assert_ne!(ranker_revision("home", "0123abcd"), page_revision("home", "0123abcd"));
    }
}
