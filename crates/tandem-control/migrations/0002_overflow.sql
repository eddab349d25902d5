-- Detections beyond what a case or a signal's hour keeps as rows: only that they were counted.
CREATE TABLE overflow (
    id BLOB PRIMARY KEY,
    case_no INTEGER,
    group_no INTEGER,
    detected INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX overflow_by_detected ON overflow (detected);
