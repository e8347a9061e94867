//! The three commands end to end, as a person would run them.

mod world;

mod training;

mod measuring;

mod full_disk;

mod movielens;
