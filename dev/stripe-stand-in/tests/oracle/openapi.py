"""Checks values against Stripe's own OpenAPI document, strictly: unknown fields are errors."""

import json

REFERENCE = "#/components/schemas/"
TYPES = {"string": str, "boolean": bool, "integer": int, "number": (int, float), "array": list, "object": dict}


class OpenApi:
    """The schemas of one version of Stripe's API."""

    def __init__(self, path):
        with open(path, encoding="utf-8") as file:
            document = json.load(file)
        self.version = document["info"]["version"]
        self.schemas = document["components"]["schemas"]
        self.paths = document["paths"]
        self.event_types = set(self._find_event_types(document))

    @staticmethod
    def _find_event_types(document):
        body = document["paths"]["/v1/webhook_endpoints"]["post"]["requestBody"]["content"]
        schema = body["application/x-www-form-urlencoded"]["schema"]
        return schema["properties"]["enabled_events"]["items"]["enum"]

    def errors_of(self, value):
        """What is wrong with an object that says its type in `object`; a list's items are checked each."""
        if value.get("object") == "list":
            return [error for item in value["data"] for error in self.errors_of(item)]
        name = value["object"]
        if value.get("deleted"):
            name = "deleted_" + name
        if name not in self.schemas:
            return [f"{name}: Stripe has no such object"]
        return self._check(value, self.schemas[name], name)

    def _check(self, value, schema, path):
        if "$ref" in schema:
            return self._check(value, self.schemas[schema["$ref"].removeprefix(REFERENCE)], path)
        if value is None:
            return [] if schema.get("nullable") else [f"{path}: must not be null"]
        if "anyOf" in schema:
            return self._check_any(value, schema["anyOf"], path)
        expected = TYPES.get(schema.get("type"))
        if expected and (not isinstance(value, expected) or (isinstance(value, bool) and expected is not bool)):
            return [f"{path}: {value!r} is not of type {schema['type']}"]
        if "enum" in schema and value not in schema["enum"]:
            return [f"{path}: {value!r} is not one of {schema['enum']}"]
        if isinstance(value, str) and len(value) > schema.get("maxLength", len(value)):
            return [f"{path}: longer than {schema['maxLength']}"]
        if isinstance(value, list):
            items = schema.get("items", {})
            return [error for at, item in enumerate(value) for error in self._check(item, items, f"{path}[{at}]")]
        if isinstance(value, dict):
            return self._check_hash(value, schema, path)
        return []

    def _check_any(self, value, choices, path):
        best = None
        for choice in choices:
            errors = self._check(value, choice, path)
            if not errors:
                return []
            if best is None or len(errors) < len(best):
                best = errors
        return best

    def _check_hash(self, value, schema, path):
        properties = schema.get("properties")
        if properties is None:
            extra = schema.get("additionalProperties")
            if not isinstance(extra, dict):
                return []
            return [error for key, item in value.items() for error in self._check(item, extra, f"{path}.{key}")]
        errors = [f"{path}.{name}: missing" for name in schema.get("required", []) if name not in value]
        for name, item in value.items():
            if name in properties:
                errors += self._check(item, properties[name], f"{path}.{name}")
            else:
                errors.append(f"{path}.{name}: Stripe has no such field")
        return errors

    def parameters_of(self, method, path):
        """What Stripe documents for a call: a tree of names."""
        pattern = path.replace(":id", "{}").split("/")
        for candidate, operations in self.paths.items():
            parts = ["{}" if part.startswith("{") else part for part in candidate.split("/")]
            if parts == pattern and method.lower() in operations:
                operation = operations[method.lower()]
                query = [entry for entry in operation.get("parameters", []) if entry["in"] == "query"]
                tree = {entry["name"]: _names(entry["schema"]) for entry in query}
                body = operation["requestBody"]["content"]["application/x-www-form-urlencoded"]["schema"]
                return {**tree, **(_names(body) or {})}
        return None


def _names(schema):
    """The names inside a schema, or None where it has none of its own (text, numbers, free hashes)."""
    names = {}
    for part in (schema, *schema.get("anyOf", [])):
        for name, inner in part.get("properties", {}).items():
            names[name] = _names(inner)
        if "items" in part:
            names.update(_names(part["items"]) or {})
    return names or None
