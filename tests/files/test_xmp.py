"""XMP goes out for other programs and comes back from them."""

from __future__ import annotations

import dataclasses
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hotfolder.errors import LibraryError
from hotfolder.files.xmp import Ingredient, XmpRecord, build_xmp, parse_xmp

FULL = XmpRecord(
    document_id="xmp.did:1",
    instance_id="xmp.iid:2",
    original_document_id="xmp.did:0",
    created_at="2026-05-01T10:00:00+02:00",
    modified_at="2026-05-02T10:00:00+02:00",
    creator_tool="hotfolder 0.1.0",
    rating=4,
    pick=1,
    label="Red",
    title="Kater",
    description="A cat",
    creators=("Ada", "Ben"),
    rights="© Ada",
    keywords=("campaign/spring", "cat", "place/de/Köln"),
    digital_source_type="http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia",
    ai_system_used="cn-engine",
    ai_system_version_used="2",
    ai_prompt_information="a cat",
    ai_prompt_writer_name="Ada",
    ingredients=(Ingredient("xmp.did:8", "xmp.iid:9", "refs/a.png", "init"), Ingredient("xmp.did:7")),
    derived_from=Ingredient("xmp.did:8", None, "refs/a.png"),
    job_id="job-1",
    generation_id="gen-1",
    params_json='{"seed": 1}',
)


def rdf(inside: str, attributes: str = "") -> bytes:
    """A packet in the words of another program."""
    return (
        '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        '<rdf:Description rdf:about="" xmlns:xmp="http://ns.adobe.com/xap/1.0/"'
        ' xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:xmpMM="http://ns.adobe.com/xap/1.0/mm/"'
        ' xmlns:xmpDM="http://ns.adobe.com/xmp/1.0/DynamicMedia/" xmlns:lr="http://ns.adobe.com/lightroom/1.0/"'
        ' xmlns:digiKam="http://www.digikam.org/ns/1.0/" xmlns:other="https://example.org/other/"'
        ' xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/"'
        f' xmlns:stRef="http://ns.adobe.com/xap/1.0/sType/ResourceRef#" {attributes}>{inside}'
        "</rdf:Description></rdf:RDF></x:xmpmeta>"
    ).encode()


def bag(name: str, *words: str) -> str:
    return f"<{name}><rdf:Bag>{''.join(f'<rdf:li>{word}</rdf:li>' for word in words)}</rdf:Bag></{name}>"


anything = st.text(st.characters(exclude_categories=[]))
legal = st.text().map(lambda text: re.sub("[^\t\n\r -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]", "", text))
hostile = st.sampled_from(
    ["]]>", "<?xpacket end='w'?>", "a\r\nb\rc", " \t\n", "\u202eabc", "🎨", "&amp;", "\"'", ""]
)
words = legal | hostile
maybe = st.none() | words
hierarchical = st.lists(words | st.sampled_from(["a", "b", "a/b", "a|b", "a/b|c", "/", "a/"])).map(tuple)
references = st.builds(Ingredient, words, maybe, words, maybe)
judgements = st.sampled_from(
    [(rating, pick) for rating in (None, 0, 1, 2, 3, 4, 5) for pick in (None, 0, 1)] + [(None, -1)]
)


@st.composite
def records(draw: st.DrawFn) -> XmpRecord:
    other = {"rating", "pick", "creators", "keywords", "ingredients", "derived_from"}
    texts = {field.name: draw(maybe) for field in dataclasses.fields(XmpRecord) if field.name not in other}
    rating, pick = draw(judgements)
    return XmpRecord(
        **texts,
        rating=rating,
        pick=pick,
        creators=tuple(draw(st.lists(words))),
        keywords=draw(hierarchical),
        ingredients=tuple(draw(st.lists(references, max_size=3))),
        derived_from=draw(st.none() | references),
    )


@settings(deadline=None)  # a busy machine is no fault
@given(record=records(), packet=st.booleans())
def test_every_field_comes_back_as_it_was(record: XmpRecord, packet: bool) -> None:
    assert parse_xmp(build_xmp(record, packet=packet)) == record


@settings(deadline=None)  # a busy machine is no fault
@given(text=anything)
def test_any_text_at_all_makes_a_readable_packet(text: str) -> None:
    record = XmpRecord(title=text, keywords=(text,), params_json=text)

    once = parse_xmp(build_xmp(record))

    assert once.title is not None
    assert len(once.title) == len(text)
    assert parse_xmp(build_xmp(once)) == once


