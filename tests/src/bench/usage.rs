//! What a process has used, from `/proc`.

use std::fs;
use std::path::Path;
use std::time::Duration;

/// The kernel counts processor time in hundredths of a second on every Linux that runs Rust programs.
const TICKS_PER_SECOND: f64 = 100.0;

/// Processor time and memory of one process at one moment.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Usage {
    pub(crate) cpu_seconds: f64,
    pub(crate) resident_mib: f64,
    /// What of it is the process's own: without the files that it has mapped, which the kernel takes back as it likes.
    pub(crate) anonymous_mib: f64,
    pub(crate) peak_mib: f64,
}

/// What `pid` uses now, zeros where it is gone.
pub(crate) fn of(pid: u32) -> Usage {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let mib = |name: &str| -> f64 {
        let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_default();
        line.trim().trim_end_matches(" kB").parse::<f64>().unwrap_or_default() / 1024.0
    };
    Usage {
        cpu_seconds: cpu_seconds(pid),
        resident_mib: mib("VmRSS:"),
        anonymous_mib: mib("RssAnon:"),
        peak_mib: mib("VmHWM:"),
    }
}

/// Waits until the process hardly works any more, so that what it still does for what came before is not measured.
pub(crate) async fn rests(pid: u32) {
    const LOOK: Duration = Duration::from_secs(1);
    const BUSY: f64 = 0.05;
    const PATIENCE: usize = 120;
    for _ in 0..PATIENCE {
        let before = cpu_seconds(pid);
        tokio::time::sleep(LOOK).await;
        if cpu_seconds(pid) - before < BUSY {
            return;
        }
    }
}

/// Lets the peak begin again at what is resident now.
pub(crate) fn reset_peak(pid: u32) {
    // Where the kernel does not allow it, the peak is that of the whole run.
    let _ = fs::write(format!("/proc/{pid}/clear_refs"), "5");
}

/// Processor time of `pid` and, for a PostgreSQL server, of all its processes.
pub(crate) fn cpu_seconds_with_children(pid: u32) -> f64 {
    let Ok(processes) = fs::read_dir("/proc") else { return 0.0 };
    let pids = processes.flatten().filter_map(|entry| entry.file_name().to_string_lossy().parse::<u32>().ok());
    let children = pids.filter(|child| stat(*child).is_some_and(|fields| fields.get(1) == Some(&f64::from(pid))));
    children.map(cpu_seconds).sum::<f64>() + cpu_seconds(pid)
}

/// Bytes of all files below `folder`.
pub(crate) fn folder_bytes(folder: &Path) -> u64 {
    let Ok(entries) = fs::read_dir(folder) else { return 0 };
    entries
        .flatten()
        .map(|entry| match entry.metadata() {
            Ok(metadata) if metadata.is_dir() => folder_bytes(&entry.path()),
            Ok(metadata) => metadata.len(),
            Err(_) => 0,
        })
        .sum()
}

/// Processor time of a process and of its children that have ended.
fn cpu_seconds(pid: u32) -> f64 {
    let fields = stat(pid).unwrap_or_default();
    fields.get(11..15).unwrap_or_default().iter().sum::<f64>() / TICKS_PER_SECOND
}

/// The fields of `/proc/PID/stat` after the name; what is no number is 0. The parent is field 1, times are 11 to 14.
fn stat(pid: u32) -> Option<Vec<f64>> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let (_, fields) = stat.rsplit_once(')')?;
    Some(fields.split_whitespace().map(|field| field.parse().unwrap_or_default()).collect())
}
