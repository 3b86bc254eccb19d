//! What users write to choose rows of a table.
//!
//! One grammar for every table and every screen, API and command line alike:
//!
//! ```text
//! port:443 process:nginx -state:time_wait rtt:>50ms /regex/
//! (user:www-data or unit:nginx) receive_rate:>=1Mbit remote:10.0.0.0/8 "quoted text"
//! ```
//!
//! A table is described by its [`Field`]s, as data: [`Filter::parse`] reads a text for that table,
//! [`page()`] filters, sorts and cuts. [`ss`] reads the filter language of the tool `ss`.
//!
//! Absences: no row of any table is known here, nothing is read from files, the network or a clock.
#![forbid(unsafe_code)]

mod condition;
mod error;
mod field;
mod filter;
mod lexer;
mod page;
mod parser;
mod quantity;
mod services;
pub mod ss;

pub use error::FilterError;
pub use field::{Field, Kind, Value, Values};
pub use filter::Filter;
pub use page::{Order, Page, SortError, page};
pub use services::Services;
