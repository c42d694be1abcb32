//! What the server says of itself under `/metrics`.

use crate::TestServer;

impl TestServer {
    /// A metric without labels; none where there is no such.
    pub async fn metric(&self, name: &str) -> Option<f64> {
        sample(&self.anonymous().at_root().get("/metrics").await.text, name)
    }
}

fn sample(text: &str, name: &str) -> Option<f64> {
    let value = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '))?;
    value.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sample_is_found_by_its_whole_name() {
        let text = "# TYPE writers gauge\nwriters_max 9\nwriters 3\nopen{route=\"x\"} 1\n";
        assert_eq!(sample(text, "writers"), Some(3.0));
        assert_eq!(sample(text, "writer"), None);
        assert_eq!(sample(text, "open"), None);
    }
}
