//! Reading a block: by `pread`, a page of 64 series at a time, with everything checked.

use std::collections::BTreeSet;
use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use squirrel_model::{Samples, TimeRange, Timestamp};

use super::compact::Records;
use super::footer::{self, End, PageRef, Section};
use super::page::{ChunkRef, Page};
use super::{BlockMeta, TIERS};
use crate::bytes::Reader;
use crate::codec;
use crate::dir::{Dir, ReadAt};
use crate::format::{FileHeader, FileKind, HEADER_LEN};
use crate::head::append_run;
use crate::series::{Definition, SeriesId, read_definitions};

/// What was found damaged in blocks; shared by all of them.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    pub(crate) chunks: AtomicU64,
    pub(crate) pages: AtomicU64,
    pub(crate) blocks: AtomicU64,
}

/// Why a block cannot be opened.
#[derive(Debug)]
pub(crate) enum BlockFault {
    Io(io::Error),
    Damaged,
    Newer(u16),
}

/// An open block.
#[derive(Debug)]
pub(crate) struct Block {
    pub(crate) path: String,
    pub(crate) meta: BlockMeta,
    pub(crate) len: u64,
    /// Whether its header or one of its footers is damaged; nothing is lost by that.
    pub(crate) bruised: bool,
    pub(super) pages: Vec<PageRef>,
    pub(super) file: Arc<dyn ReadAt>,
    /// The page read last: queries read series in order.
    last_page: Mutex<Option<(usize, Arc<Page>)>>,
    /// Places of damage that are counted already.
    known_damage: Mutex<BTreeSet<u64>>,
    ledger: Arc<Ledger>,
}

/// Bytes at the end of a block that are read at first; they hold both footers of a block of about
/// 100,000 series.
const END_BYTES: u64 = 128 << 10;

impl Block {
    /// Opens a block.
    pub(crate) fn open(dir: &dyn Dir, path: &str, ledger: Arc<Ledger>) -> Result<Self, BlockFault> {
        let file = dir.open(path).map_err(BlockFault::Io)?;
        let len = file.len().map_err(BlockFault::Io)?;
        let mut wanted = END_BYTES.min(len);
        let (meta, pages, spare) = loop {
            let mut end = vec![0; wanted as usize];
            file.read_at(len - wanted, &mut end).map_err(BlockFault::Io)?;
            match footer::read(&end) {
                End::Good { meta, pages, spare } => break (meta, pages, spare),
                End::Newer(version) => return Err(BlockFault::Newer(version)),
                // A footer larger than expected.
                End::Damaged if wanted < len => wanted = (wanted * 16).min(len),
                End::Damaged => return Err(BlockFault::Damaged),
            }
        };
        if usize::from(meta.tier) >= TIERS.len() || pages.iter().any(|page| !page.fits(len)) {
            return Err(BlockFault::Damaged);
        }
        let mut header = [0; HEADER_LEN];
        let header = file.read_at(0, &mut header).map(|()| header).map_err(BlockFault::Io)?;
        let bruised = spare || FileHeader::read(FileKind::Block, &header).is_err();
        Ok(Self {
            path: path.to_owned(),
            meta,
            len,
            bruised,
            pages,
            file,
            last_page: Mutex::default(),
            known_damage: Mutex::default(),
            ledger,
        })
    }

    pub(crate) fn overlaps(&self, range: TimeRange) -> bool {
        range.overlaps(TimeRange::new(Timestamp(self.meta.min_ms), Timestamp(self.meta.max_ms)))
    }

    pub(super) fn section(&self, section: Section) -> io::Result<Option<Vec<u8>>> {
        let mut bytes = vec![0; section.len as usize];
        self.file.read_at(section.offset, &mut bytes)?;
        Ok((crc32c::crc32c(&bytes) == section.crc).then_some(bytes))
    }

    /// A page; `None` when it is damaged, which is counted once.
    pub(super) fn page(&self, number: usize) -> io::Result<Option<Arc<Page>>> {
        let mut last = self.last_page.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((held, page)) = last.as_ref()
            && *held == number
        {
            return Ok(Some(page.clone()));
        }
        let Some(place) = self.pages.get(number) else { return Ok(None) };
        let page = self.section(place.entries)?.and_then(|bytes| Page::read(&bytes, place.chunks_at));
        let Some(page) = page else {
            drop(last);
            self.damage(place.entries.offset, &self.ledger.pages, "the places of 64 series");
            return Ok(None);
        };
        let page = Arc::new(page);
        *last = Some((number, page.clone()));
        Ok(Some(page))
    }

    fn page_of(&self, id: SeriesId) -> Option<usize> {
        self.pages.partition_point(|page| page.first_id <= id).checked_sub(1)
    }

    fn damage(&self, offset: u64, counter: &AtomicU64, what: &str) {
        let mut known = self.known_damage.lock().unwrap_or_else(PoisonError::into_inner);
        if known.insert(offset) {
            counter.fetch_add(1, Ordering::Relaxed);
            tracing::warn!(
                block = self.path,
                offset,
                "{what} cannot be read: damaged on disk; the rest of the block is used"
            );
        }
    }

