"""Pictures of failures for the cards, drawn from the .tflite files that ship."""

from importlib import import_module

from .. import manifest

DRAWN_BY = dict(detection="photos", digits="digits", motion="motion")


def run(assets, folder):
    """Write cards/NAME-failures.(svg, png, jpg) for each model in `folder`."""
    for name, entry in manifest.MODELS.items():
        if not (folder / f"{name}.tflite").exists():
            continue
        made = import_module(f".{DRAWN_BY[entry['task']]}", __package__).draw(assets, folder, name)
        path = folder / "cards" / f"{name}-failures"
        if isinstance(made, str):
            path.with_suffix(".svg").write_text(made)
        elif entry["task"] == "detection":
            made.save(path.with_suffix(".jpg"), quality=85)
        else:
            made.quantize(64).save(path.with_suffix(".png"), optimize=True)
