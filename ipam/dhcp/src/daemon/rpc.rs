//! Clients of the reference, as long as there are any: see [`crate::rpc`].

use std::rc::Rc;

use cni_types::{AttachmentId, CniResult, ContainerId, Error, IfName, Json, NetworkName, Result};

use super::caller::Caller;
use super::leases::Leases;
use crate::conf;
use crate::rpc::{Call, CmdArgs, Method, Server, Step};

/// Answers calls until the client goes.
pub(super) async fn serve(mut client: Caller, leases: &Rc<Leases>) -> Result<()> {
    let mut server = Server::default();
    let nonsense = |error: crate::rpc::Error| Error::decode("a request that makes no sense").because(error);
    loop {
        server.feed(&std::mem::take(&mut client.received)).map_err(nonsense)?;
        while let Some(step) = server.next_step().map_err(nonsense)? {
            match step {
                Step::Send(bytes) => client.send(&bytes).await?,
                Step::Call(Call { seq, method, args }) => {
                    let Some(result) = client.unless_gone(answer(leases, method, args)).await else {
                        return Ok(());
                    };
                    let reply = server.reply(method, seq, &result.map_err(|error| error.to_string()));
                    client.send(&reply).await?;
                    client.go_on();
                }
            }
        }
        if !client.receive().await? {
            return Ok(());
        }
    }
}

async fn answer(leases: &Rc<Leases>, method: Method, args: CmdArgs) -> Result<CniResult> {
    let conf = Json::parse(&args.stdin_data)?;
    let id = AttachmentId {
        network: NetworkName::new(conf.get_str("name").unwrap_or_default())?,
        container_id: ContainerId::new(&args.container_id)?,
        ifname: IfName::new(&args.ifname)?,
    };
    match method {
        Method::Allocate => {
            let wanted = conf::read(&conf, &args.args)?;
            leases.add(id, args.netns.as_ref(), wanted).await
        }
        Method::Release => leases.del(&id).await.map(|()| CniResult::default()),
    }
}
