//! Judging a block: every byte of it is read and compared with what stands elsewhere about it.

use std::io;

use squirrel_model::Samples;

use super::footer;
use super::page::{ChunkRef, Page};
use super::read::{Block, record_samples};
use crate::bytes::Reader;
use crate::format::{FileHeader, FileKind, HEADER_LEN};
use crate::series::{SeriesId, read_definitions};

/// Something in a block that is not as it was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Fault {
    pub(crate) offset: u64,
    pub(crate) what: &'static str,
    /// Whether samples are lost by it.
    pub(crate) loses: bool,
}

/// What a block turned out to hold.
#[derive(Debug, Default)]
pub(crate) struct Verdict {
    /// Samples that can be read.
    pub(crate) samples: u64,
    pub(crate) faults: Vec<Fault>,
}

impl Verdict {
    fn fault(&mut self, offset: u64, what: &'static str, loses: bool) {
        self.faults.push(Fault { offset, what, loses });
    }
}

impl Block {
    /// Reads everything in the block.
    pub(crate) fn verify(&self) -> io::Result<Verdict> {
        let mut verdict = Verdict::default();
        let mut header = [0; HEADER_LEN];
        self.file.read_at(0, &mut header)?;
        let meant = FileHeader { kind: FileKind::Block, a: self.meta.start_ms as u64, b: self.meta.covers_seq };
        if FileHeader::read(FileKind::Block, &header) != Ok(meant) {
            verdict.fault(0, "the header is damaged", false);
        }
        // Both footers are what would be written now.
        let mut wanted = Vec::new();
        footer::put(&self.meta, &self.pages, &mut wanted);
        let end_at = self.len.saturating_sub(wanted.len() as u64);
        let mut end = vec![0; wanted.len().min(self.len as usize)];
        self.file.read_at(end_at, &mut end)?;
        if end != wanted {
            verdict.fault(end_at, "one of the two footers is damaged; the other one is used", false);
        }
        let (mut series, mut chunks) = (0, 0);
        for place in &self.pages {
            let page = self.section(place.entries)?.and_then(|bytes| Page::read(&bytes, place.chunks_at));
            match page.filter(|page| page.first_id() == Some(place.first_id)) {
                Some(page) => {
                    for (id, places) in page.iter() {
                        series += 1;
                        chunks += places.len() as u64;
                        self.verify_chunks(id, places, &mut verdict)?;
                    }
                }
                None => verdict.fault(place.entries.offset, "the places of up to 64 series are damaged", true),
            }
            let labels = self.section(place.labels)?;
            if labels.and_then(|bytes| read_definitions(&mut Reader::new(&bytes))).is_none() {
                let what = "the labels of up to 64 series are damaged; the series files have them too";
                verdict.fault(place.labels.offset, what, false);
            }
        }
        let counted = (series, chunks, verdict.samples);
        if verdict.faults.iter().all(|fault| !fault.loses)
            && counted != (self.meta.series, self.meta.chunks, self.meta.samples)
        {
            verdict.fault(end_at, "the footer counts other series, chunks or samples than there are", true);
        }
        Ok(verdict)
    }

    fn verify_chunks(&self, id: SeriesId, places: &[ChunkRef], verdict: &mut Verdict) -> io::Result<()> {
        let mut samples = Samples::default();
        let mut record = Vec::new();
        for place in places {
            samples.clear();
            let fits = place.offset.checked_add(u64::from(place.len)).is_some_and(|end| end <= self.len);
            record.clear();
            if fits {
                record.resize(place.len as usize, 0);
                self.file.read_at(place.offset, &mut record)?;
            }
            let read = record_samples(&record, id, &mut samples);
            let span = (samples.times.first().copied(), samples.times.last().copied());
            if read.is_none() || span != (Some(place.min_ms), Some(place.max_ms)) {
                verdict.fault(place.offset, "a chunk is damaged (up to 1,800 samples of one series)", true);
            } else {
                verdict.samples += samples.len() as u64;
            }
        }
        Ok(())
    }

    /// Hands over each series with the bytes of its chunks; answers whether all tables could be read.
    pub(crate) fn each_size(&self, mut each: impl FnMut(SeriesId, u64)) -> io::Result<bool> {
        let mut all = true;
        for number in 0..self.pages.len() {
            match self.page(number)? {
                Some(page) => {
                    page.iter().for_each(|(id, chunks)| each(id, chunks.iter().map(|c| u64::from(c.len)).sum()));
                }
                None => all = false,
            }
        }
        Ok(all)
    }
}
