//! What a client asks.

use crate::gob::{self, StructWriter, Value};

/// What the daemon can be asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// The lease of an attachment: a new one, or the one it has (ADD and CHECK).
    Allocate,
    /// The end of an attachment's lease (DEL).
    Release,
}

impl Method {
    /// Its name in net/rpc.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Allocate => "DHCP.Allocate",
            Self::Release => "DHCP.Release",
        }
    }

    pub(super) fn find(name: &str) -> Option<Self> {
        [Self::Allocate, Self::Release].into_iter().find(|method| method.name() == name)
    }
}

/// The plugin's environment and input, as the reference's client passes them on: none of it has been looked at.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CmdArgs {
    /// `CNI_CONTAINERID`.
    pub container_id: String,
    /// `CNI_NETNS`; the reference's client makes an empty one its working directory.
    pub netns: String,
    /// `CNI_IFNAME`.
    pub ifname: String,
    /// `CNI_ARGS`.
    pub args: String,
    /// `CNI_PATH`.
    pub path: String,
    /// `CNI_NETNS_OVERRIDE`.
    pub netns_override: String,
    /// The network configuration.
    pub stdin_data: Vec<u8>,
}

impl CmdArgs {
    pub(super) fn write(&self, writer: &mut StructWriter) {
        let texts =
            [&self.container_id, &self.netns, &self.ifname, &self.args, &self.path, &self.netns_override];
        for (number, text) in (0..).zip(texts) {
            writer.string(number, text);
        }
        writer.bytes(6, &self.stdin_data);
    }

    pub(super) fn read(value: &Value) -> Result<Self, gob::Error> {
        let mut args = Self::default();
        for field in value.fields()? {
            let (name, value) = field?;
            let text = match name {
                "ContainerID" => &mut args.container_id,
                "Netns" => &mut args.netns,
                "IfName" => &mut args.ifname,
                "Args" => &mut args.args,
                "Path" => &mut args.path,
                "NetnsOverride" => &mut args.netns_override,
                "StdinData" => {
                    args.stdin_data = value.bytes()?.to_vec();
                    continue;
                }
                _ => continue,
            };
            value.string()?.clone_into(text);
        }
        Ok(args)
    }
}