    /// Merges the samples of a series into `out`, from every chunk that touches the range.
    pub(crate) fn read(&self, id: SeriesId, range: TimeRange, out: &mut Samples) -> io::Result<()> {
        let Some(number) = self.page_of(id) else { return Ok(()) };
        let Some(page) = self.page(number)? else { return Ok(()) };
        let chunks = page.find(id);
        let touches = |chunk: &ChunkRef| chunk.overlaps(range);
        let from = chunks.iter().position(touches);
        let to = chunks.iter().rposition(touches);
        let (Some(from), Some(to)) = (from, to) else { return Ok(()) };
        let chunks = chunks.get(from..=to).unwrap_or_default();
        let (Some(first), Some(last)) = (chunks.first(), chunks.last()) else { return Ok(()) };
        let end = last.offset.saturating_add(u64::from(last.len));
        if end > self.len {
            self.damage(first.offset, &self.ledger.chunks, "a chunk");
            return Ok(());
        }
        // Chunks of a series lie one behind the other: one read for all.
        let mut bytes = vec![0; (end - first.offset) as usize];
        self.file.read_at(first.offset, &mut bytes)?;
        let mut reader = Reader::new(&bytes);
        let mut run = Samples::default();
        for chunk in chunks {
            let record = reader.take(chunk.len as usize).unwrap_or_default();
            if record_samples(record, id, &mut run).is_none() {
                self.damage(chunk.offset, &self.ledger.chunks, "a chunk");
            }
        }
        append_run(out, &run);
        Ok(())
    }

    /// The chunk records of a series, each checked; `None` when something is damaged.
    pub(super) fn records(&self, id: SeriesId) -> io::Result<Option<Records>> {
        let Some(number) = self.page_of(id) else { return Ok(Some(Records::default())) };
        let Some(page) = self.page(number)? else { return Ok(None) };
        let chunks = page.find(id);
        let (Some(first), Some(last)) = (chunks.first(), chunks.last()) else { return Ok(Some(Records::default())) };
        let end = last.offset.saturating_add(u64::from(last.len));
        let Some(len) = end.checked_sub(first.offset).filter(|_| end <= self.len) else { return Ok(None) };
        let mut bytes = vec![0; len as usize];
        self.file.read_at(first.offset, &mut bytes)?;
        let records = Records::checked(id, chunks, bytes);
        if records.is_none() {
            self.damage(first.offset, &self.ledger.chunks, "a chunk");
        }
        Ok(records)
    }

    /// For rising `ids`, sets `present` where a series has a chunk in the range; those that are set
    /// already are passed over.
    pub(crate) fn mark(&self, ids: &[SeriesId], range: TimeRange, present: &mut [bool]) -> io::Result<()> {
        let whole = range.contains(Timestamp(self.meta.min_ms)) && range.contains(Timestamp(self.meta.max_ms));
        let mut held: Option<(usize, Option<Arc<Page>>)> = None;
        for (id, present) in ids.iter().zip(present).filter(|(_, present)| !**present) {
            let Some(number) = self.page_of(*id) else { continue };
            if held.as_ref().is_none_or(|(other, _)| *other != number) {
                held = Some((number, self.page(number)?));
            }
            if let Some((_, Some(page))) = &held {
                let chunks = page.find(*id);
                *present = if whole { !chunks.is_empty() } else { chunks.iter().any(|chunk| chunk.overlaps(range)) };
            }
        }
        Ok(())
    }

    /// Hands over the ids of all series in the block; answers whether all pages could be read.
    pub(crate) fn each_id(&self, mut each: impl FnMut(SeriesId)) -> io::Result<bool> {
        let mut all = true;
        for number in 0..self.pages.len() {
            match self.page(number)? {
                Some(page) => page.iter().for_each(|(id, _)| each(id)),
                None => all = false,
            }
        }
        Ok(all)
    }

    /// The labels of the block's series, as far as they can be read.
    pub(crate) fn definitions(&self) -> io::Result<Vec<Definition>> {
        let mut all = Vec::new();
        for page in &self.pages {
            let read = self.section(page.labels)?.and_then(|bytes| read_definitions(&mut Reader::new(&bytes)));
            match read {
                Some(definitions) => all.extend(definitions),
                None => self.damage(page.labels.offset, &self.ledger.pages, "the labels of 64 series"),
            }
        }
        Ok(all)
    }
}

impl PageRef {
    fn fits(&self, len: u64) -> bool {
        [self.entries, self.labels]
            .iter()
            .all(|section| section.offset.checked_add(u64::from(section.len)).is_some_and(|end| end <= len))
    }
}

/// Adds the samples of a chunk record, if it is whole and of this series.
pub(super) fn record_samples(record: &[u8], id: SeriesId, out: &mut Samples) -> Option<()> {
    let mut reader = Reader::new(record);
    let crc = reader.u32()?;
    if crc32c::crc32c(reader.rest()) != crc || reader.varint()? != id.0 {
        return None;
    }
    codec::decode(reader.rest(), out).ok()
}
