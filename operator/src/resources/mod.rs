//! Pure builders, one child kind a file: a resource in, a child object out.
