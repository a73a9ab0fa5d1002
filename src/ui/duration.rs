//! Durations in kubectl's spelling (pure).

use k8s_openapi::jiff::SignedDuration;

/// Spells a duration as kubectl does in its tables: `5s`, `5m3s`, `2h5m`, `3d4h`, `200d`.
/// Source: `k8s.io/apimachinery/pkg/util/duration`, `HumanDuration`.
#[must_use]
pub fn duration(duration: SignedDuration) -> String {
    let seconds = duration.as_secs();
    if seconds < -1 {
        return "<invalid>".to_owned();
    }
    let seconds = seconds.max(0);
    let (minutes, hours) = (seconds / 60, seconds / 3600);
    let days = hours / 24;
    let years = days / 365;
    let pair = |big: i64, unit: &str, small: i64, small_unit: &str| {
        if small == 0 { format!("{big}{unit}") } else { format!("{big}{unit}{small}{small_unit}") }
    };
    if seconds < 120 {
        format!("{seconds}s")
    } else if minutes < 10 {
        pair(minutes, "m", seconds % 60, "s")
    } else if minutes < 180 {
        format!("{minutes}m")
    } else if hours < 8 {
        pair(hours, "h", minutes % 60, "m")
    } else if hours < 48 {
        format!("{hours}h")
    } else if hours < 192 {
        pair(days, "d", hours % 24, "h")
    } else if days < 730 {
        format!("{days}d")
    } else if years < 8 {
        pair(years, "y", days % 365, "d")
    } else {
        format!("{years}y")
    }
}

#[cfg(test)]
mod tests {
    use super::duration;
    use k8s_openapi::jiff::SignedDuration;

    #[test]
    fn spells_as_kubectl() {
        // The table of apimachinery's own test.
        let all = [
            (0, "0s"),
            (119, "119s"),
            (120, "2m"),
            (303, "5m3s"),
            (599, "9m59s"),
            (600, "10m"),
            (10_799, "179m"),
            (10_800, "3h"),
            (3 * 3600 + 60, "3h1m"),
            (8 * 3600, "8h"),
            (47 * 3600, "47h"),
            (48 * 3600, "2d"),
            (49 * 3600, "2d1h"),
            (192 * 3600, "8d"),
            (729 * 86_400, "729d"),
            (730 * 86_400, "2y"),
            (-5, "<invalid>"),
        ];
        for (seconds, text) in all {
            assert_eq!(duration(SignedDuration::from_secs(seconds)), text);
        }
    }
}
