//! A Mage project: its files, as values that know their place.

pub mod jinja;
