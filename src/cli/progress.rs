//! A progress bar on stderr, when it is a terminal and the work is long.

use std::io::IsTerminal;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// Work shorter than this needs no bar.
const PATIENCE: Duration = Duration::from_millis(700);
const REDRAW: Duration = Duration::from_millis(100);

/// Bytes read, and the thread that draws them.
pub(crate) struct Progress {
    /// Decompressed bytes read so far.
    pub(crate) bytes: Arc<AtomicU64>,
    done: Arc<AtomicBool>,
    drawing: Option<JoinHandle<()>>,
}

/// Starts watching; `total` is the number of bytes to come, if it can be known.
pub(crate) fn watch(total: Option<u64>) -> Progress {
    let bytes = Arc::new(AtomicU64::new(0));
    let done = Arc::new(AtomicBool::new(false));
    let drawing = std::io::stderr().is_terminal().then(|| {
        let (bytes, done) = (Arc::clone(&bytes), Arc::clone(&done));
        std::thread::spawn(move || draw(total, &bytes, &done))
    });
    Progress { bytes, done, drawing }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.done.store(true, Ordering::Relaxed);
        if let Some(drawing) = self.drawing.take() {
            drawing.thread().unpark();
            // A bar that failed to draw must not fail the run.
            let _ = drawing.join();
        }
    }
}

fn draw(total: Option<u64>, bytes: &AtomicU64, done: &AtomicBool) {
    std::thread::park_timeout(PATIENCE);
    if done.load(Ordering::Relaxed) {
        return;
    }
    let bar = match total {
        Some(total) => ProgressBar::new(total).with_style(style(
            "{bar:30} {decimal_bytes}/{decimal_total_bytes} {decimal_bytes_per_sec} {eta} left",
        )),
        None => {
            ProgressBar::new_spinner().with_style(style("{spinner} {decimal_bytes} {decimal_bytes_per_sec}"))
        }
    };
    bar.set_draw_target(ProgressDrawTarget::stderr());
    while !done.load(Ordering::Relaxed) {
        bar.set_position(bytes.load(Ordering::Relaxed));
        bar.tick();
        std::thread::park_timeout(REDRAW);
    }
    bar.finish_and_clear();
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).expect("the templates are constants")
}
