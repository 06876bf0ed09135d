//! The boards of the running bridge, which knows best why one is not up.

use super::{BoardFacts, Check, Facts, Finding, ports, system};
use crate::pure::view::BoardState;

pub(super) fn examine(facts: &Facts) -> Vec<Finding> {
    facts.boards().iter().flat_map(|board| of_board(facts, board)).collect()
}

fn of_board(facts: &Facts, board: &BoardFacts) -> Vec<Finding> {
    let subject = subject(board);
    let mut findings: Vec<Finding> = state(facts, board, &subject).into_iter().collect();
    findings.extend(board.warnings.iter().map(|warning| Finding::note(Check::Board, &*subject, warning.clone())));
    let troubled = board.registries.iter().filter(|registry| registry.trouble);
    findings.extend(troubled.map(|registry| {
        let problem = format!("registry {}: {}", registry.registry, registry.detail);
        // The bridge's own has no URL.
        let command = registry.registry.contains("://").then(|| system::mending(facts, &registry.registry));
        let found = Finding::blocking(Check::Registry, &*subject, problem).command(command);
        Finding { blocks: !registry.registered, ..found }
    }));
    findings
}

fn subject(board: &BoardFacts) -> String {
    match &board.device {
        Some(device) => format!("{} ({})", board.label, device.display()),
        None => board.label.clone(),
    }
}

fn state(facts: &Facts, board: &BoardFacts, subject: &str) -> Option<Finding> {
    let blocking = |check| Finding::blocking(check, subject, board.reason.clone());
    let device = board.device.as_deref();
    let port = device.and_then(|device| facts.port(device));
    let allow = || device.map(|device| format!("microflo-bridge allow {}", device.display()));
    let found = match board.state {
        BoardState::NotAllowed => blocking(Check::Board).command(allow()),
        BoardState::WaitingForPermission => {
            let command = port.and_then(|port| ports::opening_command(port, &facts.opener));
            blocking(Check::Permission).command(command)
        }
        BoardState::Busy => {
            let holder = port.and_then(|port| port.holder.as_ref());
            let unseen = || device.filter(|_| !facts.root).map(|device| format!("sudo fuser -v {}", device.display()));
            let mut found = blocking(Check::Holder);
            if let Some(holder) = holder.filter(|holder| !found.problem.contains(&holder.to_string())) {
                // The bridge may not have seen who it is.
                found.problem = format!("{}; it is {holder}", found.problem);
            }
            found.command(holder.map(|holder| ports::end(facts, holder)).or_else(unseen))
        }
        BoardState::Unresponsive | BoardState::NotMicroflo => match port.and_then(|port| port.holder.as_ref()) {
            // The service cannot see other users' programs, and two that read get half of what the board says each.
            Some(holder) => {
                let problem = format!("{}; {holder} has it open, too: close it there", board.reason);
                Finding::blocking(Check::Holder, subject, problem).command(ports::end(facts, holder))
            }
            None => blocking(Check::Board).command(allow()),
        },
        BoardState::Ready if !board.has_components => {
            let problem = "it has no component map, so it can only be used raw";
            Finding::note(Check::Board, subject, problem).command(
                "microflo-bridge firmware add DIRECTORY   # the one that `microflo generate` wrote to".to_owned(),
            )
        }
        BoardState::Flashing | BoardState::Released => Finding::note(Check::Board, subject, board.reason.clone()),
        BoardState::Opening
        | BoardState::Booting
        | BoardState::Handshaking
        | BoardState::Ready
        | BoardState::Ignored
        | BoardState::Gone => return None,
    };
    Some(found)
}
