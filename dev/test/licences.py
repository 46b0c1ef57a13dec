"""Reads `cargo metadata` and prints packages under no licence of the accepted list."""

import json
import re
import sys

ACCEPTED = {
    "Apache-2.0", "MIT", "MIT-0", "BSD-2-Clause", "BSD-3-Clause", "ISC", "Zlib", "0BSD", "Unicode-3.0", "CC0-1.0",
    "Unlicense", "BSL-1.0", "MPL-2.0", "CDLA-Permissive-2.0", "Apache-2.0 WITH LLVM-exception",
}


def acceptable(expression: str) -> bool:
    """Every AND part needs one accepted alternative; the older `/` means OR."""
    parts = re.split(r"\s+AND\s+", expression.replace("/", " OR "))
    return all(
        any(choice.strip(" ()") in ACCEPTED for choice in re.split(r"\s+OR\s+", part)) for part in parts
    )


for package in json.load(sys.stdin)["packages"]:
    licence = package.get("license") or ""
    if package.get("source") and not acceptable(licence):
        print(f"  {package['name']} {package['version']}: {licence or 'none stated'}")
