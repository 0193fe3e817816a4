COMPILER: str
HIGHEST: int
INSTRUCTIONS: tuple[tuple[str, int, bool], ...]

def supported() -> int: ...