def test_a_full_record_comes_back() -> None:
    assert parse_xmp(build_xmp(FULL)) == FULL


def test_an_empty_record_comes_back() -> None:
    assert parse_xmp(build_xmp(XmpRecord())) == XmpRecord()


def test_the_same_record_gives_the_same_bytes() -> None:
    assert build_xmp(FULL) == build_xmp(dataclasses.replace(FULL))


def test_an_embedded_packet_has_two_kilobytes_of_room_and_a_sidecar_none() -> None:
    embedded, sidecar = build_xmp(FULL), build_xmp(FULL, packet=False)

    assert len(embedded) == len(sidecar) + 2048
    assert sidecar.startswith('<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>'.encode())
    assert sidecar.endswith(b'</x:xmpmeta>\n<?xpacket end="w"?>')
    assert embedded.replace(b" " * 63 + b"\n", b"") == sidecar


def test_a_prompt_cannot_end_the_packet_or_the_element() -> None:
    record = XmpRecord(ai_prompt_information="</rdf:RDF>]]><?xpacket end='w'?><x:xmpmeta>")

    packet = build_xmp(record)

    assert packet.count(b"<?xpacket end") == 1
    assert packet.count(b"<x:xmpmeta") == 1
    assert b"]]>" not in packet


def test_forbidden_characters_become_replacement_characters() -> None:
    record = parse_xmp(build_xmp(XmpRecord(title="a\0b\x1bc\ud83dd\ufffee")))

    assert record.title == "a\ufffdb\ufffdc\ufffdd\ufffde"


@pytest.mark.parametrize(
    "written",
    [
        "<xmp:Rating>4</xmp:Rating>",
        "<xmpDM:pick>1</xmpDM:pick>",
        "<digiKam:PickLabel>3</digiKam:PickLabel>",
        "<xmp:Label>Red</xmp:Label>",
        '<dc:title><rdf:Alt><rdf:li xml:lang="x-default">Kater</rdf:li></rdf:Alt></dc:title>',
        "<dc:creator><rdf:Seq><rdf:li>Ada</rdf:li><rdf:li>Ben</rdf:li></rdf:Seq></dc:creator>",
        bag("dc:subject", "spring", "cat", "Köln"),
        bag("lr:hierarchicalSubject", "campaign|spring", "place|de|Köln"),
        bag("digiKam:TagsList", "campaign/spring", "cat", "place/de/Köln").replace("Bag", "Seq"),
        "<xmp:CreatorTool>hotfolder 0.1.0</xmp:CreatorTool>",
        "<xmp:CreateDate>2026-05-01T10:00:00+02:00</xmp:CreateDate>",
        "<xmp:ModifyDate>2026-05-02T10:00:00+02:00</xmp:ModifyDate>",
        "<xmp:MetadataDate>2026-05-02T10:00:00+02:00</xmp:MetadataDate>",
        "<xmpMM:OriginalDocumentID>xmp.did:0</xmpMM:OriginalDocumentID>",
        "<stRef:partMapping>init</stRef:partMapping>",
        "<Iptc4xmpExt:AISystemUsed>cn-engine</Iptc4xmpExt:AISystemUsed>",
        "<Iptc4xmpExt:AIPromptInformation>a cat</Iptc4xmpExt:AIPromptInformation>",
        'xmlns:hf="https://hotfolder.dev/ns/1.0/"',
        "<hf:jobId>job-1</hf:jobId>",
    ],
)
def test_other_programs_find_the_property_where_they_look(written: str) -> None:
    assert written in build_xmp(FULL).decode()


@pytest.mark.parametrize(
    "record", [XmpRecord(rating=3, pick=-1), XmpRecord(rating=-1), XmpRecord(rating=-1, pick=1)]
)
def test_a_reject_is_written_for_every_program_and_loses_its_stars(record: XmpRecord) -> None:
    packet = build_xmp(record)

    assert b"<xmp:Rating>-1</xmp:Rating>" in packet
    assert b"<xmpDM:pick>-1</xmpDM:pick>" in packet
    assert b"<digiKam:PickLabel>1</digiKam:PickLabel>" in packet
    assert parse_xmp(packet) == XmpRecord(rating=None, pick=-1)


@pytest.mark.parametrize("wrong", [{"rating": 6}, {"rating": -2}, {"pick": 2}])
def test_an_impossible_judgement_is_no_record(wrong: dict[str, int]) -> None:
    with pytest.raises(ValueError, match=r"rating|pick"):
        XmpRecord(**wrong)


