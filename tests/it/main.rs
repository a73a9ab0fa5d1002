mod yaml;
mod tmpvec;
