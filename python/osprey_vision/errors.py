"""What can go wrong."""


class OspreyError(Exception):
    """Anything that this package cannot do."""


class ModelError(OspreyError, ValueError):
    """A model that cannot be read or run, or options that do not fit it."""


class PictureError(OspreyError, ValueError):
    """A picture that cannot be looked at.

    Attributes:
        kind: "unreadable", "not_a_picture", "damaged" or "too_large".
    """

    def __init__(self, message: str, kind: str = "damaged") -> None:
        super().__init__(message, kind)
        self.kind = kind

    def __str__(self) -> str:
        return str(self.args[0])
