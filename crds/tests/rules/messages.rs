//! The messages of the rules. Each one says how to fix the value.

macro_rules! name {
    ($field:literal) => {
        concat!(
            $field,
            " is not a valid name: use lower-case letters, digits and '-'; start and end with a letter or digit"
        )
    };
}

macro_rules! object {
    ($field:literal) => {
        concat!(
            $field,
            " is not a valid object name: use lower-case letters, digits, '-' and '.'; start and end with a letter or digit"
        )
    };
}

macro_rules! label_value {
    ($field:literal) => {
        concat!(
            $field,
            " has a value that is not a valid label value: use at most 63 letters, digits, '-', '_' and '.'; start and end with a letter or digit"
        )
    };
}

macro_rules! own_key {
    ($field:literal) => {
        concat!(
            $field,
            " sets a key of marquee.dev/ or app.kubernetes.io/, which only Marquee may set: remove it"
        )
    };
}

macro_rules! amount {
    ($field:literal) => {
        concat!(
            $field,
            " has a value that is not an amount: write a number and a unit, such as 500m, 2 or 1Gi"
        )
    };
}

macro_rules! resource {
    ($kind:literal) => {
        concat!(
            "the name of a ",
            $kind,
            " is the prefix of its children's names: use at most 40 lower-case letters, digits and '-'; start with a letter"
        )
    };
}

// Names.
pub const MODEL_NAME: &str = resource!("RankingModel");
pub const LAYOUT_NAME: &str = resource!("PageLayout");
pub const NO_OBJECTIVE: &str = name!("objective");
pub const NO_SURFACE: &str = name!("surface");
pub const NO_NAME: &str = name!("name");
pub const NO_NAMESPACE: &str = name!("namespace");
pub const NO_OBJECT: &str = object!("name");
pub const NO_SECTION: &str = object!("sectionName");
pub const NO_SECRET: &str = object!("secretName");
pub const NO_CLAIM: &str = object!("claimName");
pub const FIXED_MODEL: &str = "surface is fixed for life: create another model for the other surface";
pub const FIXED_LAYOUT: &str = "surface is fixed for life: create another layout for the other surface";

// Artifacts.
pub const NO_SCHEME: &str =
    "uri has no supported scheme: start it with file://, s3://, gs://, az:// or https://";
pub const NOT_ABSOLUTE: &str = "uri is not an absolute path: write file:///path, with three slashes";
pub const NO_BUCKET: &str = "uri names no bucket, container or host: write it after the two slashes";
pub const PASSWORD: &str =
    "uri contains credentials, which everyone with read access to this resource could see: remove them";
pub const QUERY: &str = "uri contains a space, ? or #: name the folder itself, without a query";
pub const DOTS: &str = "uri contains . or .. as a folder: write the full path";
pub const UNPINNED: &str =
    "sha256 is missing: only a file:// artifact may omit it; add the output of `marquee-runtime digest URI`";
pub const NO_DIGEST: &str =
    "sha256 is not 64 lower-case hex digits: copy the output of `marquee-runtime digest URI`";
pub const ELSEWHERE: &str = "uri is outside the volume: start uri with file:// and the volume's mountPath";
pub const NO_NEED: &str = "a file:// artifact needs no credentials: remove them";
pub const NO_FOLDER: &str =
    "mountPath is not an absolute path: write it like /artifacts, without a slash at the end";
pub const HIDES: &str = "mountPath hides a folder that the pod needs: choose another, such as /artifacts";

// Durations.
pub const DELAY: &str =
    "maxDelay is not a duration from 0ms to 100ms: write a number and a unit (us, ms, s, m), such as 2ms";
pub const NO_COMPANY: &str =
    "maxBatch is 1, so no request may wait for others: remove maxDelay, or raise maxBatch";
pub const DEADLINE: &str =
    "deadline is not a duration from 1ms to 10s: write a number and a unit (us, ms, s, m), such as 100ms";
pub const PROGRESS: &str = "progressDeadline is not a duration from 1s to 60m: write a number and a unit (us, ms, s, m), such as 10m";

// Sizes.
pub const BODY: &str =
    "maxBody is not a size from 64Ki to 1024Mi: write a whole number and Ki or Mi, such as 8Mi";

// Rows of a page.
pub const TWICE: &str = "two candidate rows have the same name: rename one";
pub const ONE_SOURCE: &str =
    "a row needs exactly one source: set one of model, genre, popular (as {}) and becauseYouWatched";
pub const TITLE: &str = "{title} stands for the watched title, which only a becauseYouWatched row has: remove it from the heading";
pub const BRACE: &str = "heading contains a brace outside {title}: {title} is the only placeholder";
pub const ONE_LINE: &str =
    "heading starts or ends with a space, or contains a line break: write it on one line";
pub const NO_HOST: &str = "hostnames has an invalid host name: write it in lower case without scheme and port, such as home.example.com";

// Pods.
pub const UPSIDE_DOWN: &str = "replicas.min is above replicas.max: lower min, or raise max";
pub const NO_REQUEST: &str = amount!("requests");
pub const NO_LIMIT: &str = amount!("limits");
pub const NODE_VALUE: &str = label_value!("nodeSelector");
pub const POD_VALUE: &str = label_value!("podLabels");
pub const OWN_LABEL: &str = own_key!("podLabels");
pub const OWN_ANNOTATION: &str = own_key!("podAnnotations");
pub const VALUE_OF_ANY: &str = "a toleration with the operator Exists has no value: leave it out";
pub const NO_KEY: &str = "a toleration without a key needs the operator Exists, and tolerates every taint";
pub const NO_EXECUTE: &str =
    "tolerationSeconds counts for the effect NoExecute only: set it, or leave tolerationSeconds out";
pub const ACCOUNT_ANNOTATION: &str = own_key!("annotations");
pub const NO_PRIORITY: &str = object!("priorityClassName");
pub const NO_RUNTIME: &str = object!("runtimeClassName");
pub const NO_SCHEDULER: &str = object!("schedulerName");
pub const ONE_ACCOUNT: &str = "serviceAccount needs exactly one of annotations and name: annotations are for the account that Marquee makes, name is another account";
pub const NO_VARIABLE: &str =
    "name is not the name of a variable: use letters, digits and '_'; start with a letter or '_'";
pub const OWN_VARIABLE: &str = "the operator sets this variable or its flag itself: remove it";
pub const ONE_VALUE: &str = "a variable needs exactly one of value and valueFrom: set one of them";
pub const ONE_REF: &str = "valueFrom needs exactly one of secretKeyRef and configMapKeyRef: set one of them";
pub const NO_KEY_OF_OBJECT: &str =
    "key is not the key of a Secret or ConfigMap: use letters, digits, '-', '_' and '.'";
pub const SAME_VARIABLE: &str = "two variables have the same name: remove one";
pub const NO_VALUES: &str = "values does not suit the operator: set values with In, NotIn, Gt and Lt; remove it with Exists and DoesNotExist";
