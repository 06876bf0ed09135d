//! Numbers from many runs.

use std::time::Duration;

/// Times of the same thing, sorted.
#[derive(Debug, Default)]
pub(crate) struct Times(Vec<Duration>);

impl FromIterator<Duration> for Times {
    fn from_iter<I: IntoIterator<Item = Duration>>(times: I) -> Self {
        let mut times: Vec<_> = times.into_iter().collect();
        times.sort_unstable();
        Times(times)
    }
}

impl Times {
    /// So many per cent were no slower. There must be some.
    pub(crate) fn percentile(&self, percent: usize) -> Duration {
        self.0[(self.0.len() - 1) * percent / 100]
    }

    pub(crate) fn median(&self) -> Duration {
        self.percentile(50)
    }

    /// A row of a table: name, count, min, median, p99, max, in milliseconds.
    pub(crate) fn row(&self, name: &str) -> String {
        let ms = [0, 50, 99, 100].map(|percent| millis(self.percentile(percent)));
        format!("| {name} | {} | {} |", self.0.len(), ms.join(" | "))
    }
}

/// The head of a table of [`Times::row`]s.
pub(crate) const HEAD: &str = "| ms | runs | min | median | p99 | max |\n|---|--:|--:|--:|--:|--:|";

/// With as many digits as mean something.
pub(crate) fn millis(time: Duration) -> String {
    let ms = time.as_secs_f64() * 1000.0;
    if ms < 10.0 { format!("{ms:.3}") } else { format!("{ms:.1}") }
}

/// How many times as long.
pub(crate) fn ratio(a: Duration, b: Duration) -> String {
    format!("{:.1}", a.as_secs_f64() / b.as_secs_f64())
}
