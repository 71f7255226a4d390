#!/usr/bin/env python3
"""Public validators for the files of `sequester export`.

Usage: validate.py cyclonedx FILE...        strictly, by cyclonedx-python-lib
       validate.py ars SCHEMA FILE...       by jsonschema against CDISC's schema

Exit code 0 when all are valid; prints what is wrong otherwise.
"""
import json
import sys


def cyclonedx(files):
    from cyclonedx.schema import SchemaVersion
    from cyclonedx.validation.json import JsonStrictValidator

    validator = JsonStrictValidator(SchemaVersion.V1_7)
    for file in files:
        text = open(file, encoding="utf-8").read()
        for error in validator.validate_str(text, all_errors=True) or []:
            yield f"{file}: {error}"


def ars(schema, files):
    import jsonschema

    validator = jsonschema.Draft7Validator(json.load(open(schema, encoding="utf-8")))
    for file in files:
        for error in validator.iter_errors(json.load(open(file, encoding="utf-8"))):
            yield f"{file}: {'/'.join(map(str, error.absolute_path))}: {error.message}"


def main(arguments):
    kind, *rest = arguments
    found = list(cyclonedx(rest) if kind == "cyclonedx" else ars(rest[0], rest[1:]))
    print("\n".join(found) or "valid")
    sys.exit(1 if found else 0)


main(sys.argv[1:])
