//! Writing a block.

use std::io;
use std::sync::Arc;

use squirrel_model::Samples;

use super::footer::{self, PageRef, Section};
use super::page::{ChunkRef, Page};
use super::{BlockMeta, PAGE_SERIES, TIERS, file_name};
use crate::bytes::put_varint;
use crate::codec::{Encoder, MAX_SAMPLES};
use crate::dir::{Append, Dir};
use crate::format::{FileHeader, FileKind};
use crate::head::{Part, visit_merged};
use crate::series::{Definition, Index, SeriesId, put_definitions};
use crate::tier;

/// Bytes that are gathered before they are written.
const BUFFER: usize = 1 << 20;

/// Which block to write.
#[derive(Clone, Copy, Debug)]
pub(crate) struct BlockPlan {
    /// 0 for full resolution.
    pub(crate) tier: u8,
    pub(crate) start_ms: i64,
    pub(crate) end_ms: i64,
    pub(crate) covers_seq: u64,
}

/// A block under way.
pub(crate) struct Writer<'a> {
    file: Box<dyn Append>,
    buffer: Vec<u8>,
    /// Bytes in the file and the buffer.
    at: u64,
    index: &'a Index,
    encoder: Encoder,
    meta: BlockMeta,
    page: Page,
    definitions: Vec<Definition>,
    /// Finished pages and labels, which follow the chunks.
    pages: Vec<(Page, Vec<Definition>)>,
    record: Vec<u8>,
}

/// Writes the samples of parts, all of one window, as a block. Answers the block's path.
pub(crate) fn write_block(dir: &dyn Dir, plan: BlockPlan, parts: &[Arc<Part>], index: &Index) -> io::Result<String> {
    written(dir, plan, index, |writer| visit_merged(parts, |id, samples| writer.series(id, samples)))
}

