//! The registry's records.

use serde_json::Value;
use uuid::Uuid;

use super::backend::{Durability, Transaction, on, run};
use super::{RegistryError, RegistryStore};
use crate::io::store::{StoreError, parse_id};
use crate::pure::registry::{self, Caller, Entry, Event, EventKind, Owner, Patch, Put, Record, Refusal, UnixMillis};
use crate::pure::secret::Secret;

const DAMAGED: StoreError = StoreError::Damaged("runtime record");

/// Id, record, secret, registered, seen.
type Row = (String, String, Option<String>, i64, i64);

impl RegistryStore {
    /// Registers a runtime or updates it.
    pub async fn put(&self, id: Uuid, patch: Patch, caller: Caller, now: UnixMillis) -> Result<Put, RegistryError> {
        let mut transaction = self.backend.begin(Durability::Quick, &id).await?;
        let stored = select(&mut transaction, id).await?;
        let put = registry::put(stored, id, patch, caller, now)?;
        let user = put.entry.record.user;
        if put.created || put.from.is_some() {
            // Two at once may see the same number: the limit keeps floods out, one more does no harm.
            registry::may_own(owner(&mut transaction, user).await?, caller)?;
        }
        upsert(&mut transaction, &put.entry).await?;
        let mut events = vec![Event { kind: EventKind::Put, user, id, entry: Some(put.entry.clone()) }];
        events.extend(put.from.map(|user| Event { kind: EventKind::Delete, user, id, entry: None }));
        self.commit(transaction, events).await?;
        Ok(put)
    }

    /// Notes that a runtime is alive.
    pub async fn ping(&self, id: Uuid, now: UnixMillis) -> Result<(), RegistryError> {
        let mut transaction = self.backend.begin(Durability::Quick, &id).await?;
        let row: Option<(String, i64)> = on!(&mut transaction, c =>
            sqlx::query_as("SELECT \"user\", seen FROM runtimes WHERE id = $1").bind(id.to_string()).fetch_optional(c))?;
        let before = row.as_ref().map(|(_, seen)| UnixMillis(*seen));
        let seen = registry::ping(before, now)?;
        run!(&mut transaction, c => sqlx::query("UPDATE runtimes SET seen = $1 WHERE id = $2")
            .bind(seen.0).bind(id.to_string()).execute(c))?;
        let mut events = Vec::new();
        // A ping that changes nothing is no news.
        if let (Some((user, _)), Some(before)) = (row, before)
            && !self.presence.is_online(before, now)
        {
            let entry = select(&mut transaction, id).await?;
            events.push(Event { kind: EventKind::Online, user: parse_id(&user)?, id, entry });
        }
        self.commit(transaction, events).await?;
        Ok(())
    }

    /// One runtime, for its owner.
    pub async fn get(&self, id: Uuid, caller: Caller) -> Result<Entry, RegistryError> {
        let mut transaction = self.backend.read().await?;
        Ok(registry::readable(select(&mut transaction, id).await?, caller)?)
    }

    /// The caller's own runtimes, the first registered first; those of one type, if one is named.
    pub async fn list(&self, caller: Caller, kind: Option<&str>) -> Result<Vec<Entry>, RegistryError> {
        let user = caller.user.ok_or(Refusal::Unauthenticated)?;
        let mut transaction = self.backend.read().await?;
        let rows: Vec<Row> = on!(&mut transaction, c => sqlx::query_as(
            "SELECT id, record, secret, registered, seen FROM runtimes WHERE \"user\" = $1 ORDER BY registered, id",
        ).bind(user.to_string()).fetch_all(c))?;
        let mut entries = rows.into_iter().map(entry).collect::<Result<Vec<_>, _>>()?;
        entries.retain(|entry| kind.is_none_or(|kind| entry.record.kind == kind));
        Ok(entries)
    }

    /// Everybody's runtimes, for whoever runs the registry.
    pub async fn list_all(&self) -> Result<Vec<Entry>, StoreError> {
        let mut transaction = self.backend.read().await?;
        let rows: Vec<Row> = on!(&mut transaction, c => sqlx::query_as(
            "SELECT id, record, secret, registered, seen FROM runtimes ORDER BY \"user\", registered, id",
        ).fetch_all(c))?;
        rows.into_iter().map(entry).collect()
    }

    /// Removes one runtime, for its owner.
    pub async fn delete(&self, id: Uuid, caller: Caller) -> Result<(), RegistryError> {
        let mut transaction = self.backend.begin(Durability::Quick, &id).await?;
        let entry = registry::readable(select(&mut transaction, id).await?, caller)?;
        run!(&mut transaction, c => sqlx::query("DELETE FROM runtimes WHERE id = $1").bind(id.to_string()).execute(c))?;
        let gone = Event { kind: EventKind::Delete, user: entry.record.user, id, entry: None };
        self.commit(transaction, vec![gone]).await?;
        Ok(())
    }

