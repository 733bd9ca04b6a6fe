"""What we say about a picture in XMP: a record to a packet, and any program's packet to a record."""

from __future__ import annotations

from dataclasses import dataclass

from hotfolder.files.rdf import (
    PADDING_BYTES,
    Properties,
    build_language_text,
    build_list,
    build_packet,
    build_structure,
    build_structures,
    build_text,
    parse_properties,
)

_LABEL_OF_PICK = {0: "0", -1: "1", 1: "3"}  # digiKam: 0 none, 1 rejected, 2 pending, 3 accepted
_PICK_OF_LABEL = {"0": 0, "1": -1, "3": 1}
_PICKS = {"0": 0, "-1": -1, "1": 1}


@dataclass(frozen=True, slots=True)
class Ingredient:
    """A picture that went into this one; `role` says as what (stRef:partMapping)."""

    document_id: str
    instance_id: str | None = None
    file_path: str = ""
    role: str | None = None


@dataclass(frozen=True, slots=True)
class XmpRecord:
    """What is said about a picture; None or empty is "not said".

    `rating` is -1 to 5; `pick` is 1, 0 or -1; "/" parts the levels of a keyword; `*_at` is ISO 8601 text.
    """

    document_id: str | None = None
    instance_id: str | None = None
    original_document_id: str | None = None
    created_at: str | None = None
    modified_at: str | None = None
    creator_tool: str | None = None
    rating: int | None = None
    pick: int | None = None
    label: str | None = None
    title: str | None = None
    description: str | None = None
    creators: tuple[str, ...] = ()
    rights: str | None = None
    keywords: tuple[str, ...] = ()
    digital_source_type: str | None = None
    ai_system_used: str | None = None
    ai_system_version_used: str | None = None
    ai_prompt_information: str | None = None
    ai_prompt_writer_name: str | None = None
    ingredients: tuple[Ingredient, ...] = ()
    derived_from: Ingredient | None = None
    job_id: str | None = None
    generation_id: str | None = None
    params_json: str | None = None

    def __post_init__(self) -> None:
        if self.rating not in (None, -1, 0, 1, 2, 3, 4, 5):
            raise ValueError(f"a rating is -1 to 5, not {self.rating}")
        if self.pick not in (None, -1, 0, 1):
            raise ValueError(f"a pick is -1, 0 or 1, not {self.pick}")


def build_xmp(record: XmpRecord, *, packet: bool = True) -> bytes:
    """Write the record as UTF-8 XMP, with 2 kB of room for later edits if it is to be embedded (`packet`).

    The same record gives the same bytes, and `parse_xmp` gives the record back, with two exceptions:
    characters that XML forbids become U+FFFD, and a reject (a pick or rating of -1) is written as xmp:Rating
    -1 whatever its stars were, and so reads back as pick -1 with no rating.
    Raises LibraryError (`library.bad_xmp`) for a packet over 1 MiB, which could not be read back.
    """
    properties = [
        *_identity(record),
        *_judgement(record),
        *_wording(record),
        *_disclosure(record),
        *_ours(record),
    ]
    return build_packet(properties, padding_bytes=PADDING_BYTES if packet else 0)


def parse_xmp(packet: bytes) -> XmpRecord:
    """Read the properties that we know, whoever wrote them; unknown and unreadable ones are passed over.

    xmp:Rating -1 reads as pick -1 with no rating, whatever other pick there is. xmp:MetadataDate counts
    before xmp:ModifyDate. A keyword path counts only while dc:subject, if there is one, has its last level:
    programs that drop a keyword often leave the lists of other programs as they were. A word of dc:subject
    that names a level of a path is no keyword of its own. Raises LibraryError (`library.bad_xmp`) for what is
    no XMP, declares a DOCTYPE or an entity, or is over 1 MiB.
    """
    said = parse_properties(packet)
    rating, pick = _parse_judgement(said)
    modified_at = said.text("xmp:MetadataDate")
    return XmpRecord(
        document_id=said.text("xmpMM:DocumentID"),
        instance_id=said.text("xmpMM:InstanceID"),
        original_document_id=said.text("xmpMM:OriginalDocumentID"),
        created_at=said.text("xmp:CreateDate"),
        modified_at=said.text("xmp:ModifyDate") if modified_at is None else modified_at,
        creator_tool=said.text("xmp:CreatorTool"),
        rating=rating,
        pick=pick,
        label=said.text("xmp:Label"),
        title=said.text("dc:title"),
        description=said.text("dc:description"),
        creators=said.texts("dc:creator"),
        rights=said.text("dc:rights"),
        keywords=_parse_keywords(said),
        digital_source_type=said.text("Iptc4xmpExt:DigitalSourceType"),
        ai_system_used=said.text("Iptc4xmpExt:AISystemUsed"),
        ai_system_version_used=said.text("Iptc4xmpExt:AISystemVersionUsed"),
        ai_prompt_information=said.text("Iptc4xmpExt:AIPromptInformation"),
        ai_prompt_writer_name=said.text("Iptc4xmpExt:AIPromptWriterName"),
        ingredients=tuple(map(_parse_ingredient, said.structures("xmpMM:Ingredients"))),
        derived_from=next(map(_parse_ingredient, said.structures("xmpMM:DerivedFrom")), None),
        job_id=said.text("hf:jobId"),
        generation_id=said.text("hf:generationId"),
        params_json=said.text("hf:params"),
    )