@pytest.mark.parametrize(
    ("attributes", "rating", "pick"),
    [
        ('xmp:Rating="3"', 3, None),
        ('xmp:Rating="3.0"', 3, None),
        ('xmp:Rating="0" xmpDM:pick="0"', 0, 0),
        ('xmp:Rating="-1"', None, -1),
        ('xmp:Rating="-1" xmpDM:pick="0"', None, -1),
        ('xmp:Rating="2" xmpDM:pick="-1"', 2, -1),
        ('xmpDM:pick="1" digiKam:PickLabel="0"', None, 1),
        ('digiKam:PickLabel="1"', None, -1),
        ('digiKam:PickLabel="2"', None, None),
        ('digiKam:PickLabel="3"', None, 1),
        ('xmp:Rating="99" xmpDM:pick="yes"', None, None),
        ('xmp:Rating="nan"', None, None),
        ('xmp:Rating=""', None, None),
    ],
)
def test_ratings_and_picks_of_other_programs_are_understood(
    attributes: str, rating: int | None, pick: int | None
) -> None:
    record = parse_xmp(rdf("", attributes))

    assert (record.rating, record.pick) == (rating, pick)


def test_properties_are_read_from_elements_and_from_several_descriptions() -> None:
    packet = rdf(
        '<xmp:Rating> 5 </xmp:Rating></rdf:Description><rdf:Description rdf:about=""'
        ' xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmp:Label="Blue" xmp:Rating="1">'
    )

    record = parse_xmp(packet)

    assert (record.rating, record.label) == (5, "Blue")


@pytest.mark.parametrize("kind", ["Bag", "Seq", "Alt"])
def test_lists_are_read_in_every_kind(kind: str) -> None:
    record = parse_xmp(rdf(bag("dc:creator", "Ada", "Ben").replace("Bag", kind)))

    assert record.creators == ("Ada", "Ben")


def test_lone_values_are_read_where_a_list_is_usual() -> None:
    record = parse_xmp(rdf("<dc:creator>Ada</dc:creator>", 'dc:subject="cat" dc:title="Kater"'))

    assert (record.creators, record.keywords, record.title) == (("Ada",), ("cat",), "Kater")


def test_the_default_language_counts_before_the_first() -> None:
    entries = '<rdf:li xml:lang="en">Tom</rdf:li><rdf:li xml:lang="x-default">Kater</rdf:li>'

    record = parse_xmp(
        rdf(
            f"<dc:title><rdf:Alt>{entries}</rdf:Alt></dc:title>"
            '<dc:rights><rdf:Alt><rdf:li xml:lang="en">mine</rdf:li></rdf:Alt></dc:rights>'
        )
    )

    assert (record.title, record.rights) == ("Kater", "mine")


def test_links_and_qualified_values_are_read() -> None:
    record = parse_xmp(
        rdf(
            '<Iptc4xmpExt:DigitalSourceType rdf:resource="http://cv.iptc.org/x"/>'
            '<xmp:Label rdf:parseType="Resource"><rdf:value>Red</rdf:value><other:by>me</other:by>'
            "</xmp:Label>"
            "<xmp:CreatorTool><rdf:Description><rdf:value>Tool</rdf:value></rdf:Description></xmp:CreatorTool>"
        )
    )

    assert record.digital_source_type == "http://cv.iptc.org/x"
    assert (record.label, record.creator_tool) == ("Red", "Tool")


@pytest.mark.parametrize(
    "derived_from",
    [
        '<xmpMM:DerivedFrom stRef:documentID="d" stRef:filePath="a.png"/>',
        '<xmpMM:DerivedFrom rdf:parseType="Resource"><stRef:documentID>d</stRef:documentID>'
        "<stRef:filePath>a.png</stRef:filePath></xmpMM:DerivedFrom>",
        '<xmpMM:DerivedFrom><rdf:Description stRef:documentID="d"><stRef:filePath>a.png</stRef:filePath>'
        "</rdf:Description></xmpMM:DerivedFrom>",
    ],
)
def test_references_are_read_in_every_spelling(derived_from: str) -> None:
    assert parse_xmp(rdf(derived_from)).derived_from == Ingredient("d", None, "a.png")


def test_ingredients_by_attributes_are_read() -> None:
    entries = '<rdf:li stRef:documentID="d" stRef:partMapping="init"/><rdf:li/><rdf:li><rdf:value/></rdf:li>'

    record = parse_xmp(rdf(f"<xmpMM:Ingredients><rdf:Bag>{entries}</rdf:Bag></xmpMM:Ingredients>"))

    assert record.ingredients == (Ingredient("d", role="init"),)


