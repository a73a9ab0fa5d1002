//! How large the pages of memory are: the allocator asks for huge ones wherever there are any.

/// Leaves huge pages to those who fill them. What works with a cluster has little at a time, at many places,
/// and would take 8 MB for the first 2.
pub(super) fn use_small_pages() {
    huge_pages(Huge::No);
}

/// Asks for huge pages, which make many Jobs in half the time.
pub(super) fn use_huge_pages() {
    huge_pages(Huge::Yes);
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Huge {
    Yes,
    No,
}

#[cfg(target_os = "linux")]
fn huge_pages(huge: Huge) {
    // A kernel without huge pages has none to leave out.
    let _ = rustix::thread::disable_transparent_huge_pages(huge == Huge::No);
}

#[cfg(not(target_os = "linux"))]
fn huge_pages(_: Huge) {}
