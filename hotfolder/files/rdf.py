"""The RDF/XML of XMP: writes properties in one plain form and reads them in every form that programs use."""

from __future__ import annotations

import codecs
import re
import xml.etree.ElementTree as ET
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from hotfolder.errors import LibraryError

MAX_PACKET_BYTES = 1024 * 1024
PADDING_BYTES = 2048  # lets another program change a rating without moving a byte of the image
NAMESPACES: Mapping[str, str] = {
    "rdf": "http://www.w3.org/1999/02/22-rdf-syntax-ns#",
    "dc": "http://purl.org/dc/elements/1.1/",
    "xmp": "http://ns.adobe.com/xap/1.0/",
    "xmpMM": "http://ns.adobe.com/xap/1.0/mm/",
    "stRef": "http://ns.adobe.com/xap/1.0/sType/ResourceRef#",
    "xmpDM": "http://ns.adobe.com/xmp/1.0/DynamicMedia/",
    "lr": "http://ns.adobe.com/lightroom/1.0/",
    "digiKam": "http://www.digikam.org/ns/1.0/",
    "Iptc4xmpExt": "http://iptc.org/std/Iptc4xmpExt/2008-02-29/",
    "hf": "https://hotfolder.dev/ns/1.0/",
}

_RDF = "{" + NAMESPACES["rdf"] + "}"
_XML = "{http://www.w3.org/XML/1998/namespace}"
_ARRAYS = (f"{_RDF}Bag", f"{_RDF}Seq", f"{_RDF}Alt")
_FORBIDDEN = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
# A bare carriage return would be read back as a newline.
_ESCAPES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "\r": "&#13;"})


@dataclass(frozen=True, slots=True)
class Properties:
    """The properties of one resource; names are like `dc:title` and the first value of a name counts."""

    values: Mapping[str, str | ET.Element]

    def __contains__(self, name: str) -> bool:
        return _expanded(name) in self.values

    def text(self, name: str) -> str | None:
        """Return a simple value, or of a list its x-default or first entry."""
        value = self.values.get(_expanded(name))
        if value is None or isinstance(value, str):
            return value
        entries = _entries(value)
        if entries is None:
            return _leaf(value)
        default = [entry for entry in entries if entry.get(f"{_XML}lang") == "x-default"]
        return next((_leaf(entry) for entry in default + entries), None)

    def texts(self, name: str) -> tuple[str, ...]:
        """Return the simple values of a list; a lone value is a list of one."""
        value = self.values.get(_expanded(name))
        entries = None if value is None or isinstance(value, str) else _entries(value)
        if entries is None:
            lone = self.text(name)
            return (lone,) if lone else ()
        leaves = (_leaf(entry) for entry in entries)
        return tuple(leaf for leaf in leaves if leaf is not None)

    def structures(self, name: str) -> tuple[Properties, ...]:
        """Return the structured values of a list, or the lone one; empty ones are left out."""
        value = self.values.get(_expanded(name))
        if value is None or isinstance(value, str):
            return ()
        entries = _entries(value)
        found = (_fields(entry) for entry in ([value] if entries is None else entries))
        return tuple(Properties(fields) for fields in found if fields)


def parse_properties(packet: bytes) -> Properties:
    """Read all properties, or raise LibraryError (`library.bad_xmp`) for what is not safe or no XMP."""
    rdf = next(_parse_tree(packet).iter(f"{_RDF}RDF"), None)
    if rdf is None:
        raise bad_xmp("The XMP packet has no RDF in it.")
    values: dict[str, str | ET.Element] = {}
    for description in rdf.iterfind(f"{_RDF}Description"):
        for name, value in _fields(description).items():
            values.setdefault(name, value)
    return Properties(values)


def build_packet(properties: Iterable[str], *, padding_bytes: int) -> bytes:
    """Wrap written properties as UTF-8, or raise LibraryError if that is too large to be read back."""
    names = "".join(f'\n    xmlns:{prefix}="{uri}"' for prefix, uri in NAMESPACES.items() if prefix != "rdf")
    text = (
        '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>\n'
        '<x:xmpmeta xmlns:x="adobe:ns:meta/">\n'
        f' <rdf:RDF xmlns:rdf="{NAMESPACES["rdf"]}">\n'
        f'  <rdf:Description rdf:about=""{names}>\n'
        f"{''.join(f'   {line}{chr(10)}' for line in properties)}"
        "  </rdf:Description>\n"
        " </rdf:RDF>\n"
        "</x:xmpmeta>\n"
        f"{(' ' * 63 + chr(10)) * (padding_bytes // 64)}"
        '<?xpacket end="w"?>'
    )
    packet = text.encode("utf-8")
    if len(packet) > MAX_PACKET_BYTES:
        raise bad_xmp(f"The XMP packet would have {len(packet)} bytes, more than {MAX_PACKET_BYTES}.")
    return packet