def test_unknown_and_misshapen_properties_are_passed_over() -> None:
    record = parse_xmp(
        rdf(
            "<other:thing><rdf:Bag><rdf:li>x</rdf:li></rdf:Bag></other:thing><!-- note -->"
            "<xmp:Label><other:inner>x</other:inner></xmp:Label><dc:subject><rdf:Bag/></dc:subject>"
            "<dc:title><rdf:Alt/></dc:title><xmpMM:DerivedFrom>text</xmpMM:DerivedFrom><dc:creator/>",
            'other:word="y" xmp:CreatorTool="Tool"',
        )
    )

    assert record == XmpRecord(creator_tool="Tool")


def test_the_date_of_the_metadata_counts_before_that_of_the_file() -> None:
    both = parse_xmp(rdf("", 'xmp:ModifyDate="2026-01-01" xmp:MetadataDate="2026-02-02"'))
    one = parse_xmp(rdf("", 'xmp:ModifyDate="2026-01-01"'))

    assert (both.modified_at, one.modified_at) == ("2026-02-02", "2026-01-01")


@pytest.mark.parametrize(
    ("lists", "keywords"),
    [
        (bag("dc:subject", "cat", "dog", "cat"), ("cat", "dog")),
        (bag("lr:hierarchicalSubject", "a|b"), ("a/b",)),
        (bag("dc:subject", "a", "b", "cat") + bag("lr:hierarchicalSubject", "a|b"), ("a/b", "cat")),
        (bag("dc:subject", "b", "new") + bag("digiKam:TagsList", "a/b"), ("a/b", "new")),
        (bag("dc:subject", "cat") + bag("digiKam:TagsList", "a/b", "cat"), ("cat",)),
        (
            bag("dc:subject", "b", "d")
            + bag("lr:hierarchicalSubject", "a|b", "c|d")
            + bag("digiKam:TagsList", "a/b"),
            ("a/b", "c/d"),
        ),
        (bag("dc:subject") + bag("digiKam:TagsList", "a/b"), ()),
    ],
)
def test_keywords_are_put_together_from_the_lists_of_all_programs(
    lists: str, keywords: tuple[str, ...]
) -> None:
    assert parse_xmp(rdf(lists)).keywords == keywords


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_sidecars_in_every_usual_encoding_are_read(encoding: str) -> None:
    text = build_xmp(FULL, packet=False).decode().removeprefix("\ufeff")

    assert parse_xmp(text.encode(encoding)) == FULL


def test_padding_of_zero_bytes_around_a_packet_is_harmless() -> None:
    assert parse_xmp(b"\n" + build_xmp(FULL) + b"\n\0\0") == FULL


BOMB = (
    '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;"><!ENTITY c "&b;&b;&b;&b;&b;">]>'
    "<x>&c;</x>"
)


@pytest.mark.parametrize(
    "packet",
    [
        BOMB.encode(),
        BOMB.encode("utf-16"),
        b'<?xml version="1.0" encoding="cp037"?>' + BOMB.encode("cp037"),
        b'<!DOCTYPE x SYSTEM "file:///etc/passwd"><x/>',
        rdf("<dc:title>&unknown;</dc:title>"),
        rdf("<dc:title>not closed"),
        rdf("<dc:title>a\0b</dc:title>"),
        b"<x:xmpmeta xmlns:x='adobe:ns:meta/'/>",
        b"\xff\xff\xff",
        b"",
        b"a cat",
        rdf(f"<dc:title>{'a' * 1024 * 1024}</dc:title>"),
        b"<a>" * 300_000,
    ],
    ids=range(13),
)
def test_dangerous_and_broken_packets_are_refused(packet: bytes) -> None:
    with pytest.raises(LibraryError) as caught:
        parse_xmp(packet)

    assert caught.value.code == "library.bad_xmp"
    assert caught.value.hint


def test_deep_nesting_is_read_without_harm() -> None:
    depth = 30_000

    record = parse_xmp(
        rdf("<dc:title>" + "<rdf:Alt>" * depth + "</rdf:Alt>" * depth + "</dc:title>", 'xmp:Label="Red"')
    )

    assert record == XmpRecord(label="Red")


def test_a_packet_too_large_to_be_read_back_is_not_written() -> None:
    with pytest.raises(LibraryError) as caught:
        build_xmp(XmpRecord(params_json="a" * 1024 * 1024))

    assert caught.value.code == "library.bad_xmp"
