//! Which revision answers, and when: pure.
