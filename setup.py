"""
Let tools that know only setup.py find setup.cfg; build the optional extension.

Without a compiler, or with C{PORTMUX_PURE=1} in the environment, portmux is pure
Python, and so is its wheel.
"""

import os
import sys
import sysconfig
from pathlib import Path

from setuptools import Extension, setup

try:
    from setuptools.command.bdist_wheel import bdist_wheel
except ImportError:  # before setuptools 70.1
    from wheel.bdist_wheel import bdist_wheel  # type: ignore[import-not-found]

# One binary for this Python and all later ones; those without the interpreter's
# lock have no such promise.
STABLE = not sysconfig.get_config_var("Py_GIL_DISABLED")


class Wheel(bdist_wheel):
    """A wheel that is called pure when the extension could not be built."""

    def get_tag(self):
        if not any(Path(self.bdist_dir).rglob("_relay*.so")):
            self.root_is_pure = True
            return "py3", "none", "any"
        return super().get_tag()


def extensions():
    if os.environ.get("PORTMUX_PURE") == "1" or sys.platform != "linux":
        return []
    sources = sorted(str(path) for path in Path("native").glob("*.c"))
    headers = sorted(str(path) for path in Path("native").glob("*.h"))
    return [
        Extension(
            "portmux._relay",
            sources,
            depends=headers,
            define_macros=[("Py_LIMITED_API", "0x030B0000")] if STABLE else [],
            extra_compile_args=["-std=gnu11", "-fvisibility=hidden", "-pthread"],
            extra_link_args=["-pthread"],
            libraries=["m"],
            optional=True,
            py_limited_api=STABLE,
        )
    ]


setup(
    ext_modules=extensions(),
    cmdclass={"bdist_wheel": Wheel},
    options={"bdist_wheel": {"py_limited_api": "cp311"}} if STABLE else {},
)