def _identity(record: XmpRecord) -> list[str]:
    derived_from = record.derived_from
    return [
        *build_text("xmpMM:DocumentID", record.document_id),
        *build_text("xmpMM:InstanceID", record.instance_id),
        *build_text("xmpMM:OriginalDocumentID", record.original_document_id),
        *build_text("xmp:CreatorTool", record.creator_tool),
        *build_text("xmp:CreateDate", record.created_at),
        *build_text("xmp:ModifyDate", record.modified_at),
        *build_text("xmp:MetadataDate", record.modified_at),
        *build_structures("xmpMM:Ingredients", map(_ingredient, record.ingredients)),
        *(build_structure("xmpMM:DerivedFrom", _ingredient(derived_from)) if derived_from else []),
    ]


def _ingredient(ingredient: Ingredient) -> list[str]:
    return [
        *build_text("stRef:documentID", ingredient.document_id),
        *build_text("stRef:instanceID", ingredient.instance_id),
        *build_text("stRef:filePath", ingredient.file_path or None),
        *build_text("stRef:partMapping", ingredient.role),
    ]


def _judgement(record: XmpRecord) -> list[str]:
    rejected = -1 in (record.rating, record.pick)
    rating, pick = (-1, -1) if rejected else (record.rating, record.pick)
    return [
        *build_text("xmp:Rating", None if rating is None else str(rating)),
        *build_text("xmpDM:pick", None if pick is None else str(pick)),
        *build_text("digiKam:PickLabel", None if pick is None else _LABEL_OF_PICK[pick]),
        *build_text("xmp:Label", record.label),
    ]


def _wording(record: XmpRecord) -> list[str]:
    words = dict.fromkeys(_last_level(keyword) for keyword in record.keywords)
    paths = dict.fromkeys(_piped(keyword) for keyword in record.keywords if "/" in keyword)
    return [
        *build_language_text("dc:title", record.title),
        *build_language_text("dc:description", record.description),
        *build_list("dc:creator", "Seq", record.creators),
        *build_language_text("dc:rights", record.rights),
        *build_list("dc:subject", "Bag", words),
        *build_list("lr:hierarchicalSubject", "Bag", paths),
        *build_list("digiKam:TagsList", "Seq", record.keywords),
    ]


def _disclosure(record: XmpRecord) -> list[str]:
    return [
        *build_text("Iptc4xmpExt:DigitalSourceType", record.digital_source_type),
        *build_text("Iptc4xmpExt:AISystemUsed", record.ai_system_used),
        *build_text("Iptc4xmpExt:AISystemVersionUsed", record.ai_system_version_used),
        *build_text("Iptc4xmpExt:AIPromptInformation", record.ai_prompt_information),
        *build_text("Iptc4xmpExt:AIPromptWriterName", record.ai_prompt_writer_name),
    ]


def _ours(record: XmpRecord) -> list[str]:
    return [
        *build_text("hf:jobId", record.job_id),
        *build_text("hf:generationId", record.generation_id),
        *build_text("hf:params", record.params_json),
    ]


def _parse_judgement(said: Properties) -> tuple[int | None, int | None]:
    """Return rating and pick."""
    rating = _parse_rating(said.text("xmp:Rating") or "")
    if rating == -1:
        return None, -1
    pick = _PICKS.get((said.text("xmpDM:pick") or "").strip())
    if pick is None:
        pick = _PICK_OF_LABEL.get((said.text("digiKam:PickLabel") or "").strip())
    return rating, pick


def _parse_rating(text: str) -> int | None:
    """Read a whole or real number ("3", "3.0") from -1 to 5; anything else is no rating."""
    try:
        number = float(text)
    except ValueError:
        return None
    return int(number) if -1 <= number <= 5 else None


def _parse_keywords(said: Properties) -> tuple[str, ...]:
    paths = list(said.texts("digiKam:TagsList"))
    known = {_piped(path) for path in paths}
    added = (piped for piped in dict.fromkeys(said.texts("lr:hierarchicalSubject")) if piped not in known)
    paths += [piped.replace("|", "/") for piped in added]
    words = said.texts("dc:subject")
    if "dc:subject" in said:
        current = set(words)
        paths = [path for path in paths if _last_level(path) in current]
    levels = {level for path in paths for level in path.split("/")}
    return (*paths, *(word for word in dict.fromkeys(words) if word not in levels))


def _parse_ingredient(said: Properties) -> Ingredient:
    return Ingredient(
        document_id=said.text("stRef:documentID") or "",
        instance_id=said.text("stRef:instanceID"),
        file_path=said.text("stRef:filePath") or "",
        role=said.text("stRef:partMapping"),
    )


def _last_level(keyword: str) -> str:
    return keyword.rsplit("/", 1)[-1]


def _piped(keyword: str) -> str:
    return keyword.replace("/", "|")
