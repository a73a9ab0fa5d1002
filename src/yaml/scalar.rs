//! `PyYAML`'s values of scalars, once the type is known (`yaml/constructor.py`).
//!
//! A tag can ask for a type that the text does not look like (`!!int ' 7 '`), so that the functions
//! take what Python's `int()`, `float()` and `datetime` take. `None` means that Python raises.

use std::fmt::Write;

use super::node::Integer;
use super::schema::digits;

/// Python refuses to turn more digits than that into an `int`, and any such `int` into text.
const MOST_DIGITS: usize = 4300;

/// `construct_yaml_bool`.
pub(super) fn bool(text: &str) -> Option<bool> {
    match text.to_lowercase().as_str() {
        "yes" | "true" | "on" => Some(true),
        "no" | "false" | "off" => Some(false),
        _ => None,
    }
}

/// `construct_yaml_int`: a sign, then binary, hexadecimal, octal, base 60 or decimal.
pub(super) fn int(text: &str) -> Option<Integer> {
    let text = text.replace('_', "");
    let (negative, digits) = sign(&text)?;
    let (below_zero, magnitude) = if digits == "0" {
        (false, "0".to_owned())
    } else if let Some(binary) = digits.strip_prefix("0b") {
        python_int(binary, 2)?
    } else if let Some(hexadecimal) = digits.strip_prefix("0x") {
        python_int(hexadecimal, 16)?
    } else if digits.starts_with('0') {
        python_int(digits, 8)?
    } else if digits.contains(':') {
        sexagesimal(digits)?
    } else {
        python_int(digits, 10)?
    };
    let minus = if negative != below_zero && magnitude != "0" { "-" } else { "" };
    Some(Integer(format!("{minus}{magnitude}")))
}

/// Splits the sign off; Python raises for an empty text.
fn sign(text: &str) -> Option<(bool, &str)> {
    if text.is_empty() {
        return None;
    }
    Some(match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    })
}

/// Python's `int(text, base)`: blanks around, a sign and the base's own prefix are allowed.
fn python_int(text: &str, base: u32) -> Option<(bool, String)> {
    let (negative, digits) = sign(text.trim())?;
    let prefixes: [&str; 2] = match base {
        2 => ["0b", "0B"],
        8 => ["0o", "0O"],
        16 => ["0x", "0X"],
        _ => ["", ""],
    };
    let digits = prefixes.iter().find_map(|prefix| digits.strip_prefix(prefix)).unwrap_or(digits);
    if digits.is_empty() || digits.len() > MOST_DIGITS {
        return None;
    }
    if !digits.chars().all(|digit| digit.is_digit(base)) {
        return None;
    }
    if base == 10 {
        let significant = digits.trim_start_matches('0');
        let text = if significant.is_empty() { "0" } else { significant };
        return Some((negative, text.to_owned()));
    }
    let mut number = Decimal::default();
    for group in digits.as_bytes().chunks(15) {
        let (mut factor, mut value) = (1, 0);
        for digit in group {
            factor *= u64::from(base);
            value = value * u64::from(base) + u64::from(char::from(*digit).to_digit(base)?);
        }
        number.multiply_add(factor, value);
    }
    Some((negative, number.to_text()))
}

fn sexagesimal(text: &str) -> Option<(bool, String)> {
    let parts: Vec<&str> = text.split(':').collect();
    if parts.len() > MOST_DIGITS {
        return None;
    }
    let number = |part: &&str| python_int(part, 10).filter(|(negative, _)| !negative);
    let (first, rest) = parts.split_first()?;
    let mut sum = Decimal::default();
    // The first may be of any size.
    for group in number(first)?.1.as_bytes().chunks(15) {
        let text = std::str::from_utf8(group).ok()?;
        sum.multiply_add(10_u64.pow(u32::try_from(group.len()).ok()?), text.parse().ok()?);
    }
    for group in rest.chunks(8) {
        let (mut factor, mut value) = (1, 0_u64);
        for part in group {
            factor *= 60;
            value = value.checked_mul(60)?.checked_add(number(part)?.1.parse().ok()?)?;
        }
        sum.multiply_add(factor, value);
    }
    Some((false, sum.to_text()))
}

/// A number of any size that grows by several digits at a time, in limbs of 18 decimal digits, lowest
/// first.
#[derive(Default)]
struct Decimal(Vec<u64>);

impl Decimal {
    const LIMB: u128 = 1_000_000_000_000_000_000;

    fn multiply_add(&mut self, factor: u64, summand: u64) {
        let mut carry = u128::from(summand);
        for limb in &mut self.0 {
            let value = u128::from(*limb) * u128::from(factor) + carry;
            *limb = u64::try_from(value % Self::LIMB).expect("a limb is under 10^18");
            carry = value / Self::LIMB;
        }
        while carry > 0 {
            self.0.push(u64::try_from(carry % Self::LIMB).expect("a limb is under 10^18"));
            carry /= Self::LIMB;
        }
    }

    fn to_text(&self) -> String {
        let Some((highest, rest)) = self.0.split_last() else { return "0".to_owned() };
        let mut text = highest.to_string();
        for limb in rest.iter().rev() {
            write!(text, "{limb:018}").expect("a String takes all text");
        }
        text
    }
}

