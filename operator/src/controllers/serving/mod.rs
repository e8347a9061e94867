//! The decisions and reports that both kinds share: which revisions answer, which children exist, and what the status says. Pure.
//!
//! [`decide`] turns a workload and what exists into a [`Plan`]; once the children are applied, [`inputs`] compares the plan with
//! what was applied, and [`status`] says the result, with [`conditions`], [`summary`] and [`transitions`].

pub mod decide;

pub mod inputs;

pub mod status;

pub mod conditions;

pub mod summary;

pub mod transitions;

use std::time::Duration;

use k8s_openapi::jiff::Timestamp;

use crate::{child::Child, resources::Workload};

/// What should exist for one resource. `D` says how it is served.
#[derive(Clone, Debug)]
pub struct Plan<'a, D> {
    /// The spec, in the terms of Kubernetes.
    pub workload: Workload<'a>,
    /// How the resource is served.
    pub decision: D,
    /// Every child that should exist. Others that the operator made for this resource are deleted.
    pub children: Vec<Child>,
    /// When to decide again although nothing changed, e.g. at a deadline.
    pub look_again: Option<Duration>,
    /// The time of the decision, in whole seconds.
    pub now: Timestamp,
}

impl<'a, D> Plan<'a, D> {
    /// A plan without children.
    pub fn without_children(workload: Workload<'a>, decision: D, now: Timestamp) -> Self {
        Self { workload, decision, children: Vec::new(), look_again: None, now }
    }

    /// The same plan, with another description of how the resource is served.
    pub fn map<E>(self, decision: impl FnOnce(D) -> E) -> Plan<'a, E> {
        let Self { workload, decision: before, children, look_again, now } = self;
        Plan { workload, decision: decision(before), children, look_again, now }
    }
}

/// `now` in whole seconds, like the times in a status. A status that was written and read back then equals the decided one.
pub fn whole_seconds(now: Timestamp) -> Timestamp {
    Timestamp::from_second(now.as_second()).unwrap_or(now)
}
