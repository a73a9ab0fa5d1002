//! Times of lines of a log, in the zone that was asked for.

use std::io::Write;

use k8s_openapi::jiff::Timestamp;
use k8s_openapi::jiff::tz::{self, TimeZone};

/// A time zone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Zone(TimeZone);

/// A time zone that is not known.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ZoneError {
    /// Nobody knows it.
    #[error("`{name}` is neither `utc`, `local` nor a time zone such as `Europe/Berlin`")]
    Unknown {
        /// What was asked for.
        name: String,
    },
    /// This machine knows no zones by name.
    #[error(
        "this machine has no time zone database, so only `utc` and `local` are known, not `{name}`"
    )]
    NoDatabase {
        /// What was asked for.
        name: String,
    },
    /// This machine does not tell its own zone.
    #[error("the time zone of this machine is not known")]
    NoLocal,
}

impl Zone {
    /// Returns UTC.
    #[must_use]
    pub fn utc() -> Self {
        Self(TimeZone::UTC)
    }

    /// Returns the zone of this machine.
    pub fn local() -> Result<Self, ZoneError> {
        TimeZone::try_system().map(Self).map_err(|_| ZoneError::NoLocal)
    }

    /// Finds a zone: `utc`, `local`, or one of the IANA's by its name.
    pub fn named(name: &str) -> Result<Self, ZoneError> {
        if name.eq_ignore_ascii_case("utc") {
            return Ok(Self::utc());
        }
        if name.eq_ignore_ascii_case("local") {
            return Self::local();
        }
        TimeZone::get(name).map(Self).map_err(|_| {
            let name = name.to_owned();
            if tz::db().available().next().is_none() {
                ZoneError::NoDatabase { name }
            } else {
                ZoneError::Unknown { name }
            }
        })
    }

    /// Reads what `--timestamps` was given: `true` (UTC, as kubectl shows them), `false`, or a zone.
    pub fn of_timestamps(value: &str) -> Result<Option<Self>, ZoneError> {
        match value {
            "true" => Ok(Some(Self::utc())),
            "false" => Ok(None),
            name => Self::named(name).map(Some),
        }
    }
}

/// Writes times; remembers the last second, because most lines are of the same one as the line before.
#[derive(Clone, Debug)]
pub(super) struct Clock {
    zone: Zone,
    second: i64,
    /// Date and time up to the second.
    text: Vec<u8>,
    /// `Z`, or the distance from UTC.
    offset: Vec<u8>,
}

/// Where in `2026-11-27T12:34:56` the time of the day begins.
const CLOCK: usize = 11;

impl Clock {
    pub(super) fn new(zone: Zone) -> Self {
        Self { zone, second: i64::MIN, text: Vec::new(), offset: Vec::new() }
    }

    /// Writes the time as RFC 3339 has it, with nine digits of the second's fraction.
    pub(super) fn write_full(&mut self, time: Timestamp, out: &mut Vec<u8>) {
        let nanosecond = self.go_to(time);
        out.extend_from_slice(&self.text);
        let mut digits = *b".000000000";
        let mut rest = nanosecond;
        for digit in digits[1..].iter_mut().rev() {
            *digit = b'0' + u8::try_from(rest % 10).unwrap_or_default();
            rest /= 10;
        }
        out.extend_from_slice(&digits);
        out.extend_from_slice(&self.offset);
    }

    /// Writes hour, minute and second.
    pub(super) fn write_short(&mut self, time: Timestamp, out: &mut Vec<u8>) {
        self.go_to(time);
        out.extend_from_slice(&self.text[CLOCK..]);
    }

    /// Makes the texts for a time; returns the nanoseconds of its second.
    fn go_to(&mut self, time: Timestamp) -> u32 {
        let (mut second, mut nanosecond) = (time.as_second(), time.subsec_nanosecond());
        if nanosecond < 0 {
            second -= 1;
            nanosecond += 1_000_000_000;
        }
        if second != self.second || self.text.is_empty() {
            self.second = second;
            self.make_texts(time);
        }
        u32::try_from(nanosecond).unwrap_or_default()
    }

