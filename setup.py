"""Build every ext/NAME/NAME.pyx as rbmflow._kernels.NAME.

The one place where compiler directives and flags live. Set RBMFLOW_CHECKED=1 to build the kernels with bounds
checks (the tests run through such a build in CI), RBMFLOW_SANITIZE=address,undefined or thread to build them
for these sanitizers (`.ci/sanitize` runs them).
"""

import os
import re
from pathlib import Path

import numpy as np
from Cython.Build import cythonize
from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext

CHECKED = os.environ.get("RBMFLOW_CHECKED", "0") == "1"
SANITIZE = os.environ.get("RBMFLOW_SANITIZE", "")
EXT = Path("ext")

SHARED = "rbmflow._kernels._cyutility"  # what Cython needs for memoryviews, once for all modules

# No contraction: every SIMD level then rounds alike. No -march: wheels run anywhere.
GNU = ["-O3", "-g0", "-ffp-contract=off", "-fno-math-errno", "-fno-trapping-math"]
MICROSOFT = ["/O2", "/fp:precise"]
SANITIZERS = [f"-fsanitize={SANITIZE}"] if SANITIZE else []
if SANITIZE:
    # Python asks for -fwrapv, under which no sum overflows
    GNU += ["-O1", "-g1", "-fno-omit-frame-pointer", "-fno-wrapv", *SANITIZERS, "-fno-sanitize-recover=all"]


class Build(build_ext):
    """Flags of the compiler that is used: gcc, clang, zig and mingw understand the same ones."""

    def build_extensions(self):
        """Compile all modules."""
        flags = MICROSOFT if self.compiler.compiler_type == "msvc" else GNU
        command = " ".join(getattr(self.compiler, "compiler_so", ()))
        if "zig" in command and "-target" not in command and "-mcpu" not in command:
            flags = [*flags, "-mcpu=baseline"]  # zig compiles for the processor at hand
        for extension in self.extensions:
            extension.extra_compile_args = flags
        super().build_extensions()


DIRECTIVES = {
    "language_level": 3,
    "boundscheck": CHECKED,
    "wraparound": False,
    "initializedcheck": CHECKED,
    "cdivision": True,
    "embedsignature": True,
    "freethreading_compatible": True,
}


def headers_of(path):
    """Return the headers that a file names, and those that they name."""
    named = {EXT / name for name in re.findall(r'"(\w+/\w+\.h)"', path.read_text())}
    return named.union(*map(headers_of, named))


extensions = [
    Extension(
        f"rbmflow._kernels.{path.stem}",
        [str(path)],
        include_dirs=["ext", np.get_include()],
        depends=sorted(map(str, {*headers_of(path), *EXT.glob("simd/*.pxd")})),
        define_macros=[("NPY_NO_DEPRECATED_API", "NPY_2_0_API_VERSION")],
        extra_link_args=SANITIZERS,
    )
    for path in sorted(EXT.glob("*/*.pyx"))
]
extensions.append(Extension(SHARED, [f"{SHARED.replace('.', '/')}.c"], extra_link_args=SANITIZERS))

setup(
    ext_modules=cythonize(
        extensions,
        include_path=["ext/simd"],
        build_dir="build/checked" if CHECKED else "build/cython",
        compiler_directives=DIRECTIVES,
        force=CHECKED,
        shared_utility_qualified_name=SHARED,
    ),
    cmdclass={"build_ext": Build},
    options={"build_ext": {"parallel": os.cpu_count()}},
)
