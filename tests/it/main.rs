mod docs;
mod krew;
mod yaml;
