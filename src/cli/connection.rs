//! Temporary.
use clap::Args;
/// kubectl's flags.
#[derive(Clone, Debug, Args)]
pub struct ConnectionFlags {
    /// ns
    #[arg(short, long)]
    pub namespace: Option<String>,
}
