//! The id that a board stores itself: known once the board has said so, and then the highest rung.
//!
//! Copied firmware or a copied store gives two boards one id. The twin rule holds for them as for serial numbers: the place that had
//! the id first keeps it, every other board has the id that it has without, with a warning, also when it is alone later. While the
//! board in that place has not spoken yet, nobody else gets the id: after a start of the bridge the first to answer is any of them.
//! An id that another port has without anybody saying so is nobody's to take.

use std::collections::{BTreeMap, BTreeSet};

use uuid::{Uuid, Variant};

use super::Rung;
use super::twins::{Assignment, SerialMemory, settle};

/// How many stored ids are remembered of boards in one place: a board that stores a new one at each start must not fill the disk.
pub const MARKS_PER_PLACE: usize = 64;

/// Starts the keys of stored ids; no [`serial_key`](super::serial_key) begins like this.
pub const STORED: &str = "on-board:";

/// What the boards that are here say that they store, by their natural ids.
#[derive(Clone, Debug, Default)]
pub struct Told {
    /// The ids.
    pub ids: BTreeMap<Uuid, Uuid>,
    /// Boards that have not spoken yet, and may.
    pub awaited: BTreeSet<Uuid>,
}

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
    told: &Told,
    remembered: &BTreeMap<String, SerialMemory>,
) -> BTreeMap<String, SerialMemory> {
    let mut places: BTreeMap<Uuid, BTreeSet<String>> = BTreeMap::new();
    for assignment in assignments.iter() {
        if let Some(id) = told.ids.get(&assignment.natural_id) {
            places.entry(*id).or_default().insert(assignment.natural_id.to_string());
        }
    }
    let here = assignments.iter().map(|assignment| assignment.natural_id);
    let awaited: BTreeSet<String> =
        here.filter(|natural_id| told.awaited.contains(natural_id)).map(|natural_id| natural_id.to_string()).collect();
    let settled = |(id, places): (&Uuid, &BTreeSet<String>)| {
        let key = stored_key(*id);
        let memory = match remembered.get(&key) {
            Some(first) if awaited.contains(&first.last_path) => first.clone(),
            before => settle(before, &places.iter().map(String::as_str).collect()),
        };
        (key, memory)
    };
    let memory: BTreeMap<String, SerialMemory> = places.iter().map(settled).collect();
    let natural: BTreeSet<Uuid> = assignments.iter().map(|assignment| assignment.natural_id).collect();
    for assignment in assignments {
        let Some(&id) = told.ids.get(&assignment.natural_id) else { continue };
        let Some(SerialMemory { last_path: keeper, .. }) = memory.get(&stored_key(id)) else { continue };
        let keeps = *keeper == assignment.natural_id.to_string();
        let is_anothers = id != assignment.natural_id && natural.contains(&id);
        match (keeps, is_anothers) {
            (true, false) => (assignment.id, assignment.rung) = (id, Rung::OnBoard),
            (_, true) => assignment.warning = Some(taken_warning(id, assignment.natural_id)),
            (false, false) if awaited.contains(keeper) => {
                assignment.warning = Some(awaited_warning(id, assignment.natural_id, keeper));
            }
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

fn awaited_warning(id: Uuid, own: Uuid, keeper: &str) -> String {
    format!(
        "it stores the id {id}, which was last told by the board that is {keeper} by its port and has not answered yet: this one is \
         known as {own} until then"
    )
}

fn taken_warning(id: Uuid, own: Uuid) -> String {
    format!(
        "it stores the id {id}, which another board here has by its port: this one is known as {own} instead; to give it an id \
         of its own, type: microflo-bridge id {own} --on-board new"
    )
}
