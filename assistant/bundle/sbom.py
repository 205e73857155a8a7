"""What a bundle consists of, as a CycloneDX 1.6 document (https://cyclonedx.org/docs/1.6/json/)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from cyclonedx.contrib.license.factories import LicenseFactory
from cyclonedx.model import HashAlgorithm, HashType
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.model.license import License
from cyclonedx.output.json import JsonV1Dot6
from packageurl import PackageURL

from veriloop.assistant.bundle.wheels import Wheel


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelFile:
    """A language model of the bundle."""

    name: str
    sha256: str
    licence: str
    description: str


def sbom(wheels: Iterable[Wheel], models: Iterable[ModelFile]) -> str:
    """The document, as JSON."""
    bom = Bom()
    components: dict[str, tuple[Wheel, Component]] = {}
    for wheel in wheels:
        component = Component(
            type=ComponentType.APPLICATION if wheel.name == "veriloop" else ComponentType.LIBRARY,
            name=wheel.name,
            version=wheel.version,
            bom_ref=f"{wheel.name}=={wheel.version}",
            purl=PackageURL("pypi", name=wheel.plain_name, version=wheel.version),
            hashes=[HashType(alg=HashAlgorithm.SHA_256, content=wheel.sha256)],
            licenses=_licences(wheel.licence),
        )
        bom.components.add(component)
        components[wheel.plain_name] = wheel, component
        if wheel.name == "veriloop":
            bom.metadata.component = component
    for wheel, component in components.values():
        bom.register_dependency(component, [components[name][1] for name in wheel.requires if name in components])
    for model in models:
        bom.components.add(
            Component(
                type=ComponentType.MACHINE_LEARNING_MODEL,
                name=model.name,
                bom_ref=f"model:{model.name}",
                description=model.description or None,
                hashes=[HashType(alg=HashAlgorithm.SHA_256, content=model.sha256)],
                licenses=_licences(model.licence),
            )
        )
    return JsonV1Dot6(bom).output_as_string(indent=1) + "\n"


def _licences(said: str) -> list[License]:
    return [LicenseFactory().make_from_string(said)] if said else []
