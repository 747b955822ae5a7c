"""What goes wrong with a backup."""

from openceir.errors import OpenceirError

__all__ = ["BackupRefused"]


class BackupRefused(OpenceirError):
    """A backup could not be taken, or is not what its manifest says; the home folder is as it was."""

    code = "backup-refused"
    exit_status = 1
