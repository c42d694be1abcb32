//! What the operating system says about this process. Elsewhere than on Linux nothing is told.

use super::Metrics;

/// `/proc` counts processor time in these, on every platform that Linux runs on.
const TICKS_PER_SECOND: f64 = 100.0;

pub(super) fn describe(describe: &impl Fn(&'static str, &'static str)) {
    describe("process_resident_memory_bytes", "Memory of the process that is in RAM.");
    describe("process_cpu_seconds_total", "Processor time used, of user and system.");
    describe("process_open_fds", "Open files and connections.");
    describe("process_threads", "Threads.");
}

pub(super) fn measure(metrics: &Metrics) {
    let read = |name: &str| std::fs::read_to_string(format!("/proc/self/{name}")).unwrap_or_default();
    let status = read("status");
    if let Some(kib) = field(&status, "VmRSS:") {
        metrics.set_gauge("process_resident_memory_bytes", kib * 1024.0);
    }
    if let Some(threads) = field(&status, "Threads:") {
        metrics.set_gauge("process_threads", threads);
    }
    if let Some(ticks) = cpu_ticks(&read("stat")) {
        metrics.set_gauge("process_cpu_seconds_total", ticks / TICKS_PER_SECOND);
    }
    if let Ok(files) = std::fs::read_dir("/proc/self/fd") {
        let count = u32::try_from(files.count()).unwrap_or(u32::MAX);
        metrics.set_gauge("process_open_fds", f64::from(count));
    }
}

/// The number in the line that begins with `name`.
fn field(status: &str, name: &str) -> Option<f64> {
    let line = status.lines().find_map(|line| line.strip_prefix(name))?;
    line.split_whitespace().next()?.parse().ok()
}

/// User and system time: the 14th and 15th field. The second holds the program's name, with any characters.
fn cpu_ticks(stat: &str) -> Option<f64> {
    let mut fields = stat.rsplit_once(')')?.1.split_whitespace().skip(11);
    let user: f64 = fields.next()?.parse().ok()?;
    let system: f64 = fields.next()?.parse().ok()?;
    Some(user + system)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_proc_are_read() {
        assert_eq!(field("Name:\ttrellis\nVmRSS:\t   5120 kB\nThreads:\t3\n", "VmRSS:"), Some(5120.0));
        assert_eq!(field("Name:\ttrellis\n", "VmRSS:"), None);
        let stat = "42 (tre) llis) S 1 42 42 0 -1 4194560 1105 0 0 0 150 50 0 0 20 0 3 0 100 1 1";
        assert_eq!(cpu_ticks(stat), Some(200.0));
        assert_eq!(cpu_ticks(""), None);
    }
}
