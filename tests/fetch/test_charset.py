"""Text out of bytes, whatever the server, the page or neither says about the charset."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.fetch import as_utf8, is_html
from pipeline.records import Page

FRENCH = "L'été dernier, le président a déclaré : « Nous n'avons pas cédé », selon des témoins à Genève."
RUSSIAN = "Президент заявил, что переговоры будут продолжены на следующей неделе в Москве."
JAPANESE = "首相は記者会見で、来週の会談について「まだ何も決まっていない」と述べた。東京の当局者が明らかにした。"
CHINESE = "外交部发言人在记者会上表示，双方将继续就有关问题进行磋商，并希望有关方面保持克制。"
GREEK = "Ο πρωθυπουργός δήλωσε ότι η κυβέρνηση θα συνεχίσει τις διαπραγματεύσεις την επόμενη εβδομάδα."
POLISH = "Prezydent oświadczył, że rozmowy będą kontynuowane w przyszłym tygodniu w Łodzi, według źródeł."
TURKISH = "Cumhurbaşkanı görüşmelerin gelecek hafta Ankara'da süreceğini söyledi, yetkililer bildirdi."
ARABIC = "قال الرئيس إن المحادثات ستستمر الأسبوع المقبل في القاهرة، وفقا لمسؤولين."
HEBREW = "הנשיא אמר כי השיחות יימשכו בשבוע הבא בירושלים, כך לפי גורמים רשמיים."
KOREAN = "대통령은 회담이 다음 주 서울에서 계속될 것이라고 말했다고 당국자들이 전했다."
SPANISH = "El presidente declaró que las negociaciones continuarán la próxima semana en España, según fuentes."
GERMAN = "Der Präsident erklärte, dass die Gespräche nächste Woche in München fortgeführt würden, für alle."
TAIWANESE = "總統表示，會談將於下週在臺北繼續舉行，據官員透露，各方仍有分歧。"
ENGLISH = "The president said “talks will continue” next week — officials’ accounts differ."
THAI = "ประธานาธิบดีกล่าวว่าการเจรจาจะดำเนินต่อไปในสัปดาห์หน้าที่กรุงเทพฯ"


def decode(page: Page) -> str:
    return as_utf8(page).decode()


def page(body: bytes, content_type: str | None = None) -> Page:
    headers = () if content_type is None else (("Content-Type", content_type),)
    when = datetime(2026, 11, 23, tzinfo=UTC)
    return Page(url="http://x/", final_url="http://x/", status=200, headers=headers, body=body, fetched=when)


def html(text: str, head: str = "") -> str:
    return f"<!doctype html><html><head>{head}<title>News</title></head><body><p>{text}</p></body></html>"


@pytest.mark.parametrize(
    ("text", "codec", "label"),
    [
        (FRENCH, "cp1252", "windows-1252"),
        (FRENCH, "cp1252", "iso-8859-1"),
        (FRENCH, "utf-8", "UTF-8"),
        (FRENCH, "utf-8", '"utf8"'),
        (RUSSIAN, "cp1251", "windows-1251"),
        (RUSSIAN, "koi8-r", "KOI8-R"),
        (JAPANESE, "shift_jis", "Shift_JIS"),
        (JAPANESE, "euc_jp", "EUC-JP"),
        (JAPANESE, "iso2022_jp", "iso-2022-jp"),
        (CHINESE, "gb18030", "gb2312"),
        (GREEK, "iso8859_7", "iso-8859-7"),
        (FRENCH, "utf-16-le", "utf-16le"),
    ],
)
def test_the_header_names_the_charset(text: str, codec: str, label: str) -> None:
    body = html(text).encode(codec)
    assert decode(page(body, f"text/html; charset={label}")) == html(text)


@pytest.mark.parametrize(
    "head",
    [
        '<meta charset="windows-1251">',
        "<META HTTP-EQUIV=Content-Type CONTENT='text/html; charset=windows-1251'>",
    ],
)
def test_the_meta_tag_names_the_charset_where_the_header_does_not(head: str) -> None:
    assert decode(page(html(RUSSIAN, head).encode("cp1251"), "text/html")) == html(RUSSIAN, head)


def test_the_xml_prolog_names_the_charset() -> None:
    text = f'<?xml version="1.0" encoding="iso-8859-7"?><rss><title>{GREEK}</title></rss>'
    assert decode(page(text.encode("iso8859_7"), "application/xml")) == text


@pytest.mark.parametrize("codec", ["utf-8-sig", "utf-16", "utf-32"])
def test_a_byte_order_mark_wins_over_the_header(codec: str) -> None:
    assert decode(page(html(FRENCH).encode(codec), "text/html; charset=windows-1251")) == html(FRENCH)


@pytest.mark.parametrize("lie", ["iso-8859-1", "windows-1252", "us-ascii", "windows-1251", "Shift_JIS"])
def test_utf8_under_another_name_is_still_utf8(lie: str) -> None:
    assert decode(page(html(FRENCH).encode(), f"text/html; charset={lie}")) == html(FRENCH)


def test_one_broken_character_does_not_change_the_charset() -> None:
    body = html(FRENCH * 30).encode().replace("é".encode(), b"\xc3", 1)
    text = decode(page(body, "text/html; charset=utf-8"))
    assert text.count("\ufffd") == 1
    assert "été dernier" in text


@pytest.mark.parametrize(
    ("text", "codec"),
    [
        (FRENCH, "cp1252"),
        (SPANISH, "cp1252"),
        (GERMAN, "cp1252"),
        (ENGLISH, "cp1252"),
        (RUSSIAN, "cp1251"),
        (RUSSIAN, "koi8-r"),
        (JAPANESE, "shift_jis"),
        (JAPANESE, "euc_jp"),
        (CHINESE, "gb18030"),
        (TAIWANESE, "big5"),
        (KOREAN, "euc_kr"),
        (GREEK, "iso8859_7"),
        (POLISH, "iso8859_2"),
        (POLISH, "cp1250"),
        (TURKISH, "cp1254"),
        (ARABIC, "cp1256"),
        (HEBREW, "cp1255"),
        (THAI, "cp874"),
    ],
)
def test_a_charset_that_nobody_names_is_detected(text: str, codec: str) -> None:
    assert text in decode(page(html(f"<p>{text}</p>\n" * 20).encode(codec), "text/html"))


@pytest.mark.parametrize("lie", ["utf-8", "klingon"])
def test_a_charset_that_does_not_fit_is_passed_over_for_detection(lie: str) -> None:
    body = html(f"<p>{FRENCH}</p>\n" * 20).encode("cp1252")
    assert FRENCH in decode(page(body, f"text/html; charset={lie}"))


def test_a_page_whose_meta_claims_utf16_is_read_as_utf8() -> None:
    text = html(FRENCH, '<meta charset="utf-16">')
    assert decode(page(text.encode(), "text/html")) == text


@pytest.mark.parametrize(
    "label",
    [
        "",
        ";;;",
        "charset",
        "hex",
        "rot13",
        "zlib",
        "idna",
        "utf-8\x00",
        "x" * 5000,
        "mbcs",
        "punycode",
        "utf-7",
        "unicode_escape",
        "base64",
        "undefined",
        "uu",
    ],
)
def test_a_label_that_names_no_charset_is_passed_over(label: str) -> None:
    assert decode(page(html(FRENCH).encode(), f"text/html; charset={label}")) == html(FRENCH)


@given(
    body=st.binary(max_size=400), label=st.sampled_from(["utf-8", "utf-16", "gb2312", "punycode", "iso-2022-jp", "x"])
)
def test_no_bytes_raise(body: bytes, label: str) -> None:
    assert isinstance(decode(page(body, f"text/html; charset={label}")), str)
    assert isinstance(decode(page(body)), str)


def test_html_is_known_by_its_type_or_its_first_bytes() -> None:
    plain = html("x").encode()
    assert is_html(page(b"", "text/html; charset=utf-8"))
    assert is_html(page(b"", "Application/XHTML+XML"))
    assert is_html(page(plain))
    assert is_html(page(b'<?xml version="1.0"?>\n<!-- c --> <html xmlns="x">', "text/xml"))
    assert not is_html(page(b'<?xml version="1.0"?><rss/>', "text/xml"))
    assert not is_html(page(plain, "application/pdf"))
    assert not is_html(page(b"%PDF-1.7"))
    assert not is_html(page(b""))


@pytest.mark.parametrize("label", ["utf-16", "utf-16le", "utf-16be", "utf-32", "iso-2022-jp"])
@pytest.mark.parametrize(
    ("codec", "head"), [("utf-8", ""), ("utf-8", "<meta charset=utf-8>"), ("cp1251", "<meta charset=windows-1251>")]
)
def test_a_header_that_names_a_charset_the_bytes_cannot_be_in_does_not_count(label: str, codec: str, head: str) -> None:
    body = html(RUSSIAN, head).encode(codec)
    assert decode(page(body, f"text/html; charset={label}")) == html(RUSSIAN, head)


@pytest.mark.parametrize("codec", ["utf-16-le", "utf-16-be"])
def test_utf_16_that_nobody_names_is_known_by_its_first_tag(codec: str) -> None:
    assert decode(page(html(RUSSIAN).encode(codec), "text/html")) == html(RUSSIAN)
