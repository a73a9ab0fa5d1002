//! `apply`: checks every Job at the API server, then sends them one after the other.

mod check;
mod command;
mod object;
mod send;
mod told;
mod upstream;
mod wait;

pub(super) use command::apply;
