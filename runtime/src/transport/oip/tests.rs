use std::sync::Arc;

use super::*;
use crate::service::{
    Unobserved,
    plan::{Awaited, Plan},
};

#[test]
fn a_model_that_loads_is_not_ready_and_an_unknown_one_is_not_found() {
    let service = Service::new(Arc::new(Unobserved));
    let awaited = Awaited { objectives: vec!["slow".into()], surfaces: Vec::new() };
    service.serve(Plan::new(Vec::new(), Vec::new(), awaited));
    assert_eq!(is_model_ready(&service, "slow", None), Ok(false));
    assert_eq!(is_model_ready(&service, "slow", Some("")), Ok(false));
    let unknown = is_model_ready(&service, "other", None).unwrap_err();
    assert!(matches!(&unknown, ServeError::NotFound(text) if text.contains("\"other\"")), "{unknown}");
}
