//! The bridge itself: whether it runs, can be asked, and could start.

use super::{BRIDGE, BridgeFacts, Check, Facts, Finding, Listen, ports, sudo};

pub(super) fn examine(facts: &Facts) -> Vec<Finding> {
    let mut findings = Vec::new();
    match &facts.bridge {
        BridgeFacts::Running(_) => return settings(facts).into_iter().collect(),
        BridgeFacts::NotRunning => findings.push(not_running(facts)),
        BridgeFacts::Denied { socket, node, user } => {
            let hindrance = node.as_ref().map(|node| node.hindrance(user));
            let why = match &hindrance {
                Some(hindrance) => format!("this user may not ask the running bridge: {hindrance}"),
                None => "this user may not ask the running bridge".to_owned(),
            };
            let joining = || Some(format!("sudo usermod -aG dialout {}", user.name.as_deref().unwrap_or("$USER")));
            let command = hindrance.map_or_else(joining, |hindrance| hindrance.command(socket));
            let subject = format!("control socket {}", socket.display());
            findings.push(Finding::blocking(Check::Bridge, subject, why).command(command));
        }
        BridgeFacts::Mute(why) => {
            let found = Finding::blocking(Check::Bridge, "the running bridge", why.clone());
            let command = facts.service.then(|| sudo(facts.root, "journalctl -u microflo-bridge -n 20"));
            findings.push(found.command(command));
        }
    }
    findings.extend(settings(facts));
    if matches!(facts.bridge, BridgeFacts::NotRunning | BridgeFacts::Mute(_)) {
        // A bridge that is there and does not answer has its own port, though not everybody sees that it does.
        let is_mute = matches!(facts.bridge, BridgeFacts::Mute(_)) && facts.serving;
        let others = |listen: &&Listen| !is_mute || listen.holder.as_ref().is_some_and(|holder| holder.name != BRIDGE);
        findings.extend(facts.taken.iter().filter(others).map(|listen| taken(facts, listen)));
    }
    if matches!(facts.bridge, BridgeFacts::NotRunning) {
        findings.extend(state_dir(facts));
    }
    findings
}

fn not_running(facts: &Facts) -> Finding {
    let found = Finding::note(Check::Bridge, "the bridge", "it does not run, so nobody serves the boards");
    let command = match facts.service {
        true => sudo(facts.root, "systemctl start microflo-bridge"),
        false => "microflo-bridge run".to_owned(),
    };
    found.command(command)
}

/// Of a running bridge it is the next start that fails, and another user's bridge may have other files.
fn settings(facts: &Facts) -> Option<Finding> {
    let error = facts.settings_error.as_ref()?;
    let found = Finding::blocking(Check::Settings, "configuration", error.clone());
    Some(Finding { blocks: !facts.is_running(), ..found })
}

fn taken(facts: &Facts, listen: &Listen) -> Finding {
    let subject = format!("address {}", listen.address);
    match &listen.holder {
        Some(holder) if holder.name == BRIDGE => {
            let problem =
                format!("{holder} listens there: another bridge, whose control socket is not where it was looked for");
            Finding::blocking(Check::Listen, subject, problem)
                .command("microflo-bridge doctor --state-dir DIRECTORY".to_owned())
        }
        Some(holder) => {
            let problem =
                format!("{holder} listens there, so the bridge cannot: end that program, or choose another port");
            let command = match facts.service {
                true => ports::end(facts, holder),
                false => "microflo-bridge run --listen localhost:3570".to_owned(),
            };
            Finding::blocking(Check::Listen, subject, problem).command(command)
        }
        None => {
            let problem = "another program listens there, so the bridge cannot; root can see which";
            let port = listen.address.rsplit(':').next().unwrap_or_default();
            Finding::blocking(Check::Listen, subject, problem).command(format!("sudo ss -ltnp sport = :{port}"))
        }
    }
}

fn state_dir(facts: &Facts) -> Option<Finding> {
    // The service has its own, which systemd makes.
    if facts.service && !facts.root {
        return None;
    }
    let (place, why) = facts.state_dir.problem.as_ref()?;
    let problem = format!("{} cannot be written: {why}", place.display());
    let user = facts.opener.name.as_deref().unwrap_or("$USER");
    let command = format!("sudo install -d -m 700 -o {user} {}", facts.state_dir.path.display());
    let found =
        Finding::blocking(Check::StateDir, format!("state directory {}", facts.state_dir.path.display()), problem);
    Some(found.command((!facts.root).then_some(command)))
}