    /// Tells this process's watchers which runtimes went offline between these two moments.
    pub async fn tell_offline(&self, since: UnixMillis, now: UnixMillis) -> Result<(), StoreError> {
        if !self.feed.has_watchers() {
            return Ok(());
        }
        let mut transaction = self.backend.read().await?;
        let rows: Vec<Row> = on!(&mut transaction, c => sqlx::query_as(
            "SELECT id, record, secret, registered, seen FROM runtimes WHERE seen > $1 AND seen <= $2",
        ).bind(self.presence.offline_until(since).0).bind(self.presence.offline_until(now).0).fetch_all(c))?;
        for row in rows {
            let entry = entry(row)?;
            let (user, id) = (entry.record.user, entry.record.id);
            self.feed.tell(Event { kind: EventKind::Offline, user, id, entry: Some(entry) });
        }
        Ok(())
    }

    /// Tells watchers of a change that another process made.
    pub(super) async fn retell(&self, kind: EventKind, user: Uuid, id: Uuid) -> Result<(), StoreError> {
        let entry = match kind {
            EventKind::Delete => None,
            _ => match select(&mut self.backend.read().await?, id).await? {
                // What is gone meanwhile, or somebody else's, is told of by the next notification.
                None => return Ok(()),
                Some(entry) if entry.record.user != user => return Ok(()),
                entry => entry,
            },
        };
        self.feed.tell(Event { kind, user, id, entry });
        Ok(())
    }

    /// Commits, and tells watchers: by the database where other processes may watch too.
    async fn commit(&self, mut transaction: Transaction, events: Vec<Event>) -> Result<(), StoreError> {
        for event in &events {
            transaction.notify(&format!("{} {} {}", event.kind, event.user, event.id)).await?;
        }
        let told_by_database = transaction.notifies();
        transaction.commit().await?;
        if !told_by_database {
            events.into_iter().for_each(|event| self.feed.tell(event));
        }
        Ok(())
    }
}

async fn select(transaction: &mut Transaction, id: Uuid) -> Result<Option<Entry>, StoreError> {
    let row: Option<Row> = on!(transaction, c => sqlx::query_as(
        "SELECT id, record, secret, registered, seen FROM runtimes WHERE id = $1",
    ).bind(id.to_string()).fetch_optional(c))?;
    row.map(entry).transpose()
}

async fn owner(transaction: &mut Transaction, user: Uuid) -> Result<Owner, StoreError> {
    let (known, records): (i64, i64) = on!(transaction, c => sqlx::query_as(
        "SELECT (SELECT count(*) FROM users WHERE id = $1), (SELECT count(*) FROM runtimes WHERE \"user\" = $1)",
    ).bind(user.to_string()).fetch_one(c))?;
    Ok(Owner { known: known > 0, records: records.try_into().unwrap_or_default() })
}

async fn upsert(transaction: &mut Transaction, entry: &Entry) -> Result<(), StoreError> {
    let record = &entry.record;
    run!(transaction, c => sqlx::query(
        "INSERT INTO runtimes (id, \"user\", record, secret, registered, seen) VALUES ($1, $2, $3, $4, $5, $6)
         ON CONFLICT (id) DO UPDATE SET
            \"user\" = excluded.\"user\", record = excluded.record, secret = excluded.secret, seen = excluded.seen",
    )
    .bind(record.id.to_string())
    .bind(record.user.to_string())
    .bind(Value::Object(record.to_open_json()).to_string())
    .bind(record.secret.as_ref().map(|secret| secret.expose().to_owned()))
    .bind(entry.registered.0)
    .bind(entry.seen.0)
    .execute(c))?;
    Ok(())
}

fn entry((id, record, secret, registered, seen): Row) -> Result<Entry, StoreError> {
    let keys = serde_json::from_str(&record).map_err(|_| DAMAGED)?;
    let id = Uuid::parse_str(&id).map_err(|_| DAMAGED)?;
    let patch = Patch::parse(id, keys).map_err(|_| DAMAGED)?;
    let record = Record::create(id, patch, None).map_err(|_| DAMAGED)?;
    Ok(Entry {
        record: Record { secret: secret.map(Secret::new), ..record },
        registered: UnixMillis(registered),
        seen: UnixMillis(seen),
    })
}

#[cfg(test)]
impl RegistryStore {
    /// So many runtimes of one user.
    pub(crate) async fn fill(&self, user: Uuid, count: u64) {
        let mut transaction = self.backend.begin(Durability::Quick, &user).await.unwrap();
        run!(&mut transaction, c => sqlx::query(
            "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < $1)
             INSERT INTO runtimes (id, \"user\", record, registered, seen) SELECT 'x' || i, $2, '{}', 0, 0 FROM n",
        ).bind(i64::try_from(count).unwrap()).bind(user.to_string()).execute(c))
        .unwrap();
        transaction.commit().await.unwrap();
    }
}
