CREATE TABLE meta (
    key TEXT PRIMARY KEY,
    value TEXT NOT NULL
) STRICT;

CREATE TABLE acts (
    seq INTEGER PRIMARY KEY,
    at INTEGER NOT NULL,
    actor TEXT NOT NULL,
    actor_name TEXT NOT NULL,
    party TEXT NOT NULL,
    verb TEXT NOT NULL,
    object TEXT NOT NULL,
    content BLOB,
    salt BLOB,
    commitment BLOB NOT NULL
) STRICT;
CREATE INDEX acts_by_object ON acts (object, seq);

CREATE TABLE users (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL UNIQUE COLLATE NOCASE,
    display_name TEXT NOT NULL,
    party TEXT NOT NULL,
    roles TEXT NOT NULL,
    password TEXT,
    enabled INTEGER NOT NULL,
    totp BLOB,
    totp_set INTEGER NOT NULL DEFAULT 0,
    totp_step INTEGER NOT NULL DEFAULT 0,
    created INTEGER NOT NULL,
    last_sign_in INTEGER
) STRICT;

CREATE TABLE sessions (
    hash BLOB PRIMARY KEY,
    user TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    created INTEGER NOT NULL,
    last_seen INTEGER NOT NULL,
    expires INTEGER NOT NULL,
    second_factor_at INTEGER,
    peer TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX sessions_by_user ON sessions (user);

CREATE TABLE links (
    hash BLOB PRIMARY KEY,
    user TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    created INTEGER NOT NULL,
    expires INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE tokens (
    id TEXT PRIMARY KEY,
    kind TEXT NOT NULL,
    name TEXT NOT NULL,
    user TEXT REFERENCES users (id) ON DELETE CASCADE,
    scopes TEXT NOT NULL,
    hash BLOB NOT NULL UNIQUE,
    created INTEGER NOT NULL,
    expires INTEGER,
    last_used INTEGER
) STRICT;

CREATE TABLE failed_sign_ins (
    key TEXT PRIMARY KEY,
    count INTEGER NOT NULL,
    last INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE preferences (
    user TEXT PRIMARY KEY REFERENCES users (id) ON DELETE CASCADE,
    body TEXT NOT NULL
) STRICT;

CREATE TABLE drafts (
    user TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    key TEXT NOT NULL,
    text TEXT NOT NULL,
    at INTEGER NOT NULL,
    PRIMARY KEY (user, key)
) STRICT, WITHOUT ROWID;

CREATE TABLE saved_searches (
    id TEXT PRIMARY KEY,
    user TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    url TEXT NOT NULL,
    created INTEGER NOT NULL
) STRICT;

CREATE TABLE secrets (
    name TEXT PRIMARY KEY,
    sealed BLOB NOT NULL
) STRICT;

CREATE TABLE positions (
    name TEXT PRIMARY KEY,
    value BLOB NOT NULL,
    at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE sources (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    transport TEXT NOT NULL,
    first_seen INTEGER NOT NULL,
    last_seen INTEGER NOT NULL,
    last_event INTEGER,
    records INTEGER NOT NULL,
    events INTEGER NOT NULL,
    parse_errors INTEGER NOT NULL,
    generic INTEGER NOT NULL,
    bytes INTEGER NOT NULL,
    log_types TEXT NOT NULL,
    owner TEXT,
    note TEXT,
    allowed INTEGER NOT NULL DEFAULT 1
) STRICT;

CREATE TABLE source_activity (
    source TEXT NOT NULL,
    slot INTEGER NOT NULL,
    records INTEGER NOT NULL,
    events INTEGER NOT NULL,
    parse_errors INTEGER NOT NULL,
    generic INTEGER NOT NULL,
    PRIMARY KEY (source, slot)
) STRICT, WITHOUT ROWID;
CREATE INDEX source_activity_by_slot ON source_activity (slot);

CREATE TABLE parse_failures (
    source TEXT NOT NULL,
    at INTEGER NOT NULL,
    raw TEXT NOT NULL,
    error TEXT NOT NULL
) STRICT;
CREATE INDEX parse_failures_by_source ON parse_failures (source, at);

CREATE TABLE rule_switches (
    rule TEXT PRIMARY KEY,
    enabled INTEGER NOT NULL,
    reason TEXT NOT NULL,
    by_name TEXT NOT NULL,
    at INTEGER NOT NULL
) STRICT;

CREATE TABLE rule_hits (
    rule TEXT NOT NULL,
    hour INTEGER NOT NULL,
    hits INTEGER NOT NULL,
    PRIMARY KEY (rule, hour)
) STRICT, WITHOUT ROWID;
CREATE INDEX rule_hits_by_hour ON rule_hits (hour);

CREATE TABLE cases (
    no INTEGER PRIMARY KEY,
    version INTEGER NOT NULL,
    kind TEXT NOT NULL,
    state TEXT NOT NULL,
    open INTEGER NOT NULL,
    priority INTEGER NOT NULL,
    verdict TEXT,
    benign INTEGER NOT NULL,
    owner TEXT,
    opened INTEGER NOT NULL,
    updated INTEGER NOT NULL,
    closed INTEGER,
    snoozed_until INTEGER,
    search TEXT NOT NULL,
    format INTEGER NOT NULL,
    body TEXT NOT NULL
) STRICT;
CREATE INDEX cases_by_priority ON cases (open, priority, no);
CREATE INDEX cases_by_opened ON cases (opened);
CREATE INDEX cases_by_updated ON cases (updated);
CREATE INDEX cases_by_owner ON cases (owner, open);

CREATE TABLE case_keys (
    case_no INTEGER NOT NULL REFERENCES cases (no),
    rule TEXT NOT NULL,
    entity TEXT NOT NULL,
    PRIMARY KEY (rule, entity, case_no)
) STRICT, WITHOUT ROWID;
CREATE INDEX case_keys_by_case ON case_keys (case_no);

CREATE TABLE case_history (
    case_no INTEGER NOT NULL REFERENCES cases (no),
    act INTEGER NOT NULL REFERENCES acts (seq),
    at INTEGER NOT NULL,
    actor TEXT NOT NULL,
    actor_name TEXT NOT NULL,
    person INTEGER NOT NULL,
    word TEXT NOT NULL,
    version INTEGER NOT NULL,
    changes TEXT NOT NULL,
    undo TEXT,
    undone INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (case_no, act)
) STRICT, WITHOUT ROWID;

CREATE TABLE runs (
    id BLOB PRIMARY KEY,
    title TEXT NOT NULL,
    started INTEGER NOT NULL,
    ended INTEGER,
    files INTEGER NOT NULL,
    records INTEGER NOT NULL,
    events INTEGER NOT NULL,
    detections INTEGER NOT NULL
) STRICT;

CREATE TABLE run_groups (
    run BLOB NOT NULL,
    no INTEGER NOT NULL,
    promoted INTEGER,
    absorbed_by INTEGER,
    format INTEGER NOT NULL,
    body TEXT NOT NULL,
    PRIMARY KEY (run, no)
) STRICT, WITHOUT ROWID;

CREATE TABLE detections (
    id BLOB PRIMARY KEY,
    rule TEXT NOT NULL,
    title TEXT NOT NULL,
    level INTEGER NOT NULL,
    time INTEGER NOT NULL,
    received INTEGER NOT NULL,
    detected INTEGER NOT NULL,
    source TEXT NOT NULL,
    run BLOB,
    group_no INTEGER,
    case_no INTEGER,
    host TEXT,
    user TEXT,
    address TEXT,
    points INTEGER NOT NULL,
    quiet INTEGER NOT NULL,
    search TEXT NOT NULL,
    format INTEGER NOT NULL,
    body TEXT NOT NULL
) STRICT;
CREATE INDEX detections_by_detected ON detections (detected);
CREATE INDEX detections_by_time ON detections (time);
CREATE INDEX detections_by_rule ON detections (rule, time);
CREATE INDEX detections_by_case ON detections (case_no, time) WHERE case_no IS NOT NULL;
CREATE INDEX detections_by_run ON detections (run, group_no) WHERE run IS NOT NULL;
