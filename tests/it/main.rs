mod docs;
mod yaml;
