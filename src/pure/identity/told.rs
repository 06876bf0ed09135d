//! The id that a board stores itself: known once the board has said so, and then the highest rung.
//!
//! Copied firmware or a copied store gives two boards one id. The twin rule holds for them as for serial numbers: the place that had
//! the id first keeps it, every other board has the id that it has without, with a warning, also when it is alone later.
//! An id that another port has without anybody saying so is nobody's to take.

use std::collections::{BTreeMap, BTreeSet};

use uuid::{Uuid, Variant};

use super::Rung;
use super::twins::{Assignment, SerialMemory, settle};

/// Starts the keys of stored ids; no [`serial_key`](super::serial_key) begins like this.
const STORED: &str = "on-board:";

/// The key under which it is remembered where the board with this stored id was.
pub fn stored_key(id: Uuid) -> String {
    format!("{STORED}{id}")
}

/// Whether a board can have this id: the FBP protocol wants version 4.
pub fn is_storable(id: Uuid) -> bool {
    id.get_version_num() == 4 && id.get_variant() == Variant::RFC4122
}

/// The ids that boards in this place have told, last. More than one if boards were changed there.
pub fn last_told(remembered: &BTreeMap<String, SerialMemory>, natural_id: Uuid) -> Vec<Uuid> {
    let place = natural_id.to_string();
    let stored = remembered.range(STORED.to_owned()..).take_while(|(key, _)| key.starts_with(STORED));
    stored
        .filter(|(_, memory)| memory.last_path == place)
        .filter_map(|(key, _)| Uuid::try_parse(&key[STORED.len()..]).ok())
        .collect()
}

/// Puts the ids that boards have told over the natural ones. Returns what to remember of them.
pub(super) fn follow_told(
    assignments: &mut [Assignment],
    told: &BTreeMap<Uuid, Uuid>,
    remembered: &BTreeMap<String, SerialMemory>,
) -> BTreeMap<String, SerialMemory> {
    let mut places: BTreeMap<Uuid, BTreeSet<String>> = BTreeMap::new();
    for assignment in assignments.iter() {
        if let Some(id) = told.get(&assignment.natural_id) {
            places.entry(*id).or_default().insert(assignment.natural_id.to_string());
        }
    }
    let settled = |(id, places): (&Uuid, &BTreeSet<String>)| {
        let key = stored_key(*id);
        let memory = settle(remembered.get(&key), &places.iter().map(String::as_str).collect());
        (key, memory)
    };
    let memory: BTreeMap<String, SerialMemory> = places.iter().map(settled).collect();
    let natural: BTreeSet<Uuid> = assignments.iter().map(|assignment| assignment.natural_id).collect();
    for assignment in assignments {
        let Some(&id) = told.get(&assignment.natural_id) else { continue };
        let keeps = memory
            .get(&stored_key(id))
            .is_some_and(|memory| !memory.shared || memory.last_path == assignment.natural_id.to_string());
        let is_anothers = id != assignment.natural_id && natural.contains(&id);
        match (keeps, is_anothers) {
            (true, false) => (assignment.id, assignment.rung) = (id, Rung::OnBoard),
            (_, true) => assignment.warning = Some(taken_warning(id, assignment.natural_id)),
            (false, false) => assignment.warning = Some(clone_warning(id, assignment.natural_id)),
        }
    }
    memory
}

fn clone_warning(id: Uuid, own: Uuid) -> String {
    format!(
        "another board stores the same id {id}, as copied firmware makes it: this one is known as {own} instead; to give it an \
         id of its own, type: microflo-bridge id {own} --on-board new"
    )
}

fn taken_warning(id: Uuid, own: Uuid) -> String {
    format!(
        "it stores the id {id}, which another board here has by its port: this one is known as {own} instead; to give it an id \
         of its own, type: microflo-bridge id {own} --on-board new"
    )
}
