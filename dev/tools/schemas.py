"""schemas.py SWAGGER.json DIRECTORY: JSON schemas of Kubernetes' objects for kubeconform.

Kubernetes describes its objects in one OpenAPI 2 document. Each of its kinds becomes a file of its own,
`<kind>-<group>-<version>.json`, with every definition that it uses, and strict: unknown fields are errors.
"""

import json
import pathlib
import sys

REFERENCE = "#/definitions/"


def strict(schema):
    """The same schema for a validator: closed objects, and the two kinds of value that may be string or number."""
    if isinstance(schema, list):
        return [strict(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    if schema.get("format") == "int-or-string":
        return {"oneOf": [{"type": "string"}, {"type": "integer"}]}
    closed = {key: strict(value) for key, value in schema.items()}
    if isinstance(schema.get("properties"), dict):
        closed["properties"] = {name: strict(value) for name, value in schema["properties"].items()}
        closed.setdefault("additionalProperties", False)
    return closed


def references(schema):
    """Names of the definitions that a schema refers to directly."""
    if isinstance(schema, dict):
        target = schema.get("$ref")
        if isinstance(target, str):
            yield target.removeprefix(REFERENCE)
        for value in schema.values():
            yield from references(value)
    elif isinstance(schema, list):
        for item in schema:
            yield from references(item)


def with_definitions(name, definitions):
    """One schema that stands alone."""
    needed, waiting = {}, [name]
    while waiting:
        current = waiting.pop()
        if current not in needed:
            needed[current] = definitions[current]
            waiting.extend(references(definitions[current]))
    return {"$ref": REFERENCE + name, "definitions": needed}


def main(source, directory):
    document = json.loads(pathlib.Path(source).read_text())
    definitions = {name: strict(schema) for name, schema in document["definitions"].items()}
    quantity = "io.k8s.apimachinery.pkg.api.resource.Quantity"
    definitions[quantity] = {"oneOf": [{"type": "string"}, {"type": "number"}]}
    for name, schema in document["definitions"].items():
        for kind in schema.get("x-kubernetes-group-version-kind", []):
            group = kind["group"].split(".")[0]
            parts = [kind["kind"].lower(), *([group] if group else []), kind["version"].lower()]
            target = pathlib.Path(directory, "-".join(parts) + ".json")
            target.write_text(json.dumps(with_definitions(name, definitions)))


if __name__ == "__main__":
    main(*sys.argv[1:])
