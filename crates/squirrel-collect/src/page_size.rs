//! The size of a memory page, which some files count in.

use squirrel_sys::Kernel;

use crate::parse::{decimal, words};

/// Bytes of a page where the kernel does not say: that of x86-64 and of most other machines.
const USUAL: u64 = 4096;

/// Bytes of a page on the kernel that answers, recorded or real.
pub(crate) fn page_size(kernel: &dyn Kernel) -> u64 {
    let mut text = Vec::new();
    from_auxiliary_vector(kernel, &mut text).or_else(|| from_ratio(kernel, &mut text)).unwrap_or(USUAL)
}

fn is_page_size(size: u64) -> bool {
    size.is_power_of_two() && (4096..=1 << 20).contains(&size)
}

/// What the kernel told this process at its start: `AT_PAGESZ` in `/proc/self/auxv` (`getauxval(3)`),
/// pairs of a kind and a value, each one machine word.
fn from_auxiliary_vector(kernel: &dyn Kernel, text: &mut Vec<u8>) -> Option<u64> {
    const PAGE_SIZE: u64 = 6;
    kernel.read("/proc/self/auxv", text).ok()?;
    let of_64_bits = text.as_chunks::<16>().0.iter().filter_map(|pair| {
        let [kind, value] = [pair.first_chunk()?, pair.last_chunk()?].map(|word| u64::from_ne_bytes(*word));
        Some((kind, value))
    });
    let of_32_bits = text.as_chunks::<8>().0.iter().filter_map(|pair| {
        let [kind, value] = [pair.first_chunk()?, pair.last_chunk()?].map(|word| u32::from_ne_bytes(*word));
        Some((u64::from(kind), u64::from(value)))
    });
    of_64_bits.chain(of_32_bits).find(|&(kind, size)| kind == PAGE_SIZE && is_page_size(size)).map(|(_, size)| size)
}

/// For a process that may not read its own auxiliary vector, as one with file capabilities:
/// `/proc/self/stat` gives the size of our address space in bytes and `/proc/self/statm` in pages
/// (`proc(5)`), for everybody to read. Their ratio is rounded up to a power of two, because the address
/// space may have grown between the two readings.
fn from_ratio(kernel: &dyn Kernel, text: &mut Vec<u8>) -> Option<u64> {
    let mut read = |path: &str, place: usize| -> Option<u64> {
        kernel.read(path, text).ok()?;
        // The second field of `stat` is the program's name in parentheses and may hold anything.
        let after_name = text.iter().rposition(|&b| b == b')').map_or(0, |end| end + 1);
        decimal(words(text.get(after_name..)?).nth(place)?)
    };
    let (bytes, pages) = (read("/proc/self/stat", 20)?, read("/proc/self/statm", 0)?.max(1));
    let size = (bytes.saturating_add(pages / 2) / pages).checked_next_power_of_two()?;
    is_page_size(size).then_some(size)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use squirrel_testkit::FakeKernel;

    use super::*;

    fn by_ratio(bytes: &str, pages: &str) -> u64 {
        let stat = format!("7 (a ) b) S{} {bytes} 100\n", " 0".repeat(19));
        page_size(&FakeKernel::default().with("/proc/self/stat", stat).with("/proc/self/statm", format!("{pages} 1\n")))
    }

    #[test]
    fn the_page_size_is_what_the_kernel_told_at_the_start() {
        let words_of_64 = [33u64, 0x7fff_0000, 6, 65536, 17, 100, 0, 0].map(u64::to_ne_bytes).concat();
        let words_of_32 = [33u32, 0x7fff_0000, 6, 16384, 17, 100, 0, 0].map(u32::to_ne_bytes).concat();
        let size = |octets| page_size(&FakeKernel::default().with("/proc/self/auxv", octets));
        assert_eq!((size(words_of_64), size(words_of_32)), (65536, 16384));
    }

    #[test]
    fn without_that_it_is_found_out_or_the_usual_one_is_taken() {
        assert_eq!(by_ratio("65536000", "1000"), 65536);
        assert_eq!(by_ratio("4096000", "1000"), 4096);
        assert_eq!(by_ratio("4000000", "1000"), 4096, "the address space grew between the readings");
        assert_eq!(by_ratio("x", "1000"), 4096);
        assert_eq!(by_ratio("18446744073709551615", "0"), 4096);
        assert_eq!(page_size(&FakeKernel::default()), 4096);
    }

    proptest! {
        #[test]
        fn any_bytes_give_a_page_size(octets: Vec<u8>) {
            let size = page_size(&FakeKernel::default().with("/proc/self/auxv", octets));
            prop_assert!(is_page_size(size));
        }
    }
}
