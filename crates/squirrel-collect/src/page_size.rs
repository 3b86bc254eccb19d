//! The size of a memory page, which some files count in.

use squirrel_sys::Kernel;

use crate::parse::{decimal, words};

/// Bytes of a page where the kernel does not say: that of x86-64 and of most other machines.
const USUAL: u64 = 4096;

/// Bytes of a page on the kernel that answers, recorded or real.
///
/// `/proc/self/stat` gives the size of our own address space in bytes and `/proc/self/statm` in pages
/// (`proc(5)`); both are readable for everybody. Their ratio is rounded to a power of two, because the
/// address space may have grown between the two readings.
pub(crate) fn page_size(kernel: &dyn Kernel) -> u64 {
    let mut text = Vec::new();
    let mut read = |path: &str, place: usize| -> Option<u64> {
        kernel.read(path, &mut text).ok()?;
        // The second field of `stat` is the program's name in parentheses and may hold anything.
        let after_name = text.iter().rposition(|&b| b == b')').map_or(0, |end| end + 1);
        decimal(words(text.get(after_name..)?).nth(place)?)
    };
    let ratio = read("/proc/self/stat", 20).zip(read("/proc/self/statm", 0)).map(|(bytes, pages)| {
        let pages = pages.max(1);
        (bytes.saturating_add(pages / 2) / pages).checked_next_power_of_two().unwrap_or(0)
    });
    ratio.filter(|size| (4096..=1 << 20).contains(size)).unwrap_or(USUAL)
}

#[cfg(test)]
mod tests {
    use squirrel_testkit::FakeKernel;

    use super::*;

    fn size(bytes: &str, pages: &str) -> u64 {
        let stat = format!("7 (a ) b) S{} {bytes} 100\n", " 0".repeat(19));
        page_size(&FakeKernel::default().with("/proc/self/stat", stat).with("/proc/self/statm", format!("{pages} 1\n")))
    }

    #[test]
    fn the_page_size_is_found_out_or_the_usual_one_is_taken() {
        assert_eq!(size("65536000", "1000"), 65536);
        assert_eq!(size("4096000", "1000"), 4096);
        assert_eq!(size("4000000", "1000"), 4096, "the address space grew between the readings");
        assert_eq!(size("x", "1000"), 4096);
        assert_eq!(size("18446744073709551615", "0"), 4096);
        assert_eq!(page_size(&FakeKernel::default()), 4096);
    }
}
