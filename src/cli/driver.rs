//! The flags of a driver in the cluster.

use clap::Args;

/// Who drives the run.
#[derive(Args, Clone, Debug, Default)]
pub struct DriverArgs {
    /// Hand the run to a driver Job in the cluster, and return once that drives it
    ///
    /// Nothing on this machine is needed any more then: `attach` follows the run, `cancel` stops it.
    #[arg(long, conflicts_with = "on_interrupt")]
    pub detach: bool,
    /// The driver's image: one with this program in it
    ///
    /// Default: `driver_image` of your `config.toml`.
    #[arg(long, value_name = "IMAGE")]
    pub driver_image: Option<String>,
    /// Create the service account that the driver acts as, with the rights that it needs
    #[arg(long)]
    pub create_rbac: bool,
}