    fn make_texts(&mut self, time: Timestamp) {
        let offset = self.zone.0.to_offset(time);
        let date = offset.to_datetime(time);
        self.text.clear();
        self.offset.clear();
        // Writing to a Vec cannot fail.
        let _ = write!(
            self.text,
            "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}",
            date.year(),
            date.month(),
            date.day(),
            date.hour(),
            date.minute(),
            date.second()
        );
        let seconds = offset.seconds();
        if self.zone == Zone::utc() {
            self.offset.push(b'Z');
        } else {
            let (sign, minutes) = (if seconds < 0 { '-' } else { '+' }, seconds.abs() / 60);
            let _ = write!(self.offset, "{sign}{:02}:{:02}", minutes / 60, minutes % 60);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Clock, Zone, ZoneError};
    use k8s_openapi::jiff::Timestamp;

    fn shown(zone: &Zone, time: Timestamp) -> (String, String) {
        let mut clock = Clock::new(zone.clone());
        let (mut full, mut short) = (Vec::new(), Vec::new());
        clock.write_full(time, &mut full);
        clock.write_short(time, &mut short);
        (String::from_utf8(full).unwrap(), String::from_utf8(short).unwrap())
    }

    #[test]
    fn times_are_as_kubectl_shows_them_in_any_zone() {
        let berlin = Zone::named("Europe/Berlin").unwrap();
        let kathmandu = Zone::named("asia/kathmandu").unwrap();
        let new_york = Zone::named("America/New_York").unwrap();
        for (zone, time, full, short) in [
            (Zone::utc(), "2026-11-27T12:34:56.1Z", "2026-11-27T12:34:56.100000000Z", "12:34:56"),
            (
                berlin.clone(),
                "2026-07-01T23:00:00Z",
                "2026-07-02T01:00:00.000000000+02:00",
                "01:00:00",
            ),
            (
                berlin,
                "2026-11-27T12:34:56.000000001Z",
                "2026-11-27T13:34:56.000000001+01:00",
                "13:34:56",
            ),
            (kathmandu, "2026-11-27T12:34:56Z", "2026-11-27T18:19:56.000000000+05:45", "18:19:56"),
            (new_york, "2026-11-27T02:34:56Z", "2026-11-26T21:34:56.000000000-05:00", "21:34:56"),
            (Zone::utc(), "1969-12-31T23:59:58.5Z", "1969-12-31T23:59:58.500000000Z", "23:59:58"),
        ] {
            assert_eq!(shown(&zone, time.parse().unwrap()), (full.to_owned(), short.to_owned()));
        }
    }

    #[test]
    fn zones_are_found_by_name() {
        assert_eq!(Zone::of_timestamps("true"), Ok(Some(Zone::utc())));
        assert_eq!(Zone::of_timestamps("false"), Ok(None));
        assert_eq!(Zone::of_timestamps("UTC"), Ok(Some(Zone::utc())));
        assert_eq!(Zone::of_timestamps("Local"), Zone::local().map(Some));
        for name in ["Nowhere/Land", "", "../etc/passwd"] {
            let unknown = ZoneError::Unknown { name: name.to_owned() };
            assert_eq!(Zone::of_timestamps(name), Err(unknown));
        }
    }

    proptest::proptest! {
        #[test]
        fn the_second_that_is_remembered_changes_nothing(
            times in proptest::collection::vec((-5_000_000_000_i64..5_000_000_000, 0..1_000_000_000_i64), 1..20)
        ) {
            for zone in [Zone::utc(), Zone::named("Europe/Berlin").unwrap()] {
                let mut clock = Clock::new(zone.clone());
                for (second, nanosecond) in &times {
                    let nanosecond = i128::from(*second / 1000) * 1_000_000_000 + i128::from(*nanosecond);
                    let time = Timestamp::from_nanosecond(nanosecond).unwrap();
                    let mut full = Vec::new();
                    clock.write_full(time, &mut full);
                    let full = String::from_utf8(full).unwrap();
                    assert_eq!(full.parse::<Timestamp>().unwrap(), time, "{full}");
                    assert_eq!(full, shown(&zone, time).0);
                }
            }
        }
    }
}
