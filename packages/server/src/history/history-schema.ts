/** The tables of `history.db`, one text per version; see `openDatabase`. */
export const historyMigrations: readonly string[] = [
  `
  CREATE TABLE run (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    started_at INTEGER NOT NULL,
    alive_at INTEGER NOT NULL,
    stopped_at INTEGER,
    last_event INTEGER NOT NULL
  );
  CREATE TABLE dependency (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);
  CREATE TABLE buckets (
    resolution INTEGER NOT NULL,
    number INTEGER NOT NULL,
    row BLOB NOT NULL,
    PRIMARY KEY (resolution, number)
  ) WITHOUT ROWID;
  CREATE TABLE state (
    dependency INTEGER NOT NULL,
    from_at INTEGER NOT NULL,
    state TEXT NOT NULL,
    forced INTEGER NOT NULL,
    PRIMARY KEY (dependency, from_at)
  ) WITHOUT ROWID;
  CREATE TABLE marker (id INTEGER PRIMARY KEY, at INTEGER NOT NULL, kind TEXT NOT NULL, text TEXT NOT NULL);
  CREATE INDEX marker_at ON marker (at);
  CREATE TABLE event (id INTEGER PRIMARY KEY, at INTEGER NOT NULL, type TEXT NOT NULL, policy TEXT NOT NULL, data TEXT NOT NULL);
  CREATE INDEX event_policy ON event (policy, id);
  `,
]
