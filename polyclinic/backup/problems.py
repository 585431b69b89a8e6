"""What can go wrong with backups. Every message is for the operator and names the way out."""

from __future__ import annotations


class BackupProblem(RuntimeError):
    """Common to all."""


class NotSet(BackupProblem):
    """Backups are not set up, or not as they are asked for."""


class Busy(BackupProblem):
    """Another backup, restore or check works on the same folder."""


class WrongKey(BackupProblem):
    """The backup key is not the one these backups are sealed for, or no key at all."""


class Damaged(BackupProblem):
    """What lies in the folder of backups is not what was put there."""


class NoRoom(BackupProblem):
    """A disk is full. What was complete before still is."""


class Occupied(BackupProblem):
    """There is something already where a backup should be restored, or somebody works on it."""