def build_text(name: str, value: str | None) -> list[str]:
    """Write a simple value."""
    return [] if value is None else [f"<{name}>{_escaped(value)}</{name}>"]


def build_language_text(name: str, value: str | None) -> list[str]:
    """Write a text for the default language."""
    if value is None:
        return []
    entry = f'<rdf:li xml:lang="x-default">{_escaped(value)}</rdf:li>'
    return [f"<{name}><rdf:Alt>{entry}</rdf:Alt></{name}>"]


def build_list(name: str, kind: str, values: Iterable[str]) -> list[str]:
    """Write a list of simple values; `kind` is Bag or Seq."""
    entries = "".join(f"<rdf:li>{_escaped(value)}</rdf:li>" for value in values)
    return [f"<{name}><rdf:{kind}>{entries}</rdf:{kind}></{name}>"] if entries else []


def build_structure(name: str, fields: Iterable[str]) -> list[str]:
    """Write a structured value from its written fields."""
    return [f'<{name} rdf:parseType="Resource">{"".join(fields)}</{name}>']


def build_structures(name: str, structures: Iterable[Iterable[str]]) -> list[str]:
    """Write an unordered list of structured values, each given by its written fields."""
    entries = "".join("".join(build_structure("rdf:li", fields)) for fields in structures)
    return [f"<{name}><rdf:Bag>{entries}</rdf:Bag></{name}>"] if entries else []


def bad_xmp(message: str) -> LibraryError:
    """Return the error for a packet that cannot be used."""
    hint = "The picture itself is fine; remove the metadata or write it again with the program that made it."
    return LibraryError(message, code="library.bad_xmp", hint=hint)


def _parse_tree(packet: bytes) -> ET.Element:
    if len(packet) > MAX_PACKET_BYTES:
        raise bad_xmp(f"The XMP packet has {len(packet)} bytes, more than {MAX_PACKET_BYTES}.")
    utf16 = packet.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    try:
        # Decoded here, so that no encoding that the packet names can hide a declaration from the next line.
        text = packet.decode("utf-16" if utf16 else "utf-8").strip("\ufeff\0 \t\r\n")
        if "<!DOCTYPE" in text or "<!ENTITY" in text:
            raise bad_xmp("The XMP packet declares a document type or an entity, which XMP never needs.")
        return ET.fromstring(text)  # noqa: S314 - without declarations there is nothing to expand
    except (UnicodeDecodeError, ET.ParseError) as error:
        raise bad_xmp(f"The XMP packet is not well-formed: {error}") from error


def _expanded(name: str) -> str:
    prefix, _, local = name.partition(":")
    return f"{{{NAMESPACES[prefix]}}}{local}"


def _fields(element: ET.Element) -> dict[str, str | ET.Element]:
    """Collect what an element says by attributes, by children and by a Description within."""
    found: dict[str, str | ET.Element] = {}
    inner = element.findall(f"{_RDF}Description")
    for holder in (element, *inner):
        for name, value in holder.items():
            if not name.startswith((_RDF, _XML)):
                found.setdefault(name, value)
        for child in holder:
            if not child.tag.startswith(_RDF):
                found.setdefault(child.tag, child)
    return found


def _entries(element: ET.Element) -> list[ET.Element] | None:
    """Return the entries if the element holds a list."""
    for kind in _ARRAYS:
        array = element.find(kind)
        if array is not None:
            return array.findall(f"{_RDF}li")
    return None


def _leaf(element: ET.Element) -> str | None:
    """Return the text of a simple value, also of a link or a qualified one; None for anything else."""
    for name in (f"{_RDF}resource", f"{_RDF}value"):
        if name in element.attrib:
            return element.attrib[name]
    value = element.find(f"{_RDF}value")
    if value is None:
        value = element.find(f"{_RDF}Description/{_RDF}value")
    if value is None and len(element):
        return None
    return (element if value is None else value).text or ""


def _escaped(text: str) -> str:
    return _FORBIDDEN.sub("\ufffd", text).translate(_ESCAPES)
