//! The program as its users meet it: started, spoken to, refused, killed.

#[path = "program/full_disk.rs"]
mod full_disk;
#[path = "program/hostile_names.rs"]
mod hostile_names;
#[path = "program/lifecycle.rs"]
mod lifecycle;
#[path = "program/refusals.rs"]
mod refusals;
#[path = "program/store.rs"]
mod store;
#[path = "program/support.rs"]
mod support;