/// `construct_yaml_float`.
pub(super) fn float(text: &str) -> Option<f64> {
    let text = text.replace('_', "").to_lowercase();
    let (negative, digits) = sign(&text)?;
    let sign = if negative { -1.0 } else { 1.0 };
    match digits {
        ".inf" => Some(sign * f64::INFINITY),
        ".nan" => Some(f64::NAN),
        _ if digits.contains(':') => {
            let mut base = 1.0;
            let mut value = 0.0;
            for part in digits.rsplit(':') {
                value += python_float(part)? * base;
                base *= 60.0;
            }
            Some(sign * value)
        }
        _ => Some(sign * python_float(digits)?),
    }
}

fn python_float(text: &str) -> Option<f64> {
    text.trim().parse().ok()
}

/// `construct_yaml_timestamp`: the `isoformat()` of the date or the time.
pub(super) fn timestamp(text: &str) -> Option<String> {
    let text = text.strip_suffix('\n').unwrap_or(text);
    let (year, rest) = number(text, 4, 4)?;
    let (month, rest) = number(rest.strip_prefix('-')?, 1, 2)?;
    let (day, rest) = number(rest.strip_prefix('-')?, 1, 2)?;
    if year == 0 || !(1..=12).contains(&month) || !(1..=days(year, month)).contains(&day) {
        return None;
    }
    let date = format!("{year:04}-{month:02}-{day:02}");
    if rest.is_empty() {
        return Some(date);
    }
    let blanks = rest.trim_start_matches([' ', '\t']);
    let time = match rest.strip_prefix(['T', 't']) {
        Some(time) => time,
        None if blanks.len() < rest.len() => blanks,
        None => return None,
    };
    Some(format!("{date}T{}", time_of_day(time)?))
}

fn time_of_day(text: &str) -> Option<String> {
    let (hour, rest) = number(text, 1, 2)?;
    let (minute, rest) = number(rest.strip_prefix(':')?, 2, 2)?;
    let (second, rest) = number(rest.strip_prefix(':')?, 2, 2)?;
    if hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let (fraction, rest) = match rest.strip_prefix('.') {
        Some(fraction) => {
            fraction.split_at(fraction.len() - fraction.trim_start_matches(is_digit).len())
        }
        None => ("", rest),
    };
    let mut time = format!("{hour:02}:{minute:02}:{second:02}");
    let microseconds = format!("{:0<6}", &fraction[..fraction.len().min(6)]);
    if microseconds != "000000" {
        time.push('.');
        time.push_str(&microseconds);
    }
    if !rest.is_empty() {
        time.push_str(&zone(rest.trim_start_matches([' ', '\t']))?);
    }
    Some(time)
}

fn zone(text: &str) -> Option<String> {
    if text == "Z" {
        return Some("+00:00".to_owned());
    }
    let (hours, rest) = number(text.strip_prefix(['-', '+'])?, 1, 2)?;
    let minutes = match rest.strip_prefix(':') {
        Some(minutes) => number(minutes, 2, 2).filter(|(_, rest)| rest.is_empty())?.0,
        None if rest.is_empty() => 0,
        None => return None,
    };
    let total = hours * 60 + minutes;
    if total >= 24 * 60 {
        return None;
    }
    let sign = if text.starts_with('-') && total > 0 { '-' } else { '+' };
    Some(format!("{sign}{:02}:{:02}", total / 60, total % 60))
}

fn number(text: &str, least: usize, most: usize) -> Option<(u32, &str)> {
    let (number, rest) = digits(text, least, most)?;
    Some((number.parse().ok()?, rest))
}

fn is_digit(character: char) -> bool {
    character.is_ascii_digit()
}

fn days(year: u32, month: u32) -> u32 {
    let leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    match month {
        2 if leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// `base64.decodebytes`: what is not of the alphabet is skipped, padding has to be right.
pub(super) fn binary(text: &str) -> Option<Vec<u8>> {
    if !text.is_ascii() {
        return None;
    }
    let mut bytes = Vec::new();
    let (mut group, mut count, mut padding) = (0_u32, 0, 0);
    for byte in text.bytes() {
        if byte == b'=' {
            if count >= 2 {
                padding += 1;
                if count + padding >= 4 {
                    count = 0;
                    break;
                }
            }
            continue;
        }
        let Some(sextet) = sextet(byte) else { continue };
        padding = 0;
        group = (group << 6 | u32::from(sextet)) & 0x00ff_ffff;
        count = (count + 1) % 4;
        let missing = match count {
            2 => 4,
            3 => 2,
            0 => 0,
            _ => continue,
        };
        bytes.push(u8::try_from(group >> missing & 0xff).expect("masked to eight bits"));
    }
    (count == 0).then_some(bytes)
}

fn sextet(byte: u8) -> Option<u8> {
    match byte {
        b'A'..=b'Z' => Some(byte - b'A'),
        b'a'..=b'z' => Some(byte - b'a' + 26),
        b'0'..=b'9' => Some(byte - b'0' + 52),
        b'+' => Some(62),
        b'/' => Some(63),
        _ => None,
    }
}
