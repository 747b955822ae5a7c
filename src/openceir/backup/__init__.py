"""The fire-proof cupboard: a register copied while it works, the copy proved whole, and a home folder made of it again.

A backup is a folder: the home's files as they stood at one moment (`home/`), the portal's database when it is in
PostgreSQL (`portal.dump`), the keys when they were asked for (`keys.sealed`), and `manifest.json`, written last, which
names every file with its digest. A folder without a manifest is no backup, whatever lies in it.
"""

from openceir.backup.errors import BackupRefused
from openceir.backup.keys import open_keys, seal_keys
from openceir.backup.manifest import KeptFile, Manifest
from openceir.backup.restoring import Restored, restore_backup, verify_backup
from openceir.backup.taking import Backup, take_backup

__all__ = [
    "Backup",
    "BackupRefused",
    "KeptFile",
    "Manifest",
    "Restored",
    "open_keys",
    "restore_backup",
    "seal_keys",
    "take_backup",
    "verify_backup",
]
