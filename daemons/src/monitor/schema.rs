//! The monitor's tables.

/// The tables. Times are milliseconds since 1970.
pub const MIGRATIONS: &[&str] = &[
    "
    CREATE TABLE services (name TEXT PRIMARY KEY, record TEXT NOT NULL) WITHOUT ROWID;
    CREATE TABLE checks (
        service TEXT NOT NULL,
        instance TEXT NOT NULL,
        body TEXT NOT NULL,       -- JSON
        PRIMARY KEY (service, instance)
    ) WITHOUT ROWID;
    CREATE TABLE probes (
        service TEXT NOT NULL,
        instance TEXT NOT NULL,
        slot INTEGER NOT NULL,
        at INTEGER NOT NULL,
        latency INTEGER,          -- milliseconds; null where it failed
        reason TEXT,              -- the phase that failed; null where it went well
        detail TEXT,
        PRIMARY KEY (service, instance, slot)
    ) WITHOUT ROWID;
    CREATE TABLE uptime (
        service TEXT NOT NULL,
        bucket INTEGER NOT NULL,
        good INTEGER NOT NULL,
        total INTEGER NOT NULL,
        PRIMARY KEY (service, bucket)
    ) WITHOUT ROWID;
    CREATE TABLE events (
        id INTEGER PRIMARY KEY,
        at INTEGER NOT NULL,
        name TEXT NOT NULL,       -- transition | incident
        service TEXT NOT NULL,
        data TEXT NOT NULL        -- JSON
    );
    CREATE INDEX events_of_service ON events (service, id);
    CREATE TABLE incidents (
        id INTEGER PRIMARY KEY,
        service TEXT NOT NULL,
        opened_at INTEGER NOT NULL,
        resolved_at INTEGER,
        body TEXT NOT NULL        -- JSON
    );
    CREATE INDEX incidents_open ON incidents (id) WHERE resolved_at IS NULL;
    CREATE TABLE maintenance (
        service TEXT PRIMARY KEY,
        until INTEGER,
        body TEXT NOT NULL        -- JSON
    ) WITHOUT ROWID;
",
    "
    CREATE INDEX probes_by_age ON probes (at);
    CREATE INDEX uptime_by_age ON uptime (bucket);
    CREATE INDEX events_by_age ON events (at);
    CREATE INDEX incidents_by_age ON incidents (resolved_at);
",
    super::alert::outbox::MIGRATION,
    // An instance can be under maintenance by itself; '' stands for all of a service.
    "
    ALTER TABLE maintenance RENAME TO maintenance_of_services;
    CREATE TABLE maintenance (
        service TEXT NOT NULL,
        instance TEXT NOT NULL,
        until INTEGER,
        body TEXT NOT NULL,       -- JSON
        PRIMARY KEY (service, instance)
    ) WITHOUT ROWID;
    INSERT INTO maintenance SELECT service, '', until, body FROM maintenance_of_services;
    DROP TABLE maintenance_of_services;
",
    super::alert::outbox::MIGRATION_QUIET,
    // A service's newest probes are read from their end.
    "CREATE INDEX probes_of_service ON probes (service, at);",
    // `good` and `total` were numbers of probes; from now on they are the
    // milliseconds for which those speak. What is kept becomes ten minutes of
    // each instance that the service has now.
    "
    UPDATE uptime SET
        good = CAST(round(600000.0 * good / total) AS INTEGER)
            * (SELECT max(1, count(*)) FROM checks WHERE checks.service = uptime.service),
        total = 600000 * (SELECT max(1, count(*)) FROM checks WHERE checks.service = uptime.service)
    WHERE total > 0;
",
];
