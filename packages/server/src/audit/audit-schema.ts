/** The audit log, and the states that its records explain. */
export const auditMigrations: readonly string[] = [
  `
  CREATE TABLE audit (
    id INTEGER PRIMARY KEY,
    at INTEGER NOT NULL,
    who TEXT NOT NULL,
    address TEXT NOT NULL,
    action TEXT NOT NULL,
    subject TEXT NOT NULL,
    before TEXT NOT NULL,
    after TEXT NOT NULL,
    reason TEXT,
    expires_at INTEGER,
    hash TEXT NOT NULL
  ) STRICT;
  CREATE INDEX audit_at ON audit (at);

  CREATE TABLE audit_anchor (last_id INTEGER PRIMARY KEY, hash TEXT NOT NULL) STRICT;

  CREATE TRIGGER audit_is_not_altered BEFORE UPDATE ON audit
  BEGIN SELECT RAISE(ABORT, 'audit records are not altered'); END;
  CREATE TRIGGER audit_is_not_deleted BEFORE DELETE ON audit
  WHEN OLD.id > coalesce((SELECT max(last_id) FROM audit_anchor), 0)
  BEGIN SELECT RAISE(ABORT, 'audit records are not deleted'); END;
  CREATE TRIGGER anchor_is_not_altered BEFORE UPDATE ON audit_anchor
  BEGIN SELECT RAISE(ABORT, 'audit anchors are not altered'); END;
  CREATE TRIGGER anchor_is_not_deleted BEFORE DELETE ON audit_anchor
  BEGIN SELECT RAISE(ABORT, 'audit anchors are not deleted'); END;

  CREATE TABLE forced_state (
    policy TEXT PRIMARY KEY,
    action TEXT NOT NULL,
    reason TEXT NOT NULL,
    who TEXT NOT NULL,
    at INTEGER NOT NULL,
    expires_at INTEGER
  ) STRICT;

  CREATE TABLE silence (
    dependency TEXT PRIMARY KEY,
    reason TEXT NOT NULL,
    who TEXT NOT NULL,
    at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL
  ) STRICT;
  `,
]
