//! How much memory the process may use: the least of what the machine has free and what its control groups allow.

use std::{fs, path::Path};

/// Bytes that the process may use in all, those that it holds already included. `None` where nothing says it.
pub fn allowed() -> Option<u64> {
    let read = |path: &str| fs::read_to_string(path).ok();
    let own = read("/proc/self/statm").and_then(|text| resident(&text)).unwrap_or(0);
    let free = read("/proc/meminfo").and_then(|text| available(&text)).map(|free| free + own);
    let groups = read("/proc/self/cgroup").unwrap_or_default();
    free.into_iter().chain(limits(&groups, Path::new("/sys/fs/cgroup"))).min()
}

/// Resident bytes, of `/proc/self/statm`.
fn resident(statm: &str) -> Option<u64> {
    let pages: u64 = statm.split_whitespace().nth(1)?.parse().ok()?;
    // x86-64 and 64-bit ARM as Linux distributions build it.
    Some(pages * 4096)
}

/// Bytes that programs may still take, of `/proc/meminfo`.
fn available(meminfo: &str) -> Option<u64> {
    let line = meminfo.lines().find_map(|line| line.strip_prefix("MemAvailable:"))?;
    line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok().map(|kib| kib * 1024)
}

/// The limits of the control groups named in `/proc/self/cgroup` and of those above them, version 1 and 2. In a container the
/// root of the tree may be the container's own group, so it is read too.
fn limits(groups: &str, root: &Path) -> Vec<u64> {
    let mut found = Vec::new();
    for line in groups.lines() {
        let mut fields = line.splitn(3, ':').skip(1);
        let (Some(controllers), Some(path)) = (fields.next(), fields.next()) else { continue };
        let (tree, file) = match controllers {
            "" => (root.to_owned(), "memory.max"),
            of if of.split(',').any(|one| one == "memory") => (root.join("memory"), "memory.limit_in_bytes"),
            _ => continue,
        };
        for group in Path::new(path.trim_start_matches('/')).ancestors() {
            let text = fs::read_to_string(tree.join(group).join(file)).unwrap_or_default();
            // `max`, or close to the largest number, is no limit.
            found.extend(text.trim().parse::<u64>().ok().filter(|limit| *limit < 1 << 60));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_smallest_limit_of_the_group_and_those_above_counts() {
        let root = tempfile::TempDir::new().unwrap();
        let write = |path: &str, text: &str| {
            let path = root.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        };
        write("a/memory.max", "4000\n");
        write("a/b/memory.max", "max\n");
        write("memory/c/memory.limit_in_bytes", "3000\n");
        write("memory/memory.limit_in_bytes", "9223372036854771712\n");
        #[rustfmt::skip]
        let cases = [
            ("version 2, the limit above",  "0::/a/b\n",                        Some(4000)),
            ("version 1",                   "5:cpu:/x\n4:memory,hugetlb:/c\n",  Some(3000)),
            ("both",                        "4:memory:/c\n0::/a\n",             Some(3000)),
            ("no limit",                    "4:memory:/d\n0::/e\n",             None),
            ("nothing",                     "",                                 None),
        ];
        for (why, groups, expected) in cases {
            assert_eq!(limits(groups, root.path()).into_iter().min(), expected, "{why}");
        }
    }

    #[test]
    fn what_the_kernel_writes_is_read() {
        assert_eq!(resident("100 25 3 1 0 9 0\n"), Some(25 * 4096));
        assert_eq!(available("MemTotal: 9 kB\nMemAvailable:   7 kB\n"), Some(7 * 1024));
        assert_eq!((resident(""), available("MemAvailable: x")), (None, None));
        assert!(allowed().is_some_and(|bytes| bytes > 1 << 20), "{:?}", allowed());
    }
}
