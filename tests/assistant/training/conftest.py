from tests.assistant.repair.conftest import cache, clone

__all__ = ["cache", "clone"]