/// Writes a block that `fill` fills: under a temporary name first, synced, renamed, the folder synced. Answers the
/// block's path.
pub(crate) fn written(
    dir: &dyn Dir,
    plan: BlockPlan,
    index: &Index,
    fill: impl FnOnce(&mut Writer<'_>) -> io::Result<()>,
) -> io::Result<String> {
    let folder = TIERS.get(usize::from(plan.tier)).copied().unwrap_or(TIERS[0]);
    let name = file_name(plan.start_ms, plan.covers_seq);
    let (temporary, path) = (format!("{folder}/tmp-{name}"), format!("{folder}/{name}"));
    let _ = dir.remove(&temporary); // left behind by an earlier attempt
    let filled = Writer::create(dir, &temporary, plan, index).and_then(|mut writer| {
        fill(&mut writer)?;
        writer.finish()
    });
    if let Err(error) = filled.and_then(|()| dir.rename(&temporary, &path)) {
        let _ = dir.remove(&temporary);
        return Err(error);
    }
    dir.sync_folder(folder)?;
    Ok(path)
}

impl<'a> Writer<'a> {
    fn create(dir: &dyn Dir, path: &str, plan: BlockPlan, index: &'a Index) -> io::Result<Self> {
        let mut buffer = Vec::with_capacity(BUFFER + (1 << 16));
        FileHeader { kind: FileKind::Block, a: plan.start_ms as u64, b: plan.covers_seq }.put(&mut buffer);
        Ok(Self {
            file: dir.create(path)?,
            at: buffer.len() as u64,
            buffer,
            index,
            encoder: Encoder::new(),
            meta: BlockMeta {
                tier: plan.tier,
                start_ms: plan.start_ms,
                end_ms: plan.end_ms,
                min_ms: i64::MAX,
                max_ms: i64::MIN,
                covers_seq: plan.covers_seq,
                ..BlockMeta::default()
            },
            page: Page::default(),
            definitions: Vec::new(),
            pages: Vec::new(),
            record: Vec::new(),
        })
    }

    /// Adds a series with rising id, encoding its samples.
    pub(crate) fn series(&mut self, id: SeriesId, samples: &Samples) -> io::Result<()> {
        let (Some(&first), Some(&last)) = (samples.times.first(), samples.times.last()) else { return Ok(()) };
        let mut chunks = Vec::with_capacity(samples.len().div_ceil(MAX_SAMPLES));
        for (times, values) in samples.times.chunks(MAX_SAMPLES).zip(samples.values.chunks(MAX_SAMPLES)) {
            self.record.clear();
            self.record.extend_from_slice(&[0; 4]);
            put_varint(&mut self.record, id.0);
            self.encoder.encode(times, values, true, &mut self.record);
            let crc = crc32c::crc32c(self.record.get(4..).unwrap_or_default());
            if let Some(slot) = self.record.get_mut(..4) {
                slot.copy_from_slice(&crc.to_le_bytes());
            }
            chunks.push(ChunkRef {
                offset: self.at,
                len: self.record.len() as u32,
                min_ms: times.first().copied().unwrap_or(first),
                max_ms: times.last().copied().unwrap_or(last),
            });
            self.buffer.extend_from_slice(&self.record);
            self.at += self.record.len() as u64;
        }
        self.end_series(id, chunks, samples.len())
    }

    /// Adds a series with rising id whose records are there already, in the order of time.
    pub(super) fn copy<'r>(
        &mut self,
        id: SeriesId,
        records: impl Iterator<Item = (ChunkRef, usize, &'r [u8])>,
    ) -> io::Result<()> {
        let (mut chunks, mut samples) = (Vec::new(), 0);
        for (chunk, count, record) in records {
            chunks.push(ChunkRef { offset: self.at, ..chunk });
            samples += count;
            self.buffer.extend_from_slice(record);
            self.at += record.len() as u64;
        }
        self.end_series(id, chunks, samples)
    }

    fn end_series(&mut self, id: SeriesId, chunks: Vec<ChunkRef>, samples: usize) -> io::Result<()> {
        let (Some(first), Some(last)) = (chunks.first(), chunks.last()) else { return Ok(()) };
        self.meta.series += 1;
        self.meta.chunks += chunks.len() as u64;
        self.meta.samples += samples as u64;
        self.meta.min_ms = self.meta.min_ms.min(first.min_ms);
        self.meta.max_ms = self.meta.max_ms.max(last.max_ms);
        self.meta.max_id = id.0;
        self.page.push(id, chunks);
        let of = if self.meta.tier == 0 { id } else { tier::series_of(id) };
        // Of the figures of one series the first has its labels.
        if self.meta.tier == 0 || tier::figure_id(of, squirrel_model::Figure::Last) == id {
            self.definitions.extend(self.index.labels(of).map(|labels| (id, labels.clone())));
        }
        if self.page.len() == PAGE_SERIES {
            self.end_page();
        }
        if self.buffer.len() >= BUFFER { self.flush() } else { Ok(()) }
    }

    fn end_page(&mut self) {
        self.pages.push((std::mem::take(&mut self.page), std::mem::take(&mut self.definitions)));
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.write(&self.buffer)?;
        self.buffer.clear();
        Ok(())
    }

    fn section(&mut self, put: impl FnOnce(&mut Vec<u8>)) -> Section {
        let from = self.buffer.len();
        put(&mut self.buffer);
        let bytes = self.buffer.get(from..).unwrap_or_default();
        let section = Section { offset: self.at, len: bytes.len() as u32, crc: crc32c::crc32c(bytes) };
        self.at += u64::from(section.len);
        section
    }

    fn finish(mut self) -> io::Result<()> {
        if self.page.len() > 0 {
            self.end_page();
        }
        let pages = std::mem::take(&mut self.pages);
        let mut refs = Vec::with_capacity(pages.len());
        for (page, _) in &pages {
            let entries = self.section(|out| page.put(out));
            refs.push(PageRef {
                first_id: page.first_id().unwrap_or(SeriesId(0)),
                chunks_at: page.chunks_at().unwrap_or_default(),
                entries,
                labels: Section::default(),
            });
        }
        for ((_, definitions), page) in pages.iter().zip(&mut refs) {
            page.labels = self.section(|out| put_definitions(definitions, out));
            if self.buffer.len() >= BUFFER {
                self.flush()?;
            }
        }
        footer::put(&self.meta, &refs, &mut self.buffer);
        self.flush()?;
        self.file.sync()
    }
}
