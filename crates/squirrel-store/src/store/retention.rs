//! Which blocks are old enough to go.
//!
//! A clock can be wrong by years. So a block goes only when two measures agree: the clock, and the
//! time that the records newer than it cover. In the second measure a stretch without any record
//! counts as a day at most; a clock that jumps makes such a stretch, however long it seems.

use crate::block::BlockMeta;

const DAY_MS: i64 = 24 * 60 * 60 * 1000;

/// Places in `blocks` of those that are older than the retention.
pub(super) fn expired(blocks: &[BlockMeta], head_max_ms: Option<i64>, now_ms: i64, retention_ms: i64) -> Vec<usize> {
    let mut order: Vec<usize> = (0..blocks.len()).collect();
    let newest_first = |at: &usize| std::cmp::Reverse(blocks.get(*at).map_or(0, |block| block.max_ms));
    order.sort_by_key(newest_first);
    let newest = blocks.iter().map(|block| block.max_ms).chain(head_max_ms).max().unwrap_or(now_ms);
    let (mut covered, mut reached) = (0i64, newest);
    let mut expired = Vec::new();
    for at in order {
        let Some(block) = blocks.get(at) else { continue };
        // Below zero where blocks overlap: late samples have a block of their own beside that of their window.
        let gap = reached.saturating_sub(block.max_ms).min(DAY_MS);
        let age_by_records = covered.saturating_add(gap);
        let age_by_clock = now_ms.saturating_sub(block.max_ms);
        if age_by_records > retention_ms && age_by_clock > retention_ms {
            expired.push(at);
        }
        if block.min_ms < reached {
            covered = age_by_records.saturating_add(block.max_ms.saturating_sub(block.min_ms));
            reached = block.min_ms;
        }
    }
    expired
}

/// Places in `blocks` of the oldest, so many that the others have no more bytes than allowed; the newest stays in any
/// case. No limit when it is 0.
pub(super) fn beyond_size(blocks: &[(BlockMeta, u64)], most_bytes: u64) -> Vec<usize> {
    if most_bytes == 0 {
        return Vec::new();
    }
    let mut order: Vec<usize> = (0..blocks.len()).collect();
    order.sort_by_key(|at| std::cmp::Reverse(blocks.get(*at).map_or(0, |(block, _)| block.max_ms)));
    let mut kept = 0u64;
    order
        .into_iter()
        .enumerate()
        .filter(|(rank, at)| {
            kept = kept.saturating_add(blocks.get(*at).map_or(0, |(_, bytes)| *bytes));
            *rank > 0 && kept > most_bytes
        })
        .map(|(_, at)| at)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const H2: i64 = 7_200_000;
    const WEEKS2: i64 = 14 * DAY_MS;
    const T: i64 = 1_700_000_000_000;

    fn block(min_ms: i64) -> BlockMeta {
        BlockMeta { min_ms, max_ms: min_ms + H2 - 1000, ..BlockMeta::default() }
    }

    fn days(n: i64, from: i64) -> Vec<BlockMeta> {
        (0..n * 12).map(|i| block(from + i * H2)).collect()
    }

    #[test]
    fn what_is_older_than_the_retention_goes_and_nothing_else() {
        let blocks = days(20, T);
        let now = T + 20 * DAY_MS;
        let gone = expired(&blocks, Some(now), now, WEEKS2);
        let oldest_kept =
            blocks.iter().enumerate().filter(|(i, _)| !gone.contains(i)).map(|(_, b)| b.min_ms).min().unwrap();
        assert!((now - WEEKS2 - oldest_kept).abs() <= 2 * H2, "{} s", (now - WEEKS2 - oldest_kept) / 1000);
    }

    #[test]
    fn late_samples_are_kept_as_long_as_those_of_their_window() {
        let blocks = [block(T + 60 * H2), block(T), block(T)];
        let now = T + 70 * H2;
        assert!(expired(&blocks, None, now, 60 * H2).is_empty(), "exactly as old as the retention");
        assert_eq!(expired(&blocks, None, now, DAY_MS), [1, 2]);
    }

    #[test]
    fn a_clock_that_jumps_by_years_deletes_nothing() {
        let mut blocks = days(10, T);
        let years = T + 10 * 365 * DAY_MS;
        assert!(expired(&blocks, Some(T + 10 * DAY_MS), years, WEEKS2).is_empty(), "only the clock jumped");
        blocks.push(block(years));
        assert!(expired(&blocks, Some(years + H2), years + H2, WEEKS2).is_empty(), "records were made after the jump");
        blocks.push(block(T + 10 * DAY_MS));
        assert!(expired(&blocks, Some(T + 10 * DAY_MS + H2), T, WEEKS2).is_empty(), "and it jumped back");
    }

    #[test]
    fn a_month_in_a_drawer_does_not_empty_a_laptop() {
        let blocks = days(14, T);
        let back = T + 44 * DAY_MS;
        let gone = expired(&blocks, Some(back), back, WEEKS2).len();
        assert!(gone <= 13, "{gone} blocks: a stretch without records counts as one day");
    }

    #[test]
    fn above_the_size_the_oldest_go_whatever_the_clock_says() {
        let blocks: Vec<(BlockMeta, u64)> = days(1, T).into_iter().rev().map(|meta| (meta, 10)).collect();
        let gone = |most| beyond_size(&blocks, most);
        assert!(gone(0).is_empty() && gone(120).is_empty());
        assert_eq!(gone(100), [10, 11], "the last of this list are the oldest");
        assert_eq!(gone(1).len(), 11, "the newest stays");
    }

    proptest! {
        #[test]
        fn no_block_goes_before_both_measures_say_so(
            starts in prop::collection::vec(0i64..400, 0..60), jump in -4000i64..4000, keep in 1i64..30,
        ) {
            let blocks: Vec<BlockMeta> = starts.iter().map(|start| block(T + start * H2)).collect();
            let now = T + 400 * H2 + jump * DAY_MS;
            let retention = keep * DAY_MS;
            for at in expired(&blocks, None, now, retention) {
                let age_by_clock = now - blocks[at].max_ms;
                let newest = blocks.iter().map(|b| b.max_ms).max().unwrap();
                prop_assert!(age_by_clock > retention);
                prop_assert!(newest - blocks[at].max_ms > retention);
            }
        }
    }
}
