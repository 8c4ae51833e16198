#!/usr/bin/env python3
"""packaging/test/sbom.py BILL.json: holds the bill of materials against CycloneDX's own JSON schema, strictly. Needs
cyclonedx-python-lib[json-validation]."""

import json
import sys

from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

with open(sys.argv[1], encoding="utf-8") as file:
    text = file.read()
version = json.loads(text)["specVersion"]
error = JsonStrictValidator(SchemaVersion.from_version(version)).validate_str(text)
if error is not None:
    sys.exit(f"{sys.argv[1]}: not CycloneDX {version}: {error}")
print(f"{sys.argv[1]}: CycloneDX {version}")
