//! Series and samples on disk.
//!
//! What the store promises:
//!
//! - After the end of the program, however sudden, nothing that was acknowledged is missing.
//! - After a loss of power at most what the sync policy allows is missing, and nothing older.
//! - A damaged byte costs at most the record that it is in, is counted and reported, and never keeps
//!   the store from opening.
//! - A full or failing disk ends nothing: samples stay in memory, and writing resumes by itself.
//!
//! In full, with the tests that prove each:
//!
//! | promise | tests |
//! |---|---|
//! | P1 after a kill at any moment all that was acknowledged is there, nothing is invented | `nothing_acknowledged_is_lost_when_the_writer_is_killed_at_any_moment`, `a_crash_at_any_point_of_maintenance_loses_nothing_and_repeats_nothing` |
//! | P2 a loss of power takes what the sync policy allows and nothing older | `after_any_loss_of_power_what_was_synced_is_there_and_nothing_is_invented`, `with_seconds_between_syncs_a_loss_of_power_takes_no_more_than_those`, `what_was_synced_outlasts_any_loss_of_power` |
//! | P3 a damaged record costs itself, is counted, and the store opens | `one_flipped_byte_in_any_file_costs_only_its_record_and_is_reported`, `a_file_cut_short_or_missing_or_empty_never_keeps_the_store_from_opening`, `one_flipped_byte_costs_at_most_a_minute_and_the_loss_is_counted_exactly` |
//! | P4 a disk that is full, over quota or read-only at any operation ends nothing, and writing resumes without a restart | `whichever_operation_fails_nothing_is_lost_and_writing_resumes`, `no_error_of_a_disk_ends_writing_for_good`, `a_full_disk_for_minutes_keeps_every_tick_in_memory_and_catches_up`, `collection_goes_on_and_writing_resumes_when_there_is_space` |
//! | P5 a sync that fails loses nothing that was acknowledged, and is said | `a_failed_sync_or_write_loses_nothing_for_any_operation_that_fails` |
//! | P6 the clock may step by seconds, an hour or years, forwards and back | `whatever_step_the_clock_makes_nothing_goes_and_ticks_are_kept_again_within_a_minute`, `a_clock_set_back_by_seconds_drops_ticks_and_by_an_hour_covers_the_time_twice`, `a_clock_that_jumps_by_ten_years_and_back_leaves_everything_in_its_place` |
//! | P7 a second program with the same folder is refused | `a_second_program_is_told_who_holds_the_folder_and_what_to_do`, `the_lock_is_held_by_one_and_freed_by_dropping` |
//! | P8 what an older version wrote is read, and what a newer one wrote is refused untouched | `what_format_1_wrote_is_read_for_ever`, `what_format_2_wrote_is_read_for_ever_and_written_the_same`, `a_newer_format_is_refused_for_every_kind_of_file` |
//! | P9 what is not expired is not deleted, whatever the clock says | `a_clock_that_jumps_by_years_deletes_nothing`, `what_is_older_than_the_retention_goes_and_nothing_else` |
//! | P10 a backup taken while writing restores | `a_backup_taken_while_blocks_are_cut_and_merged_has_every_acknowledged_sample_and_no_other`, `a_backup_of_a_running_daemon_is_sound_and_serves_what_was_stored` |
//!
//! How a sample travels: [`Store::append`] writes one frame a tick to the *log* and shows the row to
//! readers. [`Store::maintain`] compresses rows into *parts* in memory, and once in two hours writes
//! the parts of a window as a *block*, after which the log segments that held them are deleted.
//! All of these are immutable, so a reader's [`StoreReader::snapshot`] is a handful of references.
//!
//! Absences: no HTTP, no PromQL, no clock (moments are arguments), no thread that outlives a call; nothing
//! here touches the disk but through [`dir`].
#![forbid(unsafe_code)]

mod block;
mod bytes;
pub mod codec;
pub mod dir;
mod error;
mod format;
mod head;
mod metrics;
pub mod offline;
mod options;
mod report;
mod select;
mod series;
mod store;
mod tier;
mod view;
mod wal;

pub use error::StoreError;
pub use metrics::METRICS;
pub use options::{CoarseLimit, Stopwatch, StoreOptions, SyncPolicy};
pub use report::{AppendReport, DeleteReport, Dropped, MaintainReport, OpenReport, StoreReport};
pub use store::{Store, would_delete};
pub use view::StoreReader;
