//! Resource quantities, compared by value.

use std::fmt;

use serde_json::Value as Json;

use crate::config::{JobPath, Segment};

/// A resource quantity, in billionths of its unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Quantity(i128);

const SUFFIXES: [(&str, i128); 16] = [
    ("n", 1),
    ("u", 1_000),
    ("m", 1_000_000),
    ("", 1_000_000_000),
    ("k", 1_000_000_000_000),
    ("M", 1_000_000_000_000_000),
    ("G", 1_000_000_000_000_000_000),
    ("T", 1_000_000_000_000_000_000_000),
    ("P", 1_000_000_000_000_000_000_000_000),
    ("E", 1_000_000_000_000_000_000_000_000_000),
    ("Ki", 1_000_000_000 << 10),
    ("Mi", 1_000_000_000 << 20),
    ("Gi", 1_000_000_000 << 30),
    ("Ti", 1_000_000_000 << 40),
    ("Pi", 1_000_000_000 << 50),
    ("Ei", 1_000_000_000 << 60),
];

impl Quantity {
    /// Reads a quantity as the API server does: a decimal number with an optional suffix or
    /// exponent. Returns `None` for anything else.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let end = text
            .char_indices()
            .find(|(index, c)| {
                !(c.is_ascii_digit() || *c == '.' || (*index == 0 && "+-".contains(*c)))
            })
            .map_or(text.len(), |(index, _)| index);
        let (number, suffix) = text.split_at(end);
        let scale = match SUFFIXES.iter().find(|(name, _)| *name == suffix) {
            Some((_, scale)) => *scale,
            None => exponent(suffix)?,
        };
        decimal(number, scale).map(Self)
    }

    /// No amount.
    pub const ZERO: Self = Self(0);

    /// Tells whether it is a whole number of units.
    #[must_use]
    pub fn is_whole(self) -> bool {
        self.0 % 1_000_000_000 == 0
    }
}

/// Tells whether the API reads a quantity there.
#[must_use]
pub fn is_quantity(path: &JobPath) -> bool {
    let parents = ["limits", "requests", "overhead"];
    match path.0.as_slice() {
        [.., Segment::Key(parent), Segment::Key(_)] if parents.contains(&parent.as_ref()) => true,
        [.., Segment::Key(last)] => matches!(last.as_ref(), "sizeLimit" | "divisor" | "storage"),
        _ => false,
    }
}

/// Tells whether two values are one quantity, in whatever spelling.
#[must_use]
pub fn same_quantity(one: &Json, other: &Json) -> bool {
    let read = |value: &Json| match value {
        Json::String(text) => Quantity::parse(text),
        Json::Number(number) => Quantity::parse(&number.to_string()),
        _ => None,
    };
    read(one).is_some_and(|quantity| read(other) == Some(quantity))
}

impl std::ops::Sub for Quantity {
    type Output = Self;

    fn sub(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }
}

impl std::iter::Sum for Quantity {
    fn sum<I: Iterator<Item = Self>>(iter: I) -> Self {
        Self(iter.fold(0, |sum, quantity| sum.saturating_add(quantity.0)))
    }
}

/// Shows the amount in the largest unit of the binary or decimal series that divides it.
impl fmt::Display for Quantity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let units =
            ["Ei", "Pi", "Ti", "Gi", "Mi", "Ki", "E", "P", "T", "G", "M", "k", "", "m", "u", "n"];
        for unit in units {
            let scale =
                SUFFIXES.iter().find(|(name, _)| *name == unit).map_or(1, |(_, scale)| *scale);
            if self.0 % scale == 0 && (self.0 != 0 || unit.is_empty()) {
                return write!(f, "{}{unit}", self.0 / scale);
            }
        }
        write!(f, "{}n", self.0)
    }
}

/// Reads `e3` or `E-2` as a scale.
fn exponent(suffix: &str) -> Option<i128> {
    let digits = suffix.strip_prefix(['e', 'E'])?;
    let power: i32 = digits.parse().ok()?;
    let power = u32::try_from(power.checked_add(9)?).ok()?;
    10i128.checked_pow(power)
}

fn decimal(number: &str, scale: i128) -> Option<i128> {
    let negative = number.starts_with('-');
    let digits = number.trim_start_matches(['+', '-']);
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    if whole.is_empty() && fraction.is_empty() || fraction.contains('.') {
        return None;
    }
    let mut value =
        if whole.is_empty() { 0 } else { whole.parse::<i128>().ok()?.checked_mul(scale)? };
    let mut unit = scale;
    for digit in fraction.chars() {
        unit /= 10;
        value = value.checked_add(unit.checked_mul(i128::from(digit.to_digit(10)?))?)?;
    }
    Some(if negative { -value } else { value })
}

#[cfg(test)]
mod tests {
    use super::Quantity;

    #[test]
    fn equal_amounts_compare_equal() {
        for (one, other) in
            [("1000m", "1"), ("0.5Gi", "512Mi"), ("1e3", "1k"), ("1.5", "1500m"), ("2G", "2000M")]
        {
            assert_eq!(Quantity::parse(one), Quantity::parse(other), "{one} {other}");
            assert!(Quantity::parse(one).is_some());
        }
        assert!(Quantity::parse("600m") < Quantity::parse("1"));
        assert!(Quantity::parse("8Gi") > Quantity::parse("8G"));
    }

    #[test]
    fn what_is_no_quantity_is_refused() {
        for text in ["", "1 core", "2GB", "abc", "1.2.3", "--1", "."] {
            assert_eq!(Quantity::parse(text), None, "{text}");
        }
    }
}
