"""Static files in production: hashed names, compressed, cached for ever."""

from whitenoise.storage import CompressedManifestStaticFilesStorage


class Storage(CompressedManifestStaticFilesStorage):  # type: ignore[misc]
    """Hashes what ES modules import too: a deploy never mixes two versions of them in a browser."""

    support_js_module_import_aggregation = True
