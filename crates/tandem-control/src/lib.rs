//! Control data in SQLite: repositories, migrations, acts, sealing, backup.
